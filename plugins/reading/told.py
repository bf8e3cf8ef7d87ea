"""What the run tells: settings, facts and library versions, as numbers where they are."""

from __future__ import annotations

import math
import re
from typing import Any

from dpo_report.core.model import Datum, Problem, Run, Source

BASE_MODEL = ("base_model", "model_name_or_path", "model._name_or_path")
"""Settings that may name the starting model, the surest first."""
_LOGS = frozenset(("state", "metrics", "log", "checkpoint"))
"""Roles of files that may hold logged rows."""
_NO_LOGS = (".pt", ".pth", ".bin", ".safetensors")
"""What else lies in a checkpoint."""
_STORES = (".db", ".db3", ".sqlite", ".sqlite3", ".zip")
"""Databases and archives: such a file is a log where a reader took it for one."""

_OF_KNOWN_DATA = re.compile(r"(?:train|eval|val|test|predict|best|total|init|before_init)_|epoch$|num_tokens$")
"""Closing values whose name tells on what they were measured, or that were measured on nothing."""
OF_THE_MACHINE = re.compile(
    r"(?:^|[/_.-])(?:lr|time|runtime|seconds|steps?|iterations?|eta|elapsed|memory|fps|n_updates|throughput)(?:[/_.-]|\d|$)"
)
"""Names of quantities of the machine or the schedule, not of the model."""


def version(run: Run, library: str) -> tuple[int, ...] | None:
    """The numeric parts of a library's version as the run tells it: ``(5, 23, 0)``; None where it does not."""
    told = run.versions.get(library)
    if not told:
        return None
    parts: list[int] = []
    for part in told.split("+")[0].split("."):
        digits = "".join(c for c in part[:9] if c.isascii() and c.isdigit())
        if not digits:
            break
        parts.append(int(digits))
    return tuple(parts) or None


def at_least(run: Run, library: str, *wanted: int) -> bool | None:
    """Whether the run used at least that version; None where the run does not tell."""
    known = version(run, library)
    return None if known is None else known >= wanted


def numeric(value: Any) -> float | None:
    """A setting as a float where it is a number, or a text that is one."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def whole(value: Any) -> int | None:
    """A setting as an integer where it is one, and small enough for a float to tell it from its neighbours."""
    number = numeric(value)
    return int(number) if number is not None and abs(number) <= 2**53 and number == int(number) else None


def setting(run: Run, *names: str) -> Any:
    """The first of several settings that the run tells."""
    for name in names:
        if name in run.settings:
            return run.settings[name].value
    return None


def setting_source(run: Run, *names: str) -> tuple[Source, ...]:
    """The sources of those settings that the run tells."""
    return tuple(run.settings[name].source for name in names if name in run.settings)


def fact(run: Run, *names: str) -> Any:
    """A fact of ``dpo-report.toml``; nested tables by dotted names."""
    for name in names:
        if name in run.facts:
            return run.facts[name].value
    return None


def unread_log(run: Run) -> Problem | None:
    """What kept the log from being read, where no curve could be; None where there are curves or nothing is in the way.

    What such a log holds is not known: that nothing was logged or evaluated must not be said.
    """
    if run.series:
        return None
    read = {file for witness in run.witnesses for file in witness.files}
    logs = {file.path for file in run.files if file.role in _LOGS and not file.path.endswith(_NO_LOGS)}
    logs |= {file for file in read if file.endswith(_STORES)}
    blind = run.status == "unknown" and not run.summary
    for one in run.problems:
        store = any(file.path.startswith(f"{one.where}/") for file in run.files)  # a log may be a folder
        if (one.where in logs or store) and (blind or one.where not in read):
            return one
    return None


def logged_once(run: Run) -> dict[str, Datum]:
    """What a run without curves logged once, under names that do not tell on which data it was measured.

    The Hugging Face Trainer's closing rows are of training.
    """
    if run.series or any(witness.reader == "hf_trainer" for witness in run.witnesses):
        return {}
    return {
        key: datum
        for key, datum in run.summary.items()
        if isinstance(datum.value, float) and not _OF_KNOWN_DATA.match(key) and not OF_THE_MACHINE.search(key.lower())
    }
