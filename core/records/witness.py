"""What one file, or one set of files that belong together, tells of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dpo_report.core.records.series import Series, Source

RunStatus = Literal["completed", "incomplete", "diverged", "running", "no-metrics", "unknown"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something broken or contradictory, told to the reader of the report and on stderr."""

    where: str
    """A file of the run, or the plugin and object that failed."""
    message: str
    """What is wrong, in one line."""
    hint: str = ""
    """What to do about it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One hyper-parameter of the run."""

    name: str
    """The trainer's own name: ``learning_rate``, ``beta``."""
    value: Any
    """Text, number, boolean, None, or lists and mappings of these."""
    source: Source
    """The file that tells it."""
    is_default: bool | None = None
    """Whether the value equals the library's default in the run's version; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Datum:
    """One value of the trainer's own closing summary (``train_loss``, ``train_runtime``, ...)."""

    value: float | str
    """As written; numbers as float, NaN kept."""
    source: Source
    """Where it stands."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What one file, or one set of files that belong together, tells of one run."""

    reader: str
    """Name of the reader."""
    identity: str
    """Witnesses with the same folder and identity tell of the same run; others never do. Empty for a folder's own run,
    else what tells this one from it: ``checkpoint-9``."""
    files: tuple[str, ...]
    """The files that were read, the most telling first."""
    name: str = ""
    """How the run calls itself, if it does; the folder's name otherwise."""
    trainer: str | None = None
    """The training class: ``trl.DPOTrainer``."""
    method: str | None = None
    """``dpo``, ``sft``, ``kto``, ``grpo``, ...; None where nothing tells it."""
    method_why: str = ""
    """What the method was told from."""
    status: RunStatus = "unknown"
    """How the run ended, as far as this witness can tell."""
    global_step: int | None = None
    """The last optimizer step."""
    max_steps: int | None = None
    """The planned number of optimizer steps."""
    epoch: float | None = None
    """Epochs done, as logged."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Library versions that the run itself tells."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    """Hyper-parameters by name."""
    summary: Mapping[str, Datum] = field(default_factory=dict)
    """The trainer's last words by key."""
    series: tuple[Series, ...] = ()
    """Logged curves."""
    problems: tuple[Problem, ...] = ()
    """What could not be read or contradicts itself."""
    precision: int = 0
    """Among witnesses of one run the higher one wins where both tell the same value."""
    folder: str = ""
    """The run's own folder within the one that was read, to which its paths are relative; empty for the same one."""
    method_sure: float = 1.0
    """How sure the method is, from 0 to 1 as a reader is of its files: 1 where the trainer or the author names it, less
    where it was told from what a trainer leaves behind."""
