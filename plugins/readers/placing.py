"""What counts the rows of a log that no reader knows, and which rows belong together.

Nothing is guessed beyond names: which column counts, which one names the data or the run that a row is of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice, pairwise
from typing import Any

from dpo_report.plugins.readers.keys import split_of, tells_split
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.printedlines import COUNTERS, COUNTS, EPOCHS, SHARE
from dpo_report.plugins.readers.tabular import Row
from dpo_report.plugins.readers.textlogs import STEP

AXIS = "\x00axis"
"""The cell that names what counts a row."""
_HOLDERS = frozenset({"metrics", "data", "values", "scalars", "scores", "logs", "log"})
"""Names of objects that hold the logged values and mean nothing themselves."""
_DATA = frozenset({"mode", "phase", "split", "stage", "set", "subset", "dataset", "partition", "type", "kind", "event"})
"""Columns that may name the data of their row."""
_NAMES = ("metric", "metric_name", "name", "key", "tag", "variable")
"""Columns that may name the quantity whose number stands under ``value``."""
_RUNS = frozenset({"seed", "run", "trial", "fold", "run_id", "trial_id"})
"""Columns of numbers that name the run of their row."""
_MOST = 100
"""Runs in one table, at most."""
_FIRST = 4096
"""Rows that decide which column counts."""


def placed(rows: Iterator[Row], told: list[str]) -> Iterator[Row]:
    """Rows with their step and what counts it; ``told`` gets what was assumed, once they have all been given."""
    first = list(islice(rows, _FIRST))
    axis = _axis(first)
    if axis is None:
        return
    if len(first) < _FIRST:
        first = _by_run(first, axis)
    place, counted = _within_epochs(first, axis) or (None, f"`{axis}` counts its rows")
    for number_of, row in enumerate(chain(first, rows), 1):
        counts = _counts(row)
        step = place(number_of, row) if place else counts.get(axis)
        if step is not None or COUNTS not in row.cells:
            table = COUNTS not in row.cells and AXIS not in row.cells
            own = counts if table else flat({k: v for k, v in row.cells.items() if k not in (COUNTS, SHARE)})
            cells = _of_its_data(dict(own))
            if COUNTS in row.cells and "epoch" in counts and axis != "epoch":
                cells["epoch"] = counts["epoch"]
            yield Row(row.line, {**cells, STEP: step, AXIS: "" if place else axis}, row.fresh)
    told.append(f"it is assumed that {counted} and that the other numbers are logged values")


def _by_run(rows: list[Row], axis: str) -> list[Row]:
    """The rows run by run, where a column of words, or one of seeds, names several runs whose rows alternate."""
    cells = [_counts(row) for row in rows if COUNTS not in row.cells and AXIS not in row.cells]
    steps = [number(one.get(axis)) for one in cells]
    if len(cells) < len(rows) or not any(one is not None and one == later for one, later in pairwise(steps)):
        return rows
    for name in cells[0]:
        words = all(isinstance(one.get(name), str) and number(one[name]) is None for one in cells)
        if (not words and name.lower() not in _RUNS) or name.lower() in _DATA or name in _NAMES:
            continue
        runs: dict[str, list[int]] = {}
        for place, one in enumerate(cells):
            runs.setdefault(str(one.get(name)), []).append(place)
        if 1 < len(runs) <= _MOST and all(_rise([steps[place] for place in places]) for places in runs.values()):
            return [rows[place] for places in runs.values() for place in places]
    return rows


def _rise(steps: list[float | None]) -> bool:
    return len(steps) > 1 and all(
        one is not None and later is not None and one < later for one, later in pairwise(steps)
    )


def _within_epochs(rows: list[Row], axis: str) -> tuple[Callable[[int, Row], float | None], str] | None:
    """How to place rows whose counter begins anew in every epoch, and what that assumes; None where it does not."""
    told = [
        (number(counts.get("epoch")), number(counts.get(axis)), SHARE in row.cells)
        for row in rows
        for counts in [_counts(row)]
    ]
    known = [(epoch, count, shared) for epoch, count, shared in told if epoch is not None and count is not None]
    anew = any(later[0] > one[0] and later[1] <= one[1] for one, later in pairwise(known)) and axis not in EPOCHS
    several = axis in EPOCHS and any(one[:2] == later[:2] for one, later in pairwise(known))
    shared = any(shared for *_, shared in known)
    if not (anew or (several and shared)):
        return None
    if not shared:
        said = f"`{axis}` counts anew in every epoch, so that the points are placed by their rows,"
        return lambda place, _row: float(place), said
    base = min(1.0, min(epoch for epoch, *_ in known))

    def share(_place: int, row: Row) -> float | None:
        epoch = number(_counts(row).get("epoch"))
        return None if epoch is None else epoch - base + row.cells.get(SHARE, 1.0)

    return share, "every epoch counts anew, so that the points are placed by the epochs that were done,"


def _axis(rows: list[Row]) -> str | None:
    """The counter that most rows have; of several the one that is surest to count steps."""
    had: dict[str, int] = {}
    for row in rows:
        counts = _counts(row)
        names = list(counts) if COUNTS in row.cells or AXIS in row.cells else filter(None, [counter(counts)])
        for name in names:
            had[name] = had.get(name, 0) + 1
    best = [name for name in had if had[name] == max(had.values())]
    return counter(best) or next(iter(best), None)


def _counts(row: Row) -> Mapping[str, Any]:
    """What counts in a row, by name; of tables the cells themselves."""
    if COUNTS in row.cells:
        counts: Mapping[str, Any] = row.cells[COUNTS]
        return counts
    return dict(flat(row.cells)) if AXIS not in row.cells else {row.cells[AXIS]: row.cells[STEP]}


def _of_its_data(cells: dict[str, Any]) -> dict[str, Any]:
    """The cells of a row, under keys that tell the data where another cell does: ``phase`` is ``val``."""
    quantity = next((cells[key] for key in _NAMES if isinstance(cells.get(key), str)), "") if "value" in cells else ""
    if quantity:
        cells = {quantity: cells["value"], **{key: cells[key] for key in cells if key.lower() in (*COUNTERS, *_DATA)}}
    words = (cells[key] for key in cells if key.lower() in _DATA and isinstance(cells[key], str))
    split = next(filter(None, map(split_of, words)), "train")
    if split == "train":
        return cells
    return {key if counter([key]) or tells_split(key) else f"{split}/{key}": cell for key, cell in cells.items()}


def counter(names: Mapping[str, Any] | list[str]) -> str | None:
    """The column that counts: the one that is surest to be an optimizer step."""
    plain = {
        re.sub(r"^(?:train|trainer|training)[/_.]", "", name.lower().strip()): name for name in reversed(list(names))
    }
    plain |= {name.lower().strip(): name for name in reversed(list(names))}
    return next((plain[name] for name in COUNTERS if name in plain), None)


def flat(cells: Mapping[str, Any], prefix: str = "", depth: int = 3) -> Iterator[tuple[str, Any]]:
    for key, value in cells.items():
        if isinstance(value, Mapping):
            if depth:
                yield from flat(value, prefix if key in _HOLDERS else f"{prefix}{key}/", depth - 1)
        elif not isinstance(value, list):
            yield f"{prefix}{key}", value
