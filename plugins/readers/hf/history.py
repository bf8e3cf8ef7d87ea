"""The rows of ``log_history`` as columns of numbers, collected piece by piece."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_SHAPES = 4096
"""Different sets of keys that are kept; a real log has a dozen."""
PENDING = 4096
_NUMBERS = frozenset({int, float})
_KINDS = {
    str: "texts in place of numbers",
    type(None): "values that are null",
    bool: "true or false in place of numbers",
}


@dataclass(slots=True)
class Shape:
    """Rows that have the same keys in the same order."""

    keys: tuple[str, ...]
    rows: list[NDArray[np.int64]] = field(default_factory=list)
    """Blocks of row numbers."""
    blocks: list[NDArray[np.float64]] = field(default_factory=list)
    """Blocks of values, shape (rows, keys)."""

    def index(self) -> NDArray[np.int64]:
        """Row numbers, shape (n,)."""
        return np.concatenate(self.rows)

    def column(self, key: str) -> NDArray[np.float64]:
        """Values of one key, shape (n,)."""
        place = self.keys.index(key)
        return np.concatenate([block[:, place] for block in self.blocks])


class History:
    """Collects rows. What is no number stays out and is counted, by kind, with the first row that had it."""

    def __init__(self) -> None:
        self.count = 0
        """Rows seen, broken ones included."""
        self.shapes: dict[tuple[str, ...], Shape] = {}
        self.oddities: dict[str, tuple[int, int]] = {}
        """Kind of what was left out: how often, and the first row."""
        self._pending: list[tuple[int, Mapping[str, float]]] = []

    def add_numbers(self, rows: list[dict[str, float]]) -> None:
        """Rows that hold nothing but numbers."""
        self._flush()
        self._collect(range(self.count, self.count + len(rows)), rows)
        self.count += len(rows)

    def add(self, row: Any) -> None:
        """A row that may hold anything."""
        number, self.count = self.count, self.count + 1
        if not isinstance(row, dict):
            self.odd("rows that are no objects", number)
            return
        try:
            plain = _NUMBERS.issuperset(map(type, row.values()))
            found = dict(zip(row, map(float, row.values()), strict=True)) if plain else self._numbers(row, number)
        except OverflowError:
            found = self._numbers(row, number)
        self._pending.append((number, found))
        if len(self._pending) >= PENDING:
            self._flush()

    def _numbers(self, row: dict[str, Any], number: int) -> dict[str, float]:
        return {key: x for key, value in row.items() if (x := self._number(value, number)) is not None}

    def odd(self, kind: str, row: int) -> None:
        """Count something that was left out."""
        times, first = self.oddities.get(kind, (0, row))
        self.oddities[kind] = (times + 1, first)

    def done(self) -> History:
        """The history itself, once nothing more comes."""
        self._flush()
        return self

    def _number(self, value: Any, row: int) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.odd(_KINDS.get(type(value), "lists or objects in place of numbers"), row)
            return None
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf

    def _flush(self) -> None:
        if self._pending:
            numbers, rows = zip(*self._pending, strict=True)
            self._pending = []
            self._collect(numbers, rows)

    def _collect(self, numbers: Any, rows: Any) -> None:
        groups: dict[tuple[str, ...], tuple[list[int], list[Mapping[str, float]]]] = {}
        for number, row in zip(numbers, rows, strict=True):
            group = groups.get(keys := tuple(row))
            if group is None:
                groups[keys] = group = ([], [])
            group[0].append(number)
            group[1].append(row)
        for keys, (index, members) in groups.items():
            if not keys:
                continue
            shape = self.shapes.get(keys)
            if shape is None:
                if len(self.shapes) >= MAX_SHAPES:
                    for number in index:
                        self.odd("rows with ever more different keys", number)
                    continue
                shape = self.shapes[keys] = Shape(keys)
            flat = chain.from_iterable(row.values() for row in members)
            block = np.fromiter(flat, np.float64, len(members) * len(keys))
            shape.blocks.append(block.reshape(len(members), len(keys)))
            shape.rows.append(np.array(index, dtype=np.int64))
