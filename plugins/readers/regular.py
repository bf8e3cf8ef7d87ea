"""Tables that are regular throughout, taken in by columns: several times as fast as row by row.

Regular is a file of whole lines of one encoding in which every line is a row: of CSV with commas as many plain cells as
the header has, of JSON lines one object. Anything else is left to the readers of rows, which tell what is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dpo_report.plugins.readers.cells import CELLS, cells_of, is_header, separator
from dpo_report.plugins.readers.hf.state import is_pointer
from dpo_report.plugins.readers.numbers import number

WHOLE = 16 << 20
"""Larger files are read row by row, which needs less memory."""


@dataclass(frozen=True, slots=True)
class Column:
    """The cells of one column, or the numbers in them."""

    rows: Sequence[int]
    """Which rows have one, from 0, rising."""
    cells: Sequence[Any]
    place: int = 0
    """Which of the cells of its first row it is."""


@dataclass(frozen=True, slots=True)
class Table:
    """A regular file."""

    first: int
    """The line of its first row."""
    rows: int
    columns: Mapping[str, Column]

    @property
    def last(self) -> dict[str, Any]:
        """The last cell of each column."""
        return {name: column.cells[-1] for name, column in self.columns.items() if column.cells}


@dataclass(frozen=True, slots=True)
class Points:
    """The points of one quantity in the order of their lines."""

    lines: Sequence[int]
    steps: Sequence[float]
    values: Sequence[float]


def csv_table(data: bytes) -> Table | None:
    """A regular CSV file; None for any other."""
    text = _text(data)
    if text is None or '"' in text or "#" in text:
        return None
    lines = text.split("\n")
    names, *rows = [cells_of(line, ",") or [] for line in lines[:-1]]
    if len(names) > CELLS or separator(lines[0]) != "," or set(map(len, rows)) != {len(names)}:
        return None
    if any(is_header(row, names) for row in rows):
        return None
    columns = enumerate(zip(*rows, strict=True))
    found = {name: Column(range(len(rows)), cells, place) for name, (place, cells) in zip(names, columns, strict=True)}
    found.pop("", None)
    return Table(2, len(rows), found)


def json_table(data: bytes) -> Table | None:
    """A file of JSON lines with an object in each; None for any other."""
    import msgspec

    text = data.replace(b"\r\n", b"\n")
    if not text.startswith(b"{") or not text.endswith(b"}\n"):
        return None
    count = text.count(b"\n")
    if text.count(b"}\n{") != count - 1:  # no JSON goes on so: a value ends at each of these line breaks
        return None
    try:
        rows = msgspec.json.Decoder().decode_lines(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # also NaN and Infinity, which are none of JSON's
    if len(rows) != count or {*map(type, rows)} != {dict}:
        return None
    return Table(1, count, _by_key(rows))


def points(table: Table, steps_in: Sequence[str], left_out: Collection[str]) -> dict[str, Points] | None:
    """The points of each column but those left out; None where one column does not tell the steps of all, or they fall.

    ``steps_in`` are the columns that may tell them, of which only one may be there.
    """
    own = [name for name in steps_in if name in table.columns]
    counted = _numbers(table.columns[own[0]]) if len(own) == 1 else None
    if counted is None or len(counted.cells) != table.rows:
        return None
    steps = counted.cells
    if not math.isfinite(sum(steps)) or steps != sorted(steps):
        return None
    logged = {key: _numbers(column) for key, column in table.columns.items() if key not in left_out}
    order = sorted((column.rows[0], column.place, key) for key, column in logged.items() if len(column.rows))
    found = {}
    for _, _, key in order:
        rows, values = logged[key].rows, logged[key].cells
        at = steps if len(rows) == len(steps) else [steps[row] for row in rows]
        found[key] = Points([row + table.first for row in rows], at, values)
    return found


def _text(data: bytes) -> str | None:
    """Whole lines of UTF-8 without a mark, a bare carriage return or an empty line."""
    if not data.endswith(b"\n") or data.startswith((b"\n", b"\r", b"\xef\xbb\xbf")) or is_pointer(data):
        return None
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\r" in text or "\n\n" in text else text


def _by_key(rows: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """The columns of objects, taken in together where they have the same keys."""
    shapes: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(rows):
        shapes.setdefault(tuple(row), []).append(place)
    parts: dict[str, list[Column]] = {}
    for keys, places in shapes.items():
        columns = zip(*(rows[place].values() for place in places), strict=True)
        for order, (key, cells) in enumerate(zip(keys, columns, strict=True)):
            parts.setdefault(key, []).append(Column(places, cells, order))
    return {key: _joined(own) for key, own in parts.items()}


def _joined(parts: Sequence[Column]) -> Column:
    if len(parts) == 1:
        return parts[0]
    both = sorted((row, place) for place, part in enumerate(parts) for row in part.rows)
    cells = [iter(part.cells) for part in parts]
    return Column([row for row, _ in both], [next(cells[place]) for _, place in both], parts[both[0][1]].place)


def _numbers(column: Column) -> Column:
    """The numbers of a column."""
    kinds = set(map(type, column.cells))
    if kinds == {float}:
        return column
    if kinds == {str}:
        logged = [(row, cell) for row, cell in zip(column.rows, column.cells, strict=True) if cell]
        cells = [cell for _, cell in logged]
        with suppress(ValueError):
            values = list(map(float, cells))
            if "_" not in "".join(cells):  # which Python takes for part of a number
                return Column([row for row, _ in logged], values, column.place)
    found = [
        (row, value) for row, cell in zip(column.rows, column.cells, strict=True) if (value := number(cell)) is not None
    ]
    return Column([row for row, _ in found], [value for _, value in found], column.place)
