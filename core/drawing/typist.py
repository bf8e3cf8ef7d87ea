"""Sets words: wraps them, and raises exponents."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dpo_report.core.drawing.scene import Box, Kind, Words
from dpo_report.core.drawing.ticks import SUPERSCRIPTS

if TYPE_CHECKING:
    from dpo_report.core.drawing.face import Face
    from dpo_report.core.drawing.style import Style

_KERN = 0.08  # before and after an exponent, in sizes
UP, DOWN = 0.70, 0.22
"""What a line of text covers above and below its baseline, in sizes."""
LONGEST = 100
"""Letters of a name in a figure."""


@dataclass(frozen=True, slots=True)
class Typist:
    """Sets words in one font."""

    face: Face
    style: Style

    def words(self, x: float, y: float, text: str, size: float, colour: str, kind: Kind, at: float) -> list[Words]:
        """One line of text at a baseline; ``at`` is the share of its width left of ``x``. Exponents are raised."""
        x -= at * self.width(text, size)
        made = []
        for piece, raised in self._pieces(text):
            own, base = (0.72 * size, y + 0.36 * size) if raised else (size, y)
            x += _KERN * size if raised else 0.0
            wide = self.face.width(piece, own)
            box = Box(x, base - DOWN * own, x + wide, base + UP * own)
            made.append(Words(x, base, piece, own, colour, box, kind))
            x += wide + (_KERN * size if raised else 0.0)
        return made

    def width(self, text: str, size: float) -> float:
        """Width of one line in points."""
        pieces = self._pieces(text)
        return sum(
            size * (2 * _KERN if up else 0.0) + self.face.width(p, (0.72 if up else 1.0) * size) for p, up in pieces
        )

    def fitting(self, text: str, room: float) -> float:
        """The size at which one line is no wider than ``room``; that of words where it need not be smaller."""
        size = self.style.font
        return min(size, size * room / max(self.width(text, size), 1.0))

    def _pieces(self, text: str) -> list[tuple[str, bool]]:
        """Printable stretches, and whether each is raised."""
        stretches = itertools.groupby(text, key=lambda c: c in SUPERSCRIPTS)
        return [(self.face.printable("".join(SUPERSCRIPTS.get(c, c) for c in one)), up) for up, one in stretches]

    def wrapped(self, text: str, size: float, most: float) -> tuple[str, ...]:
        """Lines no wider than ``most`` points where words allow it; longer words and texts are cut with an ellipsis."""
        text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        lines: list[str] = []
        for word in text.split() or [""]:
            while len(word) > 2 and self.width(word, size) > 2 * most:
                word = word.rstrip("…")[:-1] + "…"
            joined = f"{lines[-1]} {word}" if lines else word
            if lines and self.width(joined, size) <= most:
                lines[-1] = joined
            else:
                lines.append(word)
        return tuple(lines)
