"""How figures look: sizes, type, colours, dashes and markers that survive a grey printer."""

from __future__ import annotations

from dataclasses import dataclass

INK = "#1a1a1a"
"""Axes and their words."""
GREY = "#6b6b6b"
"""References and the words beside them."""
COLOURS = {"train": "#0072B2", "eval": "#D55E00", "other": "#4d4d4d"}
"""Training blue and held-out vermilion of Wong (2011), told apart by colour-blind eyes; see :func:`colour_of`."""
SHAPES = ("square", "diamond", "triangle", "circle", "down", "pentagon")
"""Open markers of the first, second, ... held-out line of a panel."""
CORNERS = {
    "square": ((-0.45, -0.45), (0.45, -0.45), (0.45, 0.45), (-0.45, 0.45)),
    "diamond": ((-0.62, 0.0), (0.0, -0.62), (0.62, 0.0), (0.0, 0.62)),
    "triangle": ((-0.55, -0.42), (0.55, -0.42), (0.0, 0.58)),
    "down": ((-0.55, 0.42), (0.0, -0.58), (0.55, 0.42)),
    "pentagon": ((0.0, 0.55), (-0.52, 0.17), (-0.32, -0.45), (0.32, -0.45), (0.52, 0.17)),
}
"""Each marker but the circle as a polygon about one unit wide around the origin."""
EDGE = 0.9
"""Width of a marker's edge, in points."""
DASH = (4.0, 1.8)
"""The second line of a pair (rejected beside chosen), in points."""
REFERENCE = (3.2, 2.4)
"""Dashes of a reference, in points; thinner and greyer than those of any data."""


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes and type of all figures of a report. Lengths in inches where not said otherwise."""

    column: float = 3.25
    """Width of a figure with one panel: one column of a two-column paper."""
    text: float = 6.75
    """Width of a figure with more panels: the whole text."""
    height: float = 2.0
    """Height of every figure."""
    font: float = 7.5
    """Size of words, in points; numbers at the ticks are a little smaller."""
    family: str = "serif"
    """``serif`` (STIX, which goes with Times and Computer Modern), ``sans`` (DejaVu Sans), or a font's name."""
    dpi: int = 200
    """Resolution of PNG files."""

    def width(self, panels: int) -> float:
        """Width of a figure with that many panels."""
        return self.column if panels == 1 else self.text

    @property
    def small(self) -> float:
        """Size of the numbers at the ticks, in points."""
        return max(6.0, 0.9 * self.font)


def colour_of(role: str) -> str:
    """Colour of a line's role; roles that mean neither training nor held-out data are dark grey."""
    return COLOURS.get(role, COLOURS["other"])


def tint(colour: str, share: float) -> str:
    """``colour`` mixed with white, ``share`` of it left: opaque, so that no printer meets transparency."""
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - channel)):02x}" for channel in channels)
