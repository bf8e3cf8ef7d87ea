"""LevelDB's log format as trackers write it: a header of seven bytes, then records in blocks of 32 KiB.

A record is one or several fragments, each with a CRC-32, a length and a kind (LevelDB's ``doc/log_format.md``; the
trackers take zlib's CRC-32 in place of CRC-32C). Fragments never cross a block, so reading goes on at the next block
behind a damaged one.
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, TypeVar

T = TypeVar("T")
HEADER = 7
"""Bytes of the file's own header."""
_BLOCK = 32768
_FRAGMENT = struct.Struct("<IHB")
_WHOLE, _FIRST, _LAST = 1, 2, 4
_SEED = [zlib.crc32(bytes([kind])) for kind in range(5)]
LARGEST = 32 << 20
"""Larger records are left out."""
_TOLD = 3
FIRST, LAST = 512, (32, 64, 512)
"""Records at the beginning, at most, and at the end that are read where the ends suffice; more of the last ones where
the fewer do not."""
FEWEST = 4
"""Points of a curve at both ends together that tell how many steps lie between two."""
_USUAL = 256
"""Bytes of a record, for the search of the last ones."""


@dataclass(slots=True)
class Log:
    """What was read of one file so far; hand out its records, then read ``damage`` and ``ending``."""

    offset: int = HEADER
    """Where the next record begins; one whose end is still missing begins there."""
    count: int = 0
    """Records passed, those left out included."""
    ending: str = ""
    """What is wrong with the file's end, as a part of a sentence."""
    _damage: list[str] = field(default_factory=list)
    _places: int = 0
    _parts: list[bytes] | None = None
    """Fragments of the record that is being put together; None outside of one, or where a fragment is missing."""
    _open: bool = False

    def records(self, stream: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
        """Number (from 0) and bytes of each undamaged record behind :attr:`offset`, in the file's first ``size`` bytes.

        A file that has grown may be gone on with where nothing was damaged: between two records nothing is held of what
        came before but their number.
        """
        return self._from(stream, size, self.offset)

    def ends(self, stream: BinaryIO, size: int, last: int, begun: Callable[[], bool]) -> Iterator[tuple[int, bytes]]:
        """The first records, until ``begun`` says that they suffice, and the last ones.

        The last ones have numbers of their own, none below :data:`FIRST`.
        """
        records = self._from(stream, size, HEADER)
        for record in islice(records, FIRST):
            yield record
            if begun():
                break
        start = max(0, size - last * _USUAL) // _BLOCK * _BLOCK
        self.count = FIRST
        if start >= stream.tell():
            records = self._from(stream, size, start)
        yield from deque(records, last)

    def _from(self, stream: BinaryIO, size: int, offset: int) -> Iterator[tuple[int, bytes]]:
        """The records from a place on that is between two of them, or the beginning of a block."""
        self._parts, self._open, self.ending = None, False, ""
        place = offset % _BLOCK
        offset -= place
        stream.seek(offset)
        while offset < size and (block := stream.read(min(_BLOCK, size - offset))):
            yield from self._block(block, place, offset)
            offset, place = offset + len(block), 0
        if self._open:
            self.ending = f"ends in the middle of record {self.count:,} (a writer that was killed, or still writes)"

    @property
    def damage(self) -> list[str]:
        """What was wrong, in the order of the file, each as a part of a sentence."""
        more = self._places - len(self._damage)
        return [*self._damage, *([f"has {more:,} more damaged places"] if more else [])]

    def _block(self, block: bytes, place: int, offset: int) -> Iterator[tuple[int, bytes]]:
        while place + HEADER <= len(block):
            crc, length, kind = _FRAGMENT.unpack_from(block, place)
            end = place + HEADER + length
            if not 1 <= kind <= 4 or end > len(block):
                if 1 <= kind <= 4 and len(block) < _BLOCK and end <= _BLOCK:
                    self._open = True
                elif block[place:].strip(b"\0"):
                    self._left_out(f"is damaged at byte {offset + place:,}; the rest of the block is passed over")
                    self._parts = None
                return
            body = block[place + HEADER : end]
            good = zlib.crc32(body, _SEED[kind]) == crc
            if good and kind == _WHOLE and not self._open:  # as nearly always
                yield self.count, body
                self.count += 1
                place = end
                self.offset = offset + end
                continue
            if not good:
                self._left_out(
                    f"record {self.count:,} at byte {offset + place:,} does not match its checksum, left out"
                )
            yield from self._fragment(kind, body if good else None)
            place = end
            if not self._open:
                self.offset = offset + end
        if len(block) - place > 0 and len(block) < _BLOCK:
            self._open = True

    def _fragment(self, kind: int, body: bytes | None) -> Iterator[tuple[int, bytes]]:
        """Put fragments together; a record with a damaged or missing one is dropped."""
        if kind in (_WHOLE, _FIRST):
            if self._open:
                self._left_out(f"record {self.count:,} has no end, left out")
                self.count += 1
            self._parts = None if body is None else [body]
            self._open = True
        elif self._parts is not None:
            if body is None or sum(map(len, self._parts)) > LARGEST:
                self._parts = None
            else:
                self._parts.append(body)
        if kind in (_WHOLE, _LAST):
            number, parts = self.count, self._parts
            self.count, self._parts, self._open = self.count + 1, None, False
            if parts is not None:
                yield number, b"".join(parts)

    def _left_out(self, text: str) -> None:
        self._places += 1
        if len(self._damage) < _TOLD:
            self._damage.append(text)


def at_a_glance(read: Callable[[int], T], enough: Callable[[T], bool]) -> T:
    """What ``read`` makes of as few of the last records as are enough; 0 stands for the whole file."""
    for last in LAST:
        found = read(last)
        if enough(found):
            return found
    return read(0)
