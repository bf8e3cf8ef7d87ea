"""A run directory as untrusted input: which of its files may be opened, and how much of them.

Links that lead out of the folder (or nowhere, or in a circle), pipes, devices and sockets are never opened; our own
reports inside a run are never read as part of it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import Protocol

from dpo_report.core.errors import ReportError
from dpo_report.core.model import Problem

MAX_FILES = 200_000
SKIPPED_FOLDERS = frozenset({".git", "__MACOSX", "__pycache__", ".ipynb_checkpoints", ".cache", ".venv"})
TEMPORARY = ".dpo-report-"
_GROWTH = 1 << 20
"""Bytes that a file may have grown by since the folder was walked."""
REPORT_HEAD = 400
"""Bytes of a report.json that tell whose it is."""


class Fetch(Protocol):
    """Brings files of a folder that is far away."""

    def whole(self, path: Path) -> None:
        """Have a file in its place on disk.

        Raises:
            OSError: it cannot be had, or is larger than what is fetched.
        """

    def head(self, path: Path, limit: int) -> bytes:
        """The first bytes of a file.

        Raises:
            OSError: it cannot be had.
        """


_DIGITS = frozenset("0123456789")
_RUNS = re.compile(r"[0-9]+|[^0-9]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """A plain file that may be opened."""

    path: str
    """Relative to the folder, with forward slashes."""
    size: int
    """Bytes."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def parent(self) -> str:
        """The path without its last part; empty at the top."""
        return self.path.rpartition("/")[0]


@dataclass(slots=True)
class Folder:
    """The files of a run directory, walked once."""

    root: Path
    """The directory (or the directory of ``only``)."""
    only: str | None = None
    """A single file that was given in place of a directory."""
    entries: tuple[Entry, ...] = ()
    """Every file that may be opened, in a stable order: by folder, numbers in numeric order."""
    problems: list[Problem] = field(default_factory=list)
    """What was left out, and why."""
    fetch: Fetch | None = None
    """Where the files are far away: brings one here before it is opened."""

    @classmethod
    def open(cls, path: Path) -> Folder:
        """Walk a directory, or take a single file.

        Raises:
            ReportError: the path is missing, unreadable, or neither a file nor a directory.
        """
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            quoted = path.parts[:1] == ("~",)
            hint = "a shell opens ~ only outside quotes" if quoted else "give the output directory of a training run"
            raise ReportError(f"no such file or folder: {path}", hint) from None
        except OSError as error:
            raise ReportError(f"cannot read {path}: {error.strerror}") from None
        if stat.S_ISREG(mode):
            folder = cls(path.parent, only=path.name)
            folder.entries = (Entry(path.name, path.stat().st_size),)
            return folder
        if not stat.S_ISDIR(mode):
            raise ReportError(f"{path} is neither a file nor a folder", "give the output directory of a training run")
        folder = cls(path)
        if not os.access(path, os.R_OK | os.X_OK):
            raise ReportError(f"cannot read {path}: permission denied")
        found = list(folder._walk())
        folder.entries = tuple(sorted(found, key=lambda entry: natural(entry.path)))
        return folder

    def __contains__(self, path: str) -> bool:
        return any(entry.path == path for entry in self.entries)

    def named(self, pattern: str) -> list[Entry]:
        """Files whose own name matches a shell pattern (brackets in folder names do no harm)."""
        return [entry for entry in self.entries if fnmatchcase(entry.name, pattern)]

    def path(self, entry: Entry | str) -> Path:
        """Where the file is on disk."""
        path = self._place(entry)
        if self.fetch is not None:
            self.fetch.whole(path)
        return path

    def stream(self, entry: Entry) -> FileIO:
        """The file, opened to be read here and there.

        Raises:
            OSError: the file cannot be read.
        """
        if self.fetch is not None:
            self.fetch.whole(self._place(entry))
        return FileIO(f"{self.root}/{entry.path}")

    def read(self, entry: Entry | str, limit: int = 64 << 20) -> bytes:
        """The first ``limit`` bytes of a file.

        Raises:
            OSError: the file cannot be read.
        """
        if self.fetch is not None:
            return self.fetch.head(self._place(entry), limit)
        most = limit if isinstance(entry, str) else min(limit, entry.size + _GROWTH)  # a buffer of that size is made
        with self._place(entry).open("rb") as stream:
            return stream.read(most)

    def _place(self, entry: Entry | str) -> Path:
        return self.root / (entry if isinstance(entry, str) else entry.path)

    def holding(self, entries: Iterable[Entry]) -> Folder:
        """The same folder with only some of its files."""
        return Folder(self.root, self.only, tuple(entries), fetch=self.fetch)

    def sub(self, prefix: str) -> Folder:
        """The part of the folder below ``prefix``, with the same guarantees."""
        if not prefix:
            return self
        cut = len(prefix) + 1
        inside = tuple(Entry(e.path[cut:], e.size) for e in self.entries if e.path.startswith(prefix + "/"))
        return Folder(self.root / PurePosixPath(prefix), None, inside, fetch=self.fetch)

    def outside(self, homes: Collection[str]) -> Folder:
        """The same folder without the files below these folders."""
        owners: dict[str, str | None] = {}
        return self.holding(entry for entry in self.entries if _owner(entry.parent, homes, owners) is None)

    def parted(self, homes: Collection[str]) -> dict[str, Folder]:
        """The part of each of these folders, every file only in the innermost of them that holds it."""
        owners: dict[str, str | None] = {}
        found: dict[str, list[Entry]] = {home: [] for home in homes}
        for entry in self.entries:
            home = _owner(entry.parent, found, owners)
            if home is not None:
                found[home].append(Entry(entry.path[len(home) + 1 :], entry.size) if home else entry)
        return {
            home: Folder(self.root / PurePosixPath(home), None, tuple(entries), fetch=self.fetch)
            for home, entries in found.items()
        }

    def _walk(self) -> Iterator[Entry]:
        real_root = os.path.realpath(self.root)
        pending, count = [""], 0
        while pending:
            prefix = pending.pop()
            try:
                with os.scandir(f"{self.root}/{prefix}") as listing:
                    items = sorted(listing, key=lambda item: item.name)
            except OSError as error:
                self.problems.append(Problem(prefix or ".", f"folder cannot be read ({error.strerror})"))
                continue
            if prefix and is_own_report(items):
                continue
            for item in items:
                relative = f"{prefix}/{item.name}" if prefix else item.name
                try:
                    if item.is_symlink() or _is_junction(item):
                        real = os.path.realpath(item.path)
                        if not real.startswith(real_root + os.sep):
                            self.problems.append(Problem(relative, "link out of the run directory, not followed"))
                            continue
                        if item.is_dir():
                            continue  # a link inside the run (latest-run): its target is walked anyway
                    if item.is_dir():
                        if item.name not in SKIPPED_FOLDERS and not item.name.startswith(TEMPORARY):
                            pending.append(relative)
                    elif item.is_file():
                        if item.name.startswith("._"):
                            continue  # AppleDouble twins hold no content of the file they are named after
                        count += 1
                        if count > MAX_FILES:
                            self.problems.append(
                                Problem(".", f"more than {MAX_FILES:,} files; the rest was not looked at")
                            )
                            return
                        yield Entry(relative, item.stat().st_size)
                    else:
                        self.problems.append(Problem(relative, "not a plain file (pipe, device or socket), not opened"))
                except OSError as error:
                    self.problems.append(Problem(relative, f"cannot be looked at ({error.strerror})"))


