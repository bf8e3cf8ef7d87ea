"""The runs that one log of rows tells of, taken in row by row, in one go or while it grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpo_report.core.folder import Entry
from dpo_report.core.model import Problem, Source
from dpo_report.plugins.readers.collect import Log
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.tabular import Row, RowReader
from dpo_report.plugins.readers.tail import Tail

if TYPE_CHECKING:
    from dpo_report.plugins.readers.layout import Layout

PARTS = 100
"""Runs in one log, at most."""


@dataclass(slots=True)
class Parts:
    """The runs that one log tells of, row by row."""

    layout: Layout
    entry: Entry
    logs: list[tuple[Log, dict[str, Any]]] = field(default_factory=lambda: [(Log(), {})])
    """The points of each run, and the last cell of each of its columns."""
    stepless: int = 0
    """The first line without a step, or 0."""
    _first: float | None = None
    _previous: float | None = None
    _sources: dict[str, Source] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Take in the next row."""
        step = self.layout.step(row.cells)
        if step is None:
            self.stepless = self.stepless or row.line
            return
        first, previous = self._first, self._previous
        restart = first is not None and previous is not None and step <= first < previous
        if (restart or (row.fresh and first is not None and step <= first)) and len(self.logs) < PARTS:
            self.logs.append((Log(), {}))
            first = None
        self._first = step if first is None else first
        self._previous = step
        log, last = self.logs[-1]
        last.update(row.cells)
        for key, cell in self.layout.cells(row.cells).items():
            value = number(cell)
            if value is not None:
                source = self._sources.get(key)
                if source is None:
                    source = self._sources[key] = self.layout.source(self.entry, key)
                log.add(key, step, value, row.line, source)


@dataclass(slots=True)
class Following:
    """A log that grows."""

    parts: Parts
    tail: Tail = field(default_factory=Tail)
    problems: list[Problem] = field(default_factory=list)
    """What is wrong with its rows so far."""
    sound: bool = True
    _rows: Iterator[Row] | None = None

    @property
    def offset(self) -> int:
        """Where the next line begins."""
        return self.tail.offset

    def go_on(self, path: Path) -> None:
        """Take in the whole lines that were added."""
        if self._rows is None:
            reader = self.parts.layout.rows
            assert isinstance(reader, RowReader)
            self._rows = reader.over(self.tail.lines(path), self.parts.entry.path, self.problems)
        self.problems.clear()
        for row in self._rows:
            if not row.line:
                return
            self.parts.add(row)
