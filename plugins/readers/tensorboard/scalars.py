"""All scalars of an event file, by tag: equal-shaped events are read in bulk, the others one by one.

The first event of a shape (same length, same tags) is parsed; where its step and its numbers stand, they stand in
every event whose other bytes are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dpo_report.plugins.readers.crc32c import Bytes, Ints, gather
from dpo_report.plugins.readers.points import Points
from dpo_report.plugins.readers.protobuf import Malformed
from dpo_report.plugins.readers.tensorboard.event import Event, parse
from dpo_report.plugins.readers.tfrecords import Piece

Floats = NDArray[np.float64]
LONGEST = 512
"""Longer events are parsed one by one: texts, histograms, images."""
SHAPES = 64
"""Shapes kept for one length of event; a real file has one for each tag of that length."""
MOST_TAGS = 20_000
MOST_TEXTS = 1_000
TEXT_BYTES = 16 << 20


class Shape(NamedTuple):
    """Where the numbers of equal-shaped events stand."""

    words: list[tuple[int, np.uint64, np.uint64]]
    """Index of an eight-byte word, the bits that must agree, and what they must be."""
    event: Event
    step_width: int


Shapes = dict[int, list[Shape]]
"""What was learnt of events, by their length; files of one writer may share it."""


@dataclass(slots=True)
class Curve:
    """The points of one tag in blocks, nearly in the order of the file."""

    steps: list[Ints] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)
    rows: list[Ints] = field(default_factory=list)
    """Rising within each block."""

    def add(self, steps: Ints, values: Floats, rows: Ints) -> None:
        """Add a block."""
        self.steps.append(steps)
        self.values.append(values)
        self.rows.append(rows)

    @property
    def first(self) -> int:
        """The record of its first point."""
        return min(int(rows[0]) for rows in self.rows)

    @property
    def last(self) -> int:
        """The record of its last point."""
        return max(int(rows[-1]) for rows in self.rows)

    def behind(self, row: int) -> int:
        """How many points stand in that record or later ones."""
        return sum(len(rows) - int(np.searchsorted(rows, row)) for rows in self.rows)

    def points(self) -> Points:
        """The points in the order of the file. They are kept as one block, for more may come."""
        if len(self.rows) > 1:
            rows = np.concatenate(self.rows)
            order = slice(None) if np.all(rows[1:] >= rows[:-1]) else np.argsort(rows, kind="stable")
            self.rows = [rows[order]]
            self.steps = [np.concatenate(self.steps)[order]]
            self.values = [np.concatenate(self.values)[order]]
        return Points(self.steps[0].astype(np.float64), self.values[0], self.rows[0])


class Scalars:
    """Collects what the events of one file tell."""

    def __init__(self, shapes: Shapes | None = None) -> None:
        self.curves: dict[str, Curve] = {}
        self.texts: dict[str, tuple[str, int]] = {}
        """First text of each tag, and its record."""
        self.hparams: list[tuple[str, bytes, int]] = []
        """Tag, content and record of the hyper-parameter plugin's records."""
        self.odd: dict[str, tuple[int, int]] = {}
        """What was left out: how often, and the first record."""
        self._shapes: Shapes = {} if shapes is None else shapes
        self._text_bytes = 0

    def add(self, piece: Piece) -> None:
        """Take in the events of one window."""
        if not len(piece.lengths):
            return
        order = np.argsort(piece.lengths, kind="stable")
        lengths, cuts = np.unique(piece.lengths[order], return_index=True)
        for length, index in zip(lengths.tolist(), np.split(order, cuts[1:]), strict=True):
            left = self._in_bulk(piece, length, index) if 8 <= length <= LONGEST else index
            for one in left.tolist():
                event = self._parsed(piece, one)
                if event is not None:
                    self._collect(event, int(piece.rows[one]))

    def points(self) -> dict[str, Points]:
        """The points of each tag in the order of the file, record numbers as rows; tags as they came."""
        found = {tag: curve.points() for tag, curve in self.curves.items()}
        return dict(sorted(found.items(), key=lambda item: int(item[1].rows[0])))

    def _in_bulk(self, piece: Piece, length: int, index: Ints) -> Ints:
        """Read what has a known shape, or one that can be learnt; give the rest."""
        known = self._shapes.setdefault(length, [])
        starts = piece.starts[index]
        rows = gather(piece.data, starts, -(-length // 8) * 8)
        words = rows.view("<u8")
        left = np.arange(len(index))
        for shape in known:
            left = self._take(shape, rows, words, left, piece.rows[index])
        others = 0
        while len(left) and len(known) < SHAPES and others < SHAPES:
            first = int(left[0])
            event = self._parsed(piece, int(index[first]))
            new = _shape(event, length, rows[first]) if event is not None else None
            if new is not None:
                known.append(new)
                left = self._take(new, rows, words, left, piece.rows[index])
                continue
            if event is not None:
                self._collect(event, int(piece.rows[index[first]]))
            others += 1
            left = left[1:]
        return index[left]

    def _take(self, shape: Shape, rows: Bytes, words: NDArray[np.uint64], left: Ints, numbers: Ints) -> Ints:
        """Collect the events of one shape; give the indices of the others."""
        if not len(left):
            return left
        differ: NDArray[np.uint64] = np.zeros(len(left), np.uint64)
        for place, mask, wanted in shape.words:
            differ |= (words[left, place] & mask) ^ wanted
        same = differ == 0
        mine = left[same]
        if len(mine):
            steps = _steps(rows, mine, shape)
            for scalar in shape.event.scalars:
                size = np.dtype(scalar.kind).itemsize
                raw = np.ascontiguousarray(rows[mine, scalar.place : scalar.place + size])
                self._points(scalar.tag, steps, raw.view(scalar.kind).ravel().astype(np.float64), numbers[mine])
        others: Ints = left[~same]
        return others

    def _collect(self, event: Event, row: int) -> None:
        for scalar in event.scalars:
            self._points(scalar.tag, np.array([event.step]), np.array([scalar.value]), np.array([row]))
        for tag, words in event.texts:
            self._text_bytes += len(words)
            if len(self.texts) < MOST_TEXTS and self._text_bytes < TEXT_BYTES:
                self.texts.setdefault(tag, (words, row))
        if len(self.hparams) < MOST_TEXTS:
            self.hparams += [(tag, content, row) for tag, content in event.hparams]

    def _parsed(self, piece: Piece, index: int) -> Event | None:
        start, length = int(piece.starts[index]), int(piece.lengths[index])
        try:
            return parse(piece.data[start : start + length].tobytes())
        except Malformed as error:
            self._left_out(f"is no event ({error})", int(piece.rows[index]))
            return None

    def _points(self, tag: str, steps: Ints, values: Floats, rows: Ints) -> None:
        curve = self.curves.get(tag)
        if curve is None:
            if len(self.curves) >= MOST_TAGS:
                self._left_out(f"belongs to yet another tag (more than {MOST_TAGS:,})", int(rows[0]))
                return
            curve = self.curves[tag] = Curve()
        curve.add(steps, values, rows)

    def _left_out(self, kind: str, row: int) -> None:
        times, first = self.odd.get(kind, (0, row))
        self.odd[kind] = (times + 1, first)


def _shape(event: Event, length: int, row: Bytes) -> Shape | None:
    """What must be the same in an event of this shape; None where the event has something else than plain scalars."""
    if not event.scalars or event.texts or event.hparams or any(not scalar.kind for scalar in event.scalars):
        return None
    mask = np.full(len(row), 0xFF, np.uint8)
    mask[length:] = 0
    if event.wall_at >= 0:
        mask[event.wall_at : event.wall_at + 8] = 0
    width = 0
    if event.step_at >= 0:
        width = 1 + int(np.argmax(row[event.step_at : event.step_at + 10] < 0x80))
        mask[event.step_at : event.step_at + width] = 0x80
    for scalar in event.scalars:
        mask[scalar.place : scalar.place + np.dtype(scalar.kind).itemsize] = 0
    masks = mask.view("<u8")
    wanted = (row & mask).view("<u8")
    return Shape([(i, m, w) for i, (m, w) in enumerate(zip(masks, wanted, strict=True)) if m], event, width)


def _steps(rows: Bytes, mine: Ints, shape: Shape) -> Ints:
    """The steps of equal-shaped events, from varints of one width."""
    steps = np.zeros(len(mine), np.uint64)
    for place in range(shape.step_width):
        byte = rows[mine, shape.event.step_at + place].astype(np.uint64)
        steps |= (byte & np.uint64(0x7F)) << np.uint64(7 * place)
    return steps.view(np.int64)
