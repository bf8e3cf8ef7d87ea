"""A training run, merged from its witnesses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dpo_report.core.records.series import Series
from dpo_report.core.records.witness import Datum, Problem, RunStatus, Setting, Witness


@dataclass(frozen=True, slots=True)
class RunFile:
    """One file of the run directory."""

    path: str
    """Relative to the run directory."""
    bytes: int
    """Size on disk."""
    role: str = "other"
    """``weights``, ``checkpoint``, ``config``, ``state``, ``metrics``, ``tokenizer``, ``card``, ``log``, ``other``."""
    meaning: str = ""
    """What the file is for, in one sentence."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run, merged from its witnesses."""

    directory: Path
    """The run directory. Never printed: reports name only its last part."""
    name: str
    """Short name of the run."""
    reader: str
    """The reader whose witness weighed most."""
    trainer: str | None
    """As in :class:`Witness`."""
    method: str | None
    """As in :class:`Witness`."""
    method_why: str
    """As in :class:`Witness`."""
    status: RunStatus
    """How the run ended."""
    global_step: int | None
    """The last optimizer step."""
    max_steps: int | None
    """The planned number of optimizer steps."""
    epoch: float | None
    """Epochs done, as logged."""
    versions: Mapping[str, str]
    """Library versions that the run itself tells."""
    settings: Mapping[str, Setting]
    """Hyper-parameters by name."""
    summary: Mapping[str, Datum]
    """The trainer's last words by key."""
    series: Mapping[tuple[str, str], Series]
    """Curves by (name, split)."""
    files: tuple[RunFile, ...]
    """Every file of the directory with its purpose."""
    facts: Mapping[str, Setting]
    """``[facts]`` of the run's ``dpo-report.toml``: hardware, data, versions, told by whoever trained."""
    answers: Mapping[str, str]
    """``[answers]`` of the run's ``dpo-report.toml``: the author's answers by question id."""
    problems: tuple[Problem, ...]
    """What could not be read or contradicts itself."""
    witnesses: tuple[Witness, ...] = ()
    """What the run was merged from."""
    siblings: tuple[Run, ...] = ()
    """The other runs of its method that it is reported with, each without siblings of its own; under ``build --all``
    also without files and witnesses, and with only the ends of its series."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Thresholds of rules that the user set, by name; the others have their defaults."""
    method_sure: float = 1.0
    """As in :class:`Witness`."""

    def get(self, name: str, split: str = "train") -> Series | None:
        """The series of that name and split, or None."""
        return self.series.get((name, split))

    def setting(self, name: str, default: Any = None) -> Any:
        """The value of a setting, or ``default`` where the run does not tell it."""
        known = self.settings.get(name)
        return default if known is None else known.value

    def number(self, name: str) -> float | None:
        """A finite number of the summary, or None."""
        datum = self.summary.get(name)
        if datum is None or not isinstance(datum.value, int | float) or not math.isfinite(datum.value):
            return None
        return float(datum.value)
