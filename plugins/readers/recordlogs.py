"""Logs of trackers that are records in LevelDB's format; one that is watched while it grows is read on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.growing import followed, following
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.hf.state import LFS_HINT, LFS_PROBLEM, is_pointer
from dpo_report.plugins.readers.leveldb import HEADER, Log
from dpo_report.plugins.readers.protobuf import Malformed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tracker(Generic[T]):
    """How one tracker's files are told and read."""

    name: str
    """As people know it."""
    magic: bytes
    """How its files begin."""
    fresh: Callable[[], T]
    """Makes the store of a file of which nothing was read yet."""
    take: Callable[[T, int, bytes], None]
    """Adds a record by its number to a store; raises :class:`Malformed` where it is none of the tracker's."""

    begun: Callable[[T], bool] = lambda _: False
    """Whether a store has all that a list needs of the file's beginning."""

    def read(self, folder: Folder, entry: Entry, last: int = 0) -> tuple[T, list[Problem]]:
        """The store of a file and what was wrong with the file. Never raises for what it holds.

        Within :func:`growing.remembering` the store is the one that later records are added to: change a copy only.
        ``last`` as for :meth:`Log.ends`, 0 for the whole file.
        """
        content = new = _Content(self, self.fresh())
        unreadable = []
        try:
            path = folder.path(entry)
            if last:
                new.read(path, entry.size, last)
            else:
                content = followed(path, self.name, entry.size, lambda: new, lambda known: known.read(path, entry.size))
        except OSError as error:
            unreadable = [Problem(entry.path, f"cannot be read ({error.strerror or type(error).__name__})")]
        return content.store, [*content.problems(entry.path), *unreadable]


@dataclass(slots=True)
class _Content(Generic[T]):
    """What was read of a file so far."""

    tracker: Tracker[T]
    store: T
    log: Log = field(default_factory=Log)
    broken: int = 0
    """Records that are whole and yet none of the tracker's."""
    strange: tuple[str, str] | None = None
    """Why the file is none of the tracker's, and what to do."""

    @property
    def offset(self) -> int:
        """Where the next record begins."""
        return self.log.offset

    @property
    def sound(self) -> bool:
        """Whether it is the tracker's file and no record was damaged: one that is half-written may look so."""
        return self.strange is None and not self.log.damage

    def read(self, path: Path, size: int, last: int = 0) -> None:
        """Take in the records behind ``offset``, or with ``last`` the file's first and last ones."""
        with path.open("rb") as stream:
            head = stream.read(HEADER)
            if is_pointer(head + stream.read(64)):
                self.strange = LFS_PROBLEM, LFS_HINT
                return
            if not head.startswith(self.tracker.magic):
                self.strange = f"is no file of {self.tracker.name}" if head else "is empty", ""
                return
            if last:
                records = self.log.ends(stream, size, last, lambda: self.tracker.begun(self.store))
            else:
                records = self.log.records(stream, size)
            for record, data in records:
                try:
                    self.tracker.take(self.store, record, data)
                except Malformed:
                    self.broken += 1

    def problems(self, file: str) -> list[Problem]:
        """What is wrong with the file; while it is watched, its end may stay open."""
        if self.strange:
            return [Problem(file, *self.strange)]
        told = [*self.log.damage, *([self.log.ending] if self.log.ending and not following() else [])]
        if self.broken:
            told.append(f"holds {self.broken:,} records that are none of {self.tracker.name}'s, left out")
        return [Problem(file, text) for text in told]
