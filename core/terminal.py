"""Strings of unknown origin on a terminal: control characters become visible, so that none of them acts."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ACTING = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: escape sequences, line breaks, the eight-bit CSI
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # direction
    "\u00ad\u200b\u2028\u2029\u2060-\u2065\ufeff\ufff9-\ufffb"  # invisible, separators
    "\ud800-\udfff"  # lone surrogates cannot be encoded
    "\U000e0000-\U000e007f"  # invisible tags
    "]"
)


def printable(text: object) -> str:
    """The text on one line, with a visible stand-in for every character that would act on the terminal.

    Joiners inside words and emoji stay; so do all letters.

    >>> printable("loss\\x1b[2J")
    'loss␛[2J'
    >>> printable("a\\u202eb")
    'a<U+202E>b'
    """
    return _ACTING.sub(_stand_in, str(text))


def columns(rows: Sequence[Sequence[str]], gap: str = "  ") -> str:
    """Rows as aligned plain text, each cell made printable; the last column is not padded.

    >>> print(columns([("NAME", "N"), ("loss", "4")]))
    NAME  N
    loss  4
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        gap.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def _stand_in(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures block
    return "␡" if code == 0x7F else f"<U+{code:04X}>"
