"""A font as matplotlib reads it: which characters it has, and how wide its words are."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dpo_report.core.errors import ReportError

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

_BUNDLED = {"serif": ("STIXGeneral.ttf", "STIXGeneral"), "sans": ("DejaVuSans.ttf", "DejaVu Sans")}
"""File and name of the fonts that matplotlib carries."""
_UNKNOWN = "\N{WHITE SQUARE}"
_MEASURED = 100.0  # the size at which words are measured: widths are proportional to it, for nothing is hinted


@cache
def face(family: str) -> Face:
    """The font of a family: ``serif``, ``sans``, or a name that the system knows; loaded once.

    Raises:
        ReportError: the system has no such font.
    """
    import matplotlib
    from matplotlib.font_manager import FontProperties, findfont

    file, name = _BUNDLED.get(family, ("", family))
    bundled = Path(matplotlib.get_data_path(), "fonts", "ttf", file)
    if file and bundled.is_file():  # the fonts of the system need not be searched then
        return Face(str(bundled))
    try:
        return Face(str(findfont(FontProperties(family=name), fallback_to_default=False)))
    except ValueError as error:
        known = " or ".join(_BUNDLED)
        raise ReportError(f"no font of the family {family!r} for figures", f"use {known}") from error


class Face:
    """One font file. Words are measured as they are painted: kerned, and without hints."""

    def __init__(self, file: str) -> None:
        from matplotlib.font_manager import get_font

        self._file = file
        self._known = frozenset(get_font(file).get_charmap())
        self._sizes: dict[float, FontProperties] = {}
        self._widths: dict[str, float] = {}

    def printable(self, text: str) -> str:
        """The text with a visible stand-in for every character that the font lacks; spaces for line breaks."""
        one_line = (" " if c.isspace() else c for c in text)
        return "".join(c if ord(c) in self._known and c.isprintable() else _UNKNOWN for c in one_line)

    def sized(self, size: float) -> FontProperties:
        """The font at a size in points."""
        from matplotlib.font_manager import FontProperties

        if size not in self._sizes:
            self._sizes[size] = FontProperties(fname=self._file, size=size)
        return self._sizes[size]

    def width(self, text: str, size: float) -> float:
        """Width of a printable text at a size, in the unit of the size."""
        from matplotlib.textpath import text_to_path

        if text not in self._widths:
            wide, _, _ = text_to_path.get_text_width_height_descent(text, self.sized(_MEASURED), ismath=False)
            self._widths[text] = float(wide) / _MEASURED
        return self._widths[text] * size
