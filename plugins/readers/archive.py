"""Zip archives of a run, never unpacked to disk and bounded in what they may hold."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem

MEMBER = 256 << 20
"""Larger members are cut."""
MEMBERS = 10_000
ARCHIVE = 2 << 30


class Archive:
    """The members of an open archive."""

    def __init__(self, inner: zipfile.ZipFile, file: str, problems: list[Problem]) -> None:
        self._inner = inner
        self._file = file
        self._problems = problems
        self.names = [item.filename for item in inner.infolist()[:MEMBERS]]
        """Names of the members."""

    def read(self, name: str) -> bytes:
        """What a member holds, up to ``MEMBER`` bytes; what is broken becomes a problem and ends it."""
        parts: list[bytes] = []
        size = 0
        try:
            with self._inner.open(name) as stream:
                while size <= MEMBER and (part := stream.read(1 << 20)):
                    parts.append(part)
                    size += len(part)
        except Exception as error:  # zlib, lzma and bz2 raise errors of their own; encryption a RuntimeError
            self._problems.append(
                Problem(self._file, f"{name} is broken ({type(error).__name__}); what came before is used")
            )
        if size > MEMBER:
            self._problems.append(
                Problem(self._file, f"{name} is larger than {MEMBER >> 20} MiB; the rest is left out")
            )
        return b"".join(parts)[:MEMBER]


def members(folder: Folder, entry: Entry) -> list[str]:
    """Names of the members of an archive; empty where it is none."""
    with opened(folder, entry, []) as archive:
        return archive.names if archive else []


@contextmanager
def opened(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Archive | None]:
    """The archive in a file; None, with a problem, where it is none."""
    if entry.size > ARCHIVE:
        problems.append(Problem(entry.path, f"is larger than {ARCHIVE >> 30} GiB, not read"))
        yield None
        return
    try:
        inner = zipfile.ZipFile(folder.path(entry))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        problems.append(Problem(entry.path, f"is a broken archive ({type(error).__name__})"))
        yield None
        return
    with inner:
        yield Archive(inner, entry.path, problems)


def text_lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Numbered lines of some bytes."""
    for number, line in enumerate(io.StringIO(data.decode("utf-8", "replace")), 1):
        if line.strip():
            yield number, line.strip()
