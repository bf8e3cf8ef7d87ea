"""JSON of any size through a window: where a value ends, without building it.

Brackets and quotes inside strings confuse nothing, and no nesting is too deep, since nothing here recurses.
"""

from __future__ import annotations

import re
from typing import BinaryIO

PIECE = 4 << 20
"""Bytes read at a time."""
LARGEST = 64 << 20
"""No single value may be larger."""

_SPACE = b" \t\r\n"
_BLANK = re.compile(rb"[ \t\r\n]*")
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\]]', re.DOTALL)
_SCALAR_END = re.compile(rb"[,\]}: \t\r\n]")


class Broken(Exception):  # noqa: N818 - told to the reader of the report as a problem of the file
    """The JSON ends early or is none; the message says how, as a part of a sentence."""


class Window:
    """The bytes of a stream from a position on, growing only as far as one value needs."""

    def __init__(self, stream: BinaryIO, limit: int | None = None) -> None:
        """Look at a stream, or only at its first ``limit`` bytes."""
        self.data = b""
        self.pos = 0
        self._stream = stream
        self._left = limit

    def more(self) -> bool:
        """Read on, forgetting what lies before the position; False at the end.

        Raises:
            Broken: one value is too large.
        """
        kept = len(self.data) - self.pos
        if kept > LARGEST:
            raise Broken(f"holds a single value of more than {LARGEST >> 20} MiB")
        size = max(PIECE, kept)
        if self._left is not None:
            size = min(size, self._left)
            self._left -= size
        new = self._stream.read(size) if size else b""
        self.data = self.data[self.pos :] + new
        self.pos = 0
        return bool(new)

    def peek(self) -> bytes:
        """The next byte that is not blank, with the position moved to it; empty at the end."""
        while True:
            match = _BLANK.match(self.data, self.pos)
            self.pos = match.end() if match else self.pos
            if self.pos < len(self.data):
                return self.data[self.pos : self.pos + 1]
            if not self.more():
                return b""

    def value(self) -> bytes:
        """The bytes of the value that begins at the position, which moves behind it.

        Raises:
            Broken: the file ends inside the value.
        """
        while (end := end_of_value(self.data, self.pos)) < 0:
            if not self.more():
                raise Broken("ends in the middle of a value")
        found = self.data[self.pos : end]
        self.pos = end
        return found


def end_of_value(data: bytes, start: int) -> int:
    """Index behind the JSON value that begins at ``start``; -1 where the data end before it does."""
    if data[start : start + 1] not in (b'"', b"{", b"["):
        match = _SCALAR_END.search(data, start)
        return match.start() if match and match.start() > start else (start + 1 if match else -1)
    depth = 0
    for token in _TOKEN.finditer(data, start):
        first = data[token.start()]
        if first == 0x22:
            if token.end() - token.start() == 1:
                return -1  # a string that does not end
        elif first in b"{[":
            depth += 1
        else:
            depth -= 1
        if depth <= 0:
            return token.end()
    return -1


def separator(data: bytes, start: int, end: int) -> tuple[bytes, int] | None:
    """How two objects of a list are parted in this file: the bytes from the close of one to the open of the next.

    ``start`` and ``end`` delimit an object of the list. Returns the separator with both brackets and the length of its
    part up to the closing one, or None where no object follows within the data.
    """
    match = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*\{").match(data, end)
    if match is None or data[start : start + 1] != b"{":
        return None
    close = end - 1
    while close > start and data[close - 1] in _SPACE:
        close -= 1
    return data[close : match.end()], end - close
