"""From rows to series: which key belongs to which split, which row is the closing summary, what stands twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dpo_report.core.model import Series, Source
from dpo_report.plugins.readers.hf.history import History, Shape
from dpo_report.plugins.readers.repeated import Repeated

TIMING = frozenset(
    {"runtime", "samples_per_second", "steps_per_second", "model_preparation_time", "jit_compilation_time"}
)
"""What every evaluation measures anew, so that two equal evaluations still differ in it."""
CHANGING = TIMING | {"num_tokens", "num_input_tokens_seen"}
"""What differs between two equal evaluations: times, and counts that go on."""
NO_STEP = "rows without a step"
_PLAIN = frozenset({"eval_loss", "eval_runtime"})
_TEST = ("test_", "predict_")

Place = tuple[str, str]
"""Name and split of a series."""


@dataclass(frozen=True, slots=True)
class Column:
    """One logged quantity: steps (rising), values and row numbers, each of shape (n,)."""

    steps: NDArray[np.float64]
    values: NDArray[np.float64]
    rows: NDArray[np.int64]
    prefix: str
    """What stands before the name in the trainer's key: ``eval_``."""


@dataclass(slots=True)
class Table:
    """A history in columns."""

    columns: dict[Place, Column] = field(default_factory=dict)
    """By name and split."""
    summary: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Values of the closing summary row and its number, by key."""
    problems: list[str] = field(default_factory=list)
    """What was left out or contradicts itself, one line for each kind."""

    def series(self, file: str) -> list[Series]:
        """The columns as series of a file."""
        return [
            Series(name, split, c.steps, c.values, (Source(file, f"log_history[{{row}}].{c.prefix}{name}"),), c.rows)
            for (name, split), c in self.columns.items()
        ]


def tabulate(history: History) -> Table:
    """Sort a history's numbers into columns and a summary."""
    table = Table()
    shapes = list(history.shapes.values())
    closing = _summary_shapes(shapes)
    _take_summary(table, [shapes[i] for i in closing])
    parts: dict[Place, list[Column]] = {}
    rising: dict[int, NDArray[np.float64]] = {}  # steps in order, which all columns of a shape share
    names = eval_names(key for shape in shapes for key in shape.keys)
    for shape in (shape for i, shape in enumerate(shapes) if i not in closing):
        index = shape.index()
        if "step" not in shape.keys:
            times, first = history.oddities.get(NO_STEP, (0, int(index[0])))
            history.oddities[NO_STEP] = (times + len(index), min(first, int(index[0])))
            continue
        steps = shape.column("step")
        good = np.isfinite(steps)
        whole = bool(good.all())
        if not whole:
            history.odd(NO_STEP, int(index[~good][0]))
        if whole and bool((steps[1:] > steps[:-1]).all()):
            rising[id(steps)] = steps
        for key, (place, prefix) in places(shape.keys, names).items():
            column = Column(steps, shape.column(key), index, prefix)
            if not whole:
                column = Column(steps[good], column.values[good], index[good], prefix)
            parts.setdefault(place, []).append(column)
    twice = Repeated(CHANGING | {"epoch"})
    for place in sorted(parts, key=lambda p: (p[1] != "train", p[1], p[0])):
        own = parts[place]
        in_order = len(own) == 1 and id(own[0].steps) in rising
        table.columns[place] = own[0] if in_order else _joined(place, own, twice)
    table.problems += twice.sentences({place: (one.steps, one.values) for place, one in table.columns.items()})
    for kind, (times, first) in history.oddities.items():
        table.problems.append(f"log_history: {kind} ({times:,} ×, first in row {first}), left out")
    return table


def _summary_shapes(shapes: list[Shape]) -> set[int]:
    """Shapes of closing summaries: with ``train_runtime``, or the only row with ``train_loss`` and no ``loss``."""
    closing = {i for i, shape in enumerate(shapes) if "train_runtime" in shape.keys}
    if not closing:
        loose = [i for i, shape in enumerate(shapes) if "train_loss" in shape.keys and "loss" not in shape.keys]
        if len(loose) == 1 and len(shapes[loose[0]].index()) == 1:
            closing = set(loose)
    return closing


def _take_summary(table: Table, shapes: list[Shape]) -> None:
    if not shapes:
        return
    last = max(shapes, key=lambda shape: int(shape.index()[-1]))
    row = int(last.index()[-1])
    table.summary = {key: (float(last.column(key)[-1]), row) for key in last.keys if key != "step"}
    times = sum(len(shape.index()) for shape in shapes)
    if times > 1:
        table.problems.append(f"log_history holds {times} closing summaries; the last one is used")


def eval_names(keys: Iterable[str]) -> list[str]:
    """Names of evaluation sets, longest first: each logs its own ``eval_NAME_runtime``, or at least a loss."""
    known = {key for key in keys if key.startswith("eval_")}
    for ending in ("_runtime", "_loss"):
        if f"eval{ending}" in known:
            break
        names = {key[5 : -len(ending)] for key in known if key.endswith(ending)}
        if names:
            return sorted(names, key=len, reverse=True)
    named = {key[5:-8] for key in known if key.endswith("_runtime") and len(key) > 13}
    return sorted((name for name in named if f"eval_{name}_loss" in known), key=len, reverse=True)


def places(keys: tuple[str, ...], names: list[str]) -> dict[str, tuple[Place, str]]:
    """Where each key of a row belongs, and the prefix that it loses.

    A trainer's own metrics may lack the name of the evaluation set (TRL logs ``eval_near_loss`` beside
    ``eval_rewards/margins``); they belong to the set that the rest of their row names.
    """
    evals = [key for key in keys if key.startswith("eval_")]
    tests = [key for key in keys if key.startswith(_TEST)]
    others = [key for key in keys if key != "step" and key not in set(evals) | set(tests)]
    places: dict[str, tuple[Place, str]] = {}
    splits = set()
    named = {key: name for key in evals if (name := _named(key, names)) is not None}
    only = next(iter(named.values())) if len(set(named.values())) == 1 and not _PLAIN & set(evals) else None
    for key in evals:
        name = named.get(key, only)
        split = "eval" if name is None else f"eval:{name}"
        prefix = f"eval_{name}_" if key in named else "eval_"
        places[key] = ((key[len(prefix) :], split), prefix)
        splits.add(split)
    for key in tests:
        prefix = key[: key.index("_") + 1]
        places[key] = ((key[len(prefix) :], "test"), prefix)
        splits.add("test")
    home = "train" if not splits or "loss" in keys else min(splits, key=len)
    for key in others:
        places[key] = ((key, home), "")
    return {key: found for key, found in places.items() if found[0][0]}


def _named(key: str, names: list[str]) -> str | None:
    """The evaluation set that a key names."""
    return next((name for name in names if key.startswith(f"eval_{name}_") and len(key) > len(name) + 6), None)


def _joined(place: Place, columns: list[Column], twice: Repeated) -> Column:
    """Columns of one series from rows of different shapes, by step; of equal steps one is kept."""
    first = columns[0]
    steps, values, rows = first.steps, first.values, first.rows
    if len(columns) > 1:
        steps = np.concatenate([c.steps for c in columns])
        values = np.concatenate([c.values for c in columns])
        rows = np.concatenate([c.rows for c in columns])
    order = np.lexsort((rows, steps))
    steps, values, rows = steps[order], values[order], rows[order]
    if np.any(steps[1:] == steps[:-1]):
        kept = twice.kept(*place, steps, values)
        steps, values, rows = steps[kept], values[kept], rows[kept]
    return Column(steps, values, rows, first.prefix)
