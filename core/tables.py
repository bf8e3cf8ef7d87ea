"""Values as tables: what was measured on training pairs beside what was measured on held-out ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dpo_report.core import numbers
from dpo_report.core.model import Value

NOTHING = "—"
"""Stands for what was not measured."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One printed number."""

    before: str
    """What stands invisibly before it, so that the decimal points of a column stand in line."""
    text: str
    """The number."""
    after: str
    """What stands invisibly after it."""
    power: str
    """A power of ten that stands after it without taking part in the alignment, or empty."""
    interval: str
    """``[0.54, 0.66]`` or empty."""
    mark: str
    """Letter of the note that goes with it, or empty."""
    value: Value | None = None
    """What is printed; None where nothing was measured."""


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity, over the columns of its table."""

    label: str
    """What it is, without the word for the split."""
    unit: str
    """Empty for pure numbers."""
    cells: tuple[Cell, ...]
    """By column."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of values."""

    heads: tuple[str, ...]
    """Of its columns of numbers: ``Training``, ``Held-out``; one empty word for values of the run as a whole."""
    lines: tuple[Line, ...]
    """Its rows."""
    notes: tuple[tuple[str, str], ...]
    """Letters and what a reader must know beside the numbers that carry them."""

    @property
    def powers(self) -> tuple[bool, ...]:
        """For each column, whether any of its numbers has a power of ten."""
        return tuple(any(line.cells[i].power for line in self.lines) for i in range(len(self.heads)))

    @property
    def intervals(self) -> tuple[bool, ...]:
        """For each column, whether any of its numbers has an interval."""
        return tuple(any(line.cells[i].interval for line in self.lines) for i in range(len(self.heads)))


def grid(values: Iterable[Value], *, split: bool) -> Grid:
    """The table of the values that belong to a split, or of those that belong to none."""
    wanted = [value for value in values if bool(_parts(value.name)[1]) == split]
    splits = dict.fromkeys(_parts(value.name)[1] for value in wanted)
    columns = sorted(splits, key=lambda name: not name.startswith("train"))
    rows: dict[str, dict[str, Value]] = {}
    for value in wanted:
        stem, column = _parts(value.name)
        rows.setdefault(stem, {})[column] = value
    marks = _marks(found[name] for found in rows.values() for name in columns if name in found)
    cells = [_column([found.get(column) for found in rows.values()], marks) for column in columns]
    return Grid(
        tuple(map(title, columns)),
        tuple(
            _line(list(found.values()), tuple(column[index] for column in cells), split=split)
            for index, found in enumerate(rows.values())
        ),
        tuple((mark, note) for note, mark in marks.items()),
    )


def title(split: str) -> str:
    """A split as the head of a column.

    >>> title("train"), title("eval"), title("eval.knowledge_graph"), title("")
    ('Training', 'Held-out', 'Held-out: knowledge graph', '')
    """
    kind, _, name = split.partition(".")
    word = {"train": "Training", "eval": "Held-out", "test": "Test", "once": "Reported"}.get(kind, kind)
    return f"{word}: {name.replace('_', ' ')}" if name else word


def _column(values: Sequence[Value | None], marks: dict[str, str]) -> list[Cell]:
    texts = [NOTHING if value is None else numbers.display(value, table=True, unit=False) for value in values]
    halves = [text.partition(" × 10") for text in texts]
    aligned = numbers.decimals_aligned("0" if first == NOTHING else first for first, _, _ in halves)
    return [
        Cell(
            before,
            first,
            after,
            times + power,
            numbers.display_interval(value, table=True) if value else "",
            marks[value.note] if value and value.note else "",
            value,
        )
        for value, (first, times, power), (before, after) in zip(values, halves, aligned, strict=True)
    ]


def _marks(values: Iterable[Value]) -> dict[str, str]:
    """A letter for every distinct note, in order: a to z, then aa, ab, ..."""
    notes = list(dict.fromkeys(value.note for value in values if value.note))
    return {note: (chr(96 + i // 26) if i >= 26 else "") + chr(97 + i % 26) for i, note in enumerate(notes)}


def _line(values: Sequence[Value], cells: tuple[Cell, ...], *, split: bool) -> Line:
    """A row. Its label is what those of its values have in common, without the word for the split."""
    labels = [value.label for value in values]
    label, unit = labels[0], values[0].unit
    if split:
        words = [re.sub(r"\b(training|held-out(?: \([^)]*\))?|test) ", "", label, count=1).split() for label in labels]
        common = [first for first, *others in zip(*words, strict=False) if all(word == first for word in others)]
        label = " ".join(common).rstrip(",;") or label
    return Line(label, "" if unit in re.findall(r"\w+", label) else unit, cells)


def _parts(name: str) -> tuple[str, str]:
    """A value's name without its split, and the split.

    >>> _parts("loss.train.mean"), _parts("margin.eval.kg.last"), _parts("steps.done")
    (('loss.mean', 'train'), ('margin.last', 'eval.kg'), ('steps.done', ''))
    """
    match = re.fullmatch(r"(?P<stem>.+?)\.(?P<split>train|test|eval|once)(?P<name>(?:\.[^.]+)*?)\.(?P<end>[^.]+)", name)
    if match is None:
        return name, ""
    return f"{match['stem']}.{match['end']}", match["split"] + match["name"]
