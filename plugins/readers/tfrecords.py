"""TFRecord files: checksummed records, found and verified a window at a time.

Each record is its length (8 bytes, little endian), that length's checksum, the data and the data's checksum (see
TensorFlow's ``record_writer.cc``). Since lengths carry a checksum of their own, headers can be recognised anywhere:
all headers of a window are found at once, and reading goes on behind a damaged one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from dpo_report.plugins.readers.crc32c import Bytes, Ints, crc32c_many, masked

WINDOW = 2 << 20
"""Bytes looked at together."""
LARGEST = 16 << 20
"""Larger records (images, graphs) are passed over."""
_HEADER, _FOOTER = 12, 4
OVERHEAD = _HEADER + _FOOTER
"""Bytes of a record beside its data."""
_PAD = 16
"""Zero bytes behind a window, so that whole words may be read up to its end."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole and undamaged records of one window."""

    data: Bytes
    """The window's bytes, with 16 more behind the last record."""
    starts: Ints
    """Where each record's data begin, shape (n,)."""
    lengths: Ints
    """Bytes of each record's data, shape (n,)."""
    rows: Ints
    """Number of each record in the file, from 0, shape (n,)."""


@dataclass(slots=True)
class Records:
    """The records of one file, read in one go or, while it grows, bit by bit."""

    damage: list[str] = field(default_factory=list)
    """What was wrong, in the order of the file, each as a part of a sentence."""
    ending: str = ""
    """What is wrong with the file's end, in the same way: it may be that more is to come."""
    count: int = 0
    """Records passed, damaged ones included."""
    offset: int = 0
    """Where the next record begins in the file."""
    _size: int = 0
    _read: int = 0
    _lost: int = -1
    """Where a stretch without a header begins in the file; -1 outside of one."""

    def pieces(self, stream: BinaryIO, size: int) -> Iterator[Piece]:
        """What stands behind ``offset`` in a file of so many bytes; it may grow meanwhile, that is left for later."""
        self._size, self._read, self.ending = size, self.offset, ""
        stream.seek(self.offset)
        rest = b""
        while True:
            new = stream.read(min(max(WINDOW, len(rest)), size - self._read))
            self._read += len(new)
            data = np.frombuffer(rest + new + bytes(_PAD), np.uint8)
            end = len(data) - _PAD
            used, starts, lengths = self._walk(data, end)
            if len(starts):
                yield self._verified(data, starts, lengths)
            if not new and not used:
                self._finish(end)
                return
            if used > end:
                stream.seek(self.offset + used)
                self._read = self.offset + used
            rest = data[used:end].tobytes()
            self.offset += used

    def _walk(self, data: Bytes, end: int) -> tuple[int, Ints, Ints]:
        """Follow the records from the window's beginning; where the next one begins, and data starts and lengths."""
        headers, lengths = _headers(data, end)
        ends = headers + lengths + (_HEADER + _FOOTER)
        chained = np.append(ends[:-1] == headers[1:], False)[: len(headers)]
        breaks = np.flatnonzero(~chained)
        taken: list[Ints] = [np.zeros(0, np.int64)]
        place, at = 0, 0
        while at < len(headers):
            header = int(headers[at])
            if header != place and self._lost < 0 and (behind := self._skipped(data, place)) > place:
                place = behind
                break
            self._passed(place, header)
            last = int(breaks[np.searchsorted(breaks, at)])
            whole = int(ends[last]) <= end
            taken.append(np.arange(at, last + whole))
            place = int(ends[last] if whole else headers[last])
            if not whole:
                break
            at = int(np.searchsorted(headers, place))
        else:
            place = self._without_header(data, place, end)
        index = np.concatenate(taken)
        return place, headers[index] + _HEADER, lengths[index]

    def _without_header(self, data: Bytes, place: int, end: int) -> int:
        """Where to look on, when no header is found from ``place`` to the window's end."""
        if self._lost < 0:
            if end - place < _HEADER:
                return place
            if (behind := self._skipped(data, place)) > place:
                return behind
            self._lost = self.offset + place
        return max(place, end - _HEADER + 1)

    def _passed(self, place: int, header: int) -> None:
        """Tell of the bytes that lie before a header and belong to no record."""
        lost = self._lost if self._lost >= 0 else self.offset + place
        if (count := self.offset + header - lost) > 0:
            self.damage.append(f"is damaged at byte {lost:,}; {count:,} bytes were passed over")
        self._lost = -1

    def _skipped(self, data: Bytes, place: int) -> int:
        """Behind a record that is too large to be read; ``place`` itself where none begins there."""
        length = int(data[place : place + 8].view("<u8")[0])
        if length <= LARGEST or not _is_header(data, place):
            return place
        if self.offset + place + length + _HEADER + _FOOTER > self._size:
            return place
        self.damage.append(f"holds a record of {length >> 20:,} MiB at byte {self.offset + place:,}, passed over")
        self.count += 1
        return place + length + _HEADER + _FOOTER

    def _verified(self, data: Bytes, starts: Ints, lengths: Ints) -> Piece:
        """The records whose data agree with their checksums."""
        rows = np.arange(self.count, self.count + len(starts))
        self.count += len(starts)
        bad = np.flatnonzero(~_sound(data, starts, lengths))
        for index in bad[:3].tolist():
            where = self.offset + int(starts[index])
            self.damage.append(f"record {rows[index]:,} at byte {where:,} does not match its checksum, left out")
        if len(bad) > 3:
            self.damage.append(f"{len(bad) - 3:,} more records do not match their checksums, left out")
        if len(bad):
            starts, lengths, rows = (np.delete(array, bad) for array in (starts, lengths, rows))
        return Piece(data, starts, lengths, rows)

    def _finish(self, end: int) -> None:
        if self._lost >= 0:
            self.damage.append(f"is damaged from byte {self._lost:,} to its end")
        elif end:
            killed = "a writer that was killed, or still writes"
            self.ending = f"ends in the middle of a record at byte {self.offset:,} ({killed})"


