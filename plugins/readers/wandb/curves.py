"""The logged rows of a W&B run against the optimizer's steps, cut where a training begins anew."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np

from dpo_report.core.model import Problem
from dpo_report.plugins.readers.keys import Key, mapping
from dpo_report.plugins.readers.points import Part, Points
from dpo_report.plugins.readers.wandb.store import Row, Store

STEPS = ("train/global_step", "trainer/global_step", "global_step")
"""Keys under which trainers log the optimizer's step, the surest first."""
_COUNTS = re.compile(r"(?:step|iter|iteration|update)s?$", re.IGNORECASE)
_EVALUATED = "eval/global_step"
"""The same in rows of an evaluation that hold nothing else."""
_OWN = "_step"
_LARGEST = float(1 << 53)
_MARK = "train_runtime"

Placed = tuple[Store, float, Row]
"""A row with its file and its step."""
Column = tuple[list[float], list[float], list[int]]
"""Steps, values and record numbers of one key."""


@dataclass(slots=True)
class Curves:
    """What the rows of one or several files tell of one training."""

    parts: list[Part] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    last: int | None = None
    """The last step."""


def curves(stores: Sequence[Store]) -> tuple[list[Curves], dict[str, Key]]:
    """The trainings in the files of one run, the first one first (usually one), and what the keys mean."""
    rows = [(store, row) for store in stores for row in store.rows]
    logged = dict.fromkeys(key for _, row in rows for key in row.values)
    keys = {**mapping(logged)}
    training = {
        k for k, known in keys.items() if known.role == "series" and known.split == "train" and known.name != "epoch"
    }
    axis = next((name for name in STEPS if name in logged), _defined(stores, training) or _OWN)
    if axis in training:
        keys[axis] = Key("step", "train", "x")
    found = [Curves()]
    placed: list[Placed] = []
    first = last = None
    for store, row in rows:
        known = row.values.get(_EVALUATED, last if last is not None else 0.0)
        step = row.values.get(axis, known) if axis != _OWN else float(row.step)
        if not abs(step) < _LARGEST:
            continue
        back = last is not None and step < last
        if back and not training & row.values.keys():
            text = (
                f"record {row.record:,} counts from step {step:g} after step {last:g} (evaluated by itself?), left out"
            )
            found[-1].problems.append(Problem(store.path, text))
            continue
        if back and first is not None and step <= first:
            _finish(found[-1], placed, axis, keys)
            found.append(Curves())
            placed, first = [], None
        elif back:
            text = (
                f"goes back from step {last:g} to {step:g} (a resumed run); what was logged again is taken from there"
            )
            found[-1].problems.append(Problem(store.path, text))
            placed = [one for one in placed if one[1] < step]
        if first is None and training & row.values.keys():
            first = step
        last = step
        placed.append((store, step, row))
    _finish(found[-1], placed, axis, keys)
    return found, keys


def _defined(stores: Sequence[Store], training: Collection[str]) -> str | None:
    """The one metric that, as the script said, counts the steps of every training curve; None where there is none."""
    axes = {name: axis for store in stores for name, axis in store.axes.items()}
    curves = set(training) - set(axes.values())
    found = {axes.get(key) or next((axes[p] for p in axes if "*" in p and fnmatchcase(key, p)), None) for key in curves}
    (only,) = found if len(found) == 1 else (None,)
    return only if only is not None and only in training and _COUNTS.search(only) else None


def _finish(found: Curves, placed: Sequence[Placed], axis: str, keys: Mapping[str, Key]) -> None:
    """Turn rows into columns, file by file; the closing row stays apart."""
    if not placed:
        return
    found.last = int(max(step for _, step, _ in placed))
    if axis == _OWN:
        text = "the steps are W&B's own count of logged rows, unless the script passed its steps"
        found.problems.append(Problem(placed[0][0].path, text))
    closing = _closing(placed, keys)
    by_file: dict[str, dict[str, Column]] = {}
    for store, step, row in placed:
        columns = by_file.setdefault(store.path, {})
        if row is not closing:
            _add(columns, step, row)
    for path, columns in by_file.items():
        last: dict[str, Column] = {}
        if closing is not None and path == placed[-1][0].path:
            _add(last, float(found.last), closing)
        found.parts.append(Part(path, _arrays(columns), "record {{row}}, {}".format, _arrays(last)))


def _closing(placed: Sequence[Placed], keys: Mapping[str, Key]) -> Row | None:
    """The row of the Trainer's closing summary: the last one with an epoch and without a loss or held-out values.

    Later releases leave ``train_runtime`` itself to W&B's summary; the epoch and means over the run are in the row.
    """
    store = placed[-1][0]
    for _, _, row in reversed(placed):
        known = [keys[key] for key in row.values]
        if any(one.name == _MARK and one.role == "summary" for one in known):
            return row
        if any(one.role == "series" and (one.split != "train" or one.name == "loss") for one in known):
            continue
        if _MARK in store.summary and any(one.name == "epoch" for one in known):
            return row
    return None


def _add(columns: dict[str, Column], step: float, row: Row) -> None:
    for key, value in row.values.items():
        column = columns.get(key)
        if column is None:
            columns[key] = column = ([], [], [])
        column[0].append(step)
        column[1].append(value)
        column[2].append(row.record)


def _arrays(columns: Mapping[str, Column]) -> dict[str, Points]:
    return {k: Points(np.array(s), np.array(v), np.array(r, np.int64)) for k, (s, v, r) in columns.items()}
