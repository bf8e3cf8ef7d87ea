"""Zip archives of a run, never unpacked to disk and bounded in what they may hold."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.files import LINE, glimpse, numbered

MEMBER = 256 << 20
"""Bytes of a member that are read line by line; more are left out."""
WHOLE = 16 << 20
"""Bytes of a member that is taken whole."""
MEMBERS = 10_000
ARCHIVE = 2 << 30
FIRST = b"PK\x03\x04"
"""How archives begin."""


class Archive:
    """The members of an open archive."""

    def __init__(self, inner: zipfile.ZipFile, file: str, problems: list[Problem]) -> None:
        self._inner = inner
        self._file = file
        self._problems = problems
        self.names = [item.filename for item in inner.infolist()[:MEMBERS]]
        """Names of the members."""

    def read(self, name: str) -> bytes:
        """What a member holds, up to ``WHOLE`` bytes; what is broken becomes a problem and ends it."""
        with self._opened(name, WHOLE) as stream:
            return stream.read()

    def lines(self, name: str) -> Iterator[tuple[int, str]]:
        """Numbered lines of a member that are not blank, up to ``MEMBER`` bytes; what is broken ends them."""
        long = 0
        with self._opened(name, MEMBER) as stream:
            for number, raw in numbered(stream, "utf-8"):
                if raw is None:
                    long = long or number
                elif text := raw.decode("utf-8", "replace").strip():
                    yield number, text
        if long:
            self._tell(f"{name}: line {long} is longer than {LINE >> 20} MiB, left out")

    @contextmanager
    def _opened(self, name: str, limit: int) -> Iterator[IO[bytes]]:
        try:
            inner = self._inner.open(name)
        except Exception as error:  # encryption is a RuntimeError
            self._tell(f"{name} cannot be read ({type(error).__name__})")
            yield io.BytesIO()
            return
        member = _Member(inner, limit)
        with inner, io.BufferedReader(member) as stream:
            yield stream
        if member.broken:
            self._tell(f"{name} is broken ({member.broken}); what came before is used")
        if member.cut:
            self._tell(f"{name} is larger than {limit >> 20} MiB; the rest is left out")

    def _tell(self, message: str) -> None:
        self._problems.append(Problem(self._file, message))


class _Member(io.RawIOBase):
    """The bytes of a member up to a limit, or up to where it is broken."""

    def __init__(self, inner: IO[bytes], limit: int) -> None:
        self._inner = inner
        self._left = limit
        self.broken = ""
        self.cut = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            part = self._inner.read(min(len(buffer), self._left) or 1)
        except Exception as error:  # zlib, lzma and bz2 raise errors of their own
            self.broken = type(error).__name__
            return 0
        if not self._left:
            self.cut = bool(part)
            return 0
        buffer[: len(part)] = part
        self._left -= len(part)
        return len(part)


def members(folder: Folder, entry: Entry) -> list[str]:
    """Names of the members of an archive; empty where it is none."""
    with opened(folder, entry, []) as archive:
        return archive.names if archive else []


def torn(folder: Folder, entry: Entry, *names: str) -> bool:
    """Whether a file was an archive with one of these members, and cannot be opened as one any more."""
    start = glimpse(folder, entry)
    if not start.startswith(FIRST) or not any(name.encode() in start for name in names):
        return False
    with opened(folder, entry, []) as archive:
        return archive is None


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
        problems.append(
            Problem(
                entry.path,
                f"is a broken archive ({type(error).__name__}), its end is cut off or damaged; nothing in it is read",
                "copy it again from where it was written, or mend it: zip -FF BROKEN.zip --out MENDED.zip",
            )
        )
        yield None
        return
    with inner:
        yield Archive(inner, entry.path, problems)