def anywhere(content: bytes, edges: Ints) -> Piece:
    """Undamaged records wherever they begin; none goes over one of ``edges``, which rise from 0 to the end."""
    data = np.frombuffer(content + bytes(_PAD), np.uint8)
    headers, lengths = _headers(data, len(content))
    ends = headers + lengths + OVERHEAD
    inside = ends <= edges[np.searchsorted(edges, headers, side="right")]
    starts, lengths = headers[inside] + _HEADER, lengths[inside]
    good = _sound(data, starts, lengths)
    return Piece(data, starts[good], lengths[good], np.arange(int(good.sum())))


def _sound(data: Bytes, starts: Ints, lengths: Ints) -> NDArray[np.bool_]:
    """Whether the records' data agree with their checksums."""
    agree: NDArray[np.bool_] = masked(crc32c_many(data, starts, lengths)) == _words(data, starts + lengths)
    return agree


def _headers(data: Bytes, end: int) -> tuple[Ints, Ints]:
    """Every place where a length of at most :data:`LARGEST` is followed by its own checksum, and those lengths."""
    if end < _HEADER:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    # The upper four bytes of a length are zero, and few other places have four zero bytes in a row.
    places = _zero_words(data[4 : end - 4])
    lengths = _words(data, places).astype(np.int64)
    places, lengths = places[lengths <= LARGEST], lengths[lengths <= LARGEST]
    right = masked(crc32c_many(data, places, np.full(len(places), 8))) == _words(data, places + 8)
    return places[right], lengths[right]


def _zero_words(data: Bytes) -> Ints:
    """Where four zero bytes follow each other."""
    pairs = data[:-1] | data[1:]
    return np.flatnonzero((pairs[:-2] | pairs[2:]) == 0)


def _is_header(data: Bytes, place: int) -> bool:
    start = np.array([place])
    return bool(masked(crc32c_many(data, start, np.array([8])))[0] == _words(data, start + 8)[0])


def _words(data: Bytes, places: Ints) -> NDArray[np.uint32]:
    """The four bytes at each place as an unsigned number."""
    view: NDArray[np.uint32] = np.ndarray((len(data) - 3,), "<u4", data, 0, (1,))
    return view[places]
