"""Lightning: ``metrics.csv`` of its CSV logger, ``hparams.yaml`` of any logger, one run for each ``version_N``.

Rows are sparse: one for each call of the logger, so that one step stands in several. ``train_loss_step`` and
``train_loss_epoch`` are one quantity logged twice, by step and by epoch.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Witness
from dpo_report.plugins.readers.collect import Told, witness
from dpo_report.plugins.readers.files import first_line, named, subs
from dpo_report.plugins.readers.layout import Found, Layout, first_of, without
from dpo_report.plugins.readers.numbers import whole
from dpo_report.plugins.readers.settings import from_yaml
from dpo_report.plugins.readers.tabular import columns, read_csv
from dpo_report.plugins.readers.tensorboard.eventfile import is_event_file
from dpo_report.plugins.readers.tensorboard.witness import read as read_events

NAME = "lightning"
_METRICS, _SETTINGS = "metrics.csv", "hparams.yaml"
_NOTE = "Lightning counts steps from 0: step 3 is the fourth"
_NO_STEP = frozenset({"learning_rate", "epoch"})
"""Logged before a step, and after the last one."""
_INSIDE = 1
"""How deep settings are read: objects that were saved whole hold hundreds of values of no interest."""
_BYTES = 64 << 20
"""Event files that are larger together are not read a second time."""
_OWN = ("events.out.tfevents.", "metrics.csv")
FILES = (
    FileKind(_METRICS, "log", "Lightning's log: one row for each call of the logger"),
    FileKind(_SETTINGS, "config", "the hyper-parameters that the module saved; not epochs, batch size or seed"),
    FileKind("*.ckpt", "checkpoint", "a Lightning checkpoint: weights, optimizer and loop state"),
)


def _knows(name: str, start: bytes) -> float:
    if name != _METRICS and not name.endswith(".csv"):
        return 0.0
    header = set(columns(first_line(start)))
    if "step" not in header:
        return 0.0
    shaped = any(column.endswith(("_step", "_epoch")) or column.startswith("lr-") for column in header)
    if name == _METRICS and ("epoch" in header or shaped):
        return 0.9
    return 0.6 if shaped and "epoch" in header else 0.0


def _complete(folder: Folder, found: Found) -> None:
    config = next((entry for entry in folder.entries if entry.path == _SETTINGS), None)
    if config:
        found.extra["settings"] = from_yaml(folder, config, found.problems, _INSIDE)
        found.files.append(config.path)
    last = _last(found.told)
    found.extra |= {
        "step": None if last is None else last + 1,
        "epoch": _epochs_done(found.told, last),
        "trainer": "lightning.Trainer",
    }


def _last(told: Told) -> int | None:
    """The last training step, from 0."""
    trained = [one.steps[-1] for one in told.series if one.split == "train" and one.name not in _NO_STEP and len(one)]
    return whole(max(trained, default=None))


def _events(folder: Folder) -> Told | None:
    """What the event files beside ``hparams.yaml`` log, for the count of steps and epochs; None of several attempts."""
    near = tuple(entry for entry in folder.entries if not entry.parent and is_event_file(entry))
    if sum(entry.size for entry in near) > _BYTES:
        return None
    logged = [one for one in read_events(folder.holding(near)) if one.series]
    return Told(logged[0].series) if len(logged) == 1 else None


def _epochs_done(told: Told, last: int | None) -> float | None:
    """How many passes over the data were made by ``last``, the last training step; None where no end of one was logged.

    The logged epoch is the one that a row was in, from 0; rows of a test after the training have the number of all. An
    epoch ends with its mean, or with as many evaluations as the others had.
    """
    rows = next((one for one in told.series if (one.name, one.split) == ("epoch", "train")), None)
    if rows is None or last is None:
        return None
    if rows.steps[-1] > last:
        return float(rows.values[-1])
    ends: list[tuple[float, float]] = []
    for one in told.series:
        means = one.split == "train" and one.sources[0].where.endswith("_epoch")
        if not means and not one.split.startswith("eval"):
            continue
        steps, there, _ = np.intersect1d(rows.steps, one.steps, return_indices=True)
        numbers, counts = np.unique(rows.values[there], return_counts=True)
        if len(numbers) > 1 or (means and len(numbers)):
            number = numbers[counts == counts.max()][-1]
            ends.append((float(number) + 1, float(steps[rows.values[there] == number][-1]) + 1))
    done, at = max(ends, default=(0.0, 0.0))
    return done * max(1.0, (last + 1) / at) if done else None


LAYOUT = Layout(
    NAME,
    "Lightning",
    (".csv",),
    _knows,
    read_csv,
    first_of("step"),
    cells=without("step"),
    note=_NOTE,
    complete=_complete,
    precision=6,
    files=FILES,
)
_TABLES = LAYOUT.reader()


def _alone(folder: Folder) -> Iterator[tuple[Entry, bool]]:
    """``hparams.yaml`` files without a table beside them, and whether an event file is."""
    logged: dict[str, set[str]] = {}
    for entry in folder.entries:
        for own in _OWN:
            if entry.name.startswith(own):
                logged.setdefault(entry.parent, set()).add(own)
    for entry in named(folder, _SETTINGS):
        beside = logged.get(entry.parent, set())
        if _METRICS not in beside:
            yield entry, bool(beside)


def _detect(folder: Folder) -> Match | None:
    found = _TABLES.detect(folder)
    if found is None:
        alone = next(_alone(folder), None)
        return Match(0.6, alone[0].path) if alone else None
    return found


def _read(folder: Folder) -> Iterator[Witness]:
    yield from _TABLES.read(folder)
    alone = list(_alone(folder))
    inside = subs(folder, {entry.parent for entry, _ in alone})
    for entry, has_events in alone:
        problems: list[Problem] = []
        sub = inside[entry.parent]
        settings = from_yaml(sub, Entry(entry.name, entry.size), problems, _INSIDE)
        if not has_events:
            problems.append(Problem(entry.name, "no metrics beside it: nothing but these settings is known of the run"))
        logged = _events(sub) if has_events else None
        last = _last(logged) if logged else None
        if last is not None:
            problems.append(Problem(entry.name, _NOTE))
        yield witness(
            NAME,
            Told(),
            [entry.name],
            folder=entry.parent,
            trainer="lightning.Trainer",
            settings=settings,
            problems=problems,
            step=None if last is None else last + 1,
            epoch=_epochs_done(logged, last) if logged else None,
            ended="unknown" if has_events else "no-metrics",
            precision=1,
        )


READER = Reader(NAME, _detect, _read, LAYOUT.title, FILES)
