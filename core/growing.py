"""What was read of files that grow while a watcher looks at them again and again.

Inside :func:`remembering` a reader finds again what it made of a file, with the place up to which it had read, and goes
on there. A file that was replaced, shortened or rewritten before that place is read from its beginning. Outside of it
nothing is kept, so that one reading of a run never depends on another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar, cast

MARK = 256
"""Bytes before the place reached that must still be the same."""


class Reading(Protocol):
    """What a reader made of the first part of a file."""

    @property
    def offset(self) -> int:
        """Bytes of the file that it holds; a row that is half-written begins here."""

    @property
    def sound(self) -> bool:
        """Whether a file that goes on may be read on: nothing in it was broken that may stand right the next time."""


R = TypeVar("R", bound=Reading)
T = TypeVar("T")


@dataclass(slots=True)
class Memory:
    """What one watcher knows of its files, by path and kind of reading."""

    readings: dict[tuple[str, str], tuple[Reading, int, bytes]] = field(default_factory=dict)
    """The reading, the file's number on its device, and the bytes before its offset."""
    wholes: dict[tuple[str, str], tuple[tuple[int, int, int], object]] = field(default_factory=dict)
    """What was made of a whole file, and its number, size and time of change."""
    used: set[tuple[str, str]] = field(default_factory=set)
    """What was asked for at the last look; the rest is forgotten after it."""
    loose: bool = False
    """Whether something at the end of a file was left out, for it looked half-written."""

    def clear(self) -> None:
        """Forget everything."""
        self.readings.clear()
        self.wholes.clear()
        self.loose = False


_memory: ContextVar[Memory | None] = ContextVar("memory", default=None)


@contextmanager
def remembering(memory: Memory) -> Iterator[None]:
    """Readings inside this block are kept in a memory, and those that it holds are gone on with."""
    token = _memory.set(memory)
    memory.loose = False
    memory.used.clear()
    try:
        yield
    finally:
        _memory.reset(token)
        for kept in (memory.readings, memory.wholes):
            for place in kept.keys() - memory.used:
                del kept[place]


def followed(path: Path, kind: str, size: int, fresh: Callable[[], R], read_on: Callable[[R], None]) -> R:
    """A reading of a file's first ``size`` bytes: a new one, or where the file only grew, the one that there was.

    Args:
        path: the file.
        kind: whose reading it is; two readers of one file do not meet.
        size: bytes that the file has.
        fresh: makes a reading of nothing.
        read_on: takes in what stands behind ``offset``, and raises that.

    Raises:
        OSError: the file cannot be read.
    """
    memory = _memory.get()
    if memory is None:
        reading = fresh()
        read_on(reading)
        return reading
    place = (str(path), kind)
    memory.used.add(place)
    number = path.stat().st_ino
    known, its_number, mark = memory.readings.pop(place, (None, 0, b""))
    goes_on = (
        known is not None and number == its_number and size >= known.offset and _before(path, known.offset) == mark
    )
    reading = cast(R, known) if goes_on else fresh()
    read_on(reading)
    memory.loose |= reading.offset < size
    if reading.sound:
        memory.readings[place] = (reading, number, _before(path, reading.offset))
    return reading


def unchanged(path: Path, kind: str, make: Callable[[], T]) -> T:
    """What is made of a whole file; made again when the file has changed."""
    memory = _memory.get()
    if memory is None:
        return make()
    try:
        state = path.stat()
    except OSError:
        return make()  # which tells why
    stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
    place = (str(path), kind)
    memory.used.add(place)
    if place not in memory.wholes or memory.wholes[place][0] != stamp:
        memory.wholes[place] = (stamp, make())
    return cast(T, memory.wholes[place][1])


def following() -> bool:
    """Whether what is read now is kept, and a file's end may be half-written."""
    return _memory.get() is not None


def _before(path: Path, offset: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(max(0, offset - MARK))
        return stream.read(min(offset, MARK))