def _is_junction(item: os.DirEntry[str]) -> bool:
    """Whether a folder of Windows is a link in all but name; Python 3.11 cannot tell."""
    ask = getattr(item, "is_junction", None)
    return ask is not None and ask()


def _owner(folder: str, homes: Collection[str], known: dict[str, str | None]) -> str | None:
    """The innermost home that holds a folder; ``known`` remembers the answers."""
    if folder not in known:
        if folder in homes:
            known[folder] = folder
        else:
            known[folder] = _owner(folder.rpartition("/")[0], homes, known) if folder else None
    return known[folder]


def natural(path: str) -> tuple[tuple[tuple[int, int, str], ...], ...]:
    """Sort key in which ``checkpoint-500`` stands before ``checkpoint-1000``.

    >>> sorted(["checkpoint-1000", "checkpoint-500"], key=natural)
    ['checkpoint-500', 'checkpoint-1000']
    """
    return tuple(_chunks(part) for part in path.split("/"))


@lru_cache(maxsize=4096)  # most files of a folder lie deep in the same few
def _chunks(part: str) -> tuple[tuple[int, int, str], ...]:
    return tuple(
        (0, int(chunk[:400]), chunk) if chunk[0] in _DIGITS else (1, 0, chunk) for chunk in _RUNS.findall(part)
    )


def is_own_report(items: list[os.DirEntry[str]]) -> bool:
    """Whether a folder holds a report of ours: a report.json that names us as its generator."""
    for item in items:
        if item.name == "report.json" and item.is_file(follow_symlinks=False):
            try:
                with Path(item.path).open("rb") as stream:
                    return is_own_report_file(stream.read(REPORT_HEAD))
            except OSError:
                return False
    return False


def is_own_report_file(head: bytes) -> bool:
    """Whether a report.json that begins like this is one of ours."""
    return b'"name": "dpo-report"' in head
