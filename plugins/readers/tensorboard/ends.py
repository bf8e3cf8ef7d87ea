"""The beginnings and the ends of many event files, taken in together: arrays are fast on many records, not on few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dpo_report.core.folder import Entry, Folder
from dpo_report.plugins.readers.crc32c import Ints
from dpo_report.plugins.readers.tensorboard.event import Event
from dpo_report.plugins.readers.tensorboard.scalars import Floats, Scalars, Shapes
from dpo_report.plugins.readers.tfrecords import OVERHEAD, anywhere

ENDS = 4 << 10, 16 << 10, 64 << 10
"""Bytes of a file's beginning and of its end that suffice for a list, with the arguments and a row of every curve in
both; more where the fewer do not, and else the file is read whole."""
FEWEST = 3
"""Points of a curve in a file's end that tell how many steps lie between two."""
TOGETHER = 2 << 20
"""Bytes that are taken in at once."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A file's two ends, or all of a small file."""

    entry: Entry
    ends: tuple[bytes, ...]

    @property
    def size(self) -> int:
        return sum(map(len, self.ends))


def briefly(folder: Folder, entries: Iterable[Entry]) -> dict[str, Scalars]:
    """What the ends of files tell, by path; without those that are damaged or whose ends do not suffice."""
    found: dict[str, Scalars] = {}
    shapes: Shapes = {}
    left = list(entries)
    for length in ENDS:
        for parts in _batches(folder, left, length):
            found |= _taken(parts, shapes)
        left = [entry for entry in left if entry.path not in found]
    return found


def _batches(folder: Folder, entries: Iterable[Entry], length: int) -> Iterator[list[_Part]]:
    parts: list[_Part] = []
    for entry in entries:
        try:
            with folder.stream(entry) as stream:
                if entry.size <= 2 * length:
                    ends: tuple[bytes, ...] = (stream.read(entry.size),)
                else:
                    ends = (stream.read(length), stream.read(length) if stream.seek(entry.size - length) else b"")
        except OSError:
            continue  # told where the file is read by itself
        parts.append(_Part(entry, ends))
        if sum(part.size for part in parts) >= TOGETHER:
            yield parts
            parts = []
    if parts:
        yield parts


def _taken(parts: Sequence[_Part], shapes: Shapes) -> dict[str, Scalars]:
    """What each of the files tells, where its ends suffice."""
    ends = [end for part in parts for end in part.ends]
    edges = np.cumsum([0, *map(len, ends)])
    piece = anywhere(b"".join(ends), edges)
    begins = np.cumsum([0, *(part.size for part in parts)])
    files = np.searchsorted(piece.starts, begins).tolist()
    behind = np.searchsorted(piece.starts, begins[:-1] + [len(part.ends[0]) for part in parts]).tolist()
    many = _Apart(shapes, files)
    many.add(piece)
    found = {}
    for part, scalars, first, end, after in zip(parts, many.files, files, files[1:], behind, strict=False):
        if len(part.ends) == 1:
            enough = first < end and int((piece.lengths[first:end] + OVERHEAD).sum()) == part.entry.size
        else:
            curves = scalars.curves.values()
            begun = [curve for curve in curves if curve.first < after]
            enough = all(curve.last >= after for curve in curves) and any(one.behind(after) >= FEWEST for one in begun)
        if enough:
            found[part.entry.path] = scalars
    return found


class _Apart(Scalars):
    """Takes in the records of several files together and gives each file its own."""

    def __init__(self, shapes: Shapes, edges: Sequence[int]) -> None:
        """``edges`` are the first record of each file and the end of the last one, rising."""
        super().__init__(shapes)
        self.files = [Scalars(shapes) for _ in edges[1:]]
        self._edges = np.array(edges)

    def _points(self, tag: str, steps: Ints, values: Floats, rows: Ints) -> None:
        cuts = np.searchsorted(rows, self._edges)
        for file in np.flatnonzero(cuts[1:] > cuts[:-1]).tolist():
            mine = slice(int(cuts[file]), int(cuts[file + 1]))
            self.files[file]._points(tag, steps[mine], values[mine], rows[mine])

    def _collect(self, event: Event, row: int) -> None:
        self.files[self._owner(row)]._collect(event, row)

    def _left_out(self, kind: str, row: int) -> None:
        self.files[self._owner(row)]._left_out(kind, row)

    def _owner(self, row: int) -> int:
        return int(np.searchsorted(self._edges, row, side="right")) - 1
