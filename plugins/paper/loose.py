"""Regular expressions of words, whatever their case.

``re.IGNORECASE`` tries every alternative letter by letter; on a text in lower case the engine passes over those that
begin otherwise, which is several times as fast, and a paper is searched for hundreds of words.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import lru_cache


@lru_cache(maxsize=32)
def folded(text: str) -> str:
    """A text in lower case, letter for letter, so that places in it are places in the text."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(one if len(one.lower()) > 1 else one.lower() for one in text)


_LETTER = re.compile(r"\\.|\(\?P<\w+>|[^\W\d_]")
"""A letter, or what holds one that is no text: an escape, the name of a group."""


class Loose:
    """A compiled expression with the methods of :class:`re.Pattern` that are needed here."""

    def __init__(self, pattern: str) -> None:
        self.pattern = _LETTER.sub(lambda m: m[0] if len(m[0]) > 1 else m[0].lower(), pattern)
        self._compiled = re.compile(self.pattern)

    def search(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """The first place where it matches."""
        return self._compiled.search(folded(text), start, end)

    def match(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Whether it matches right there."""
        return self._compiled.match(folded(text), start, end)

    def finditer(self, text: str, start: int = 0, end: int = sys.maxsize) -> Iterator[re.Match[str]]:
        """Every place where it matches."""
        return self._compiled.finditer(folded(text), start, end)
