"""One line of a panel as strokes, dots, markers and bands."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpo_report.core.drawing.scene import Area, Item, Marks, Stroke
from dpo_report.core.drawing.style import DASH, SHAPES, colour_of, tint

if TYPE_CHECKING:
    from dpo_report.core.plot import Line

Floats = NDArray[np.float64]
Place = Callable[[Floats, Floats], Floats]

_DOTS = ((75, 2.4), (150, 2.0), (math.inf, 1.6))  # up to so many raw points have this size
_SIGNS = 9  # open markers on a smoothed held-out line, only to tell it apart in grey


def shown(values: Floats) -> NDArray[np.bool_]:
    """Which values can be drawn: finite ones, and not so large that an axis would overflow."""
    with np.errstate(invalid="ignore"):
        return np.abs(values) < 1e300


def heights(line: Line) -> Floats:
    """Every finite value that the line shows."""
    values = np.concatenate([part for part in (line.y, line.low, line.high, line.dots_y) if part is not None])
    return np.asarray(values[shown(values)], np.float64)


def last(line: Line) -> tuple[float, float] | None:
    """Where the line ends: its last finite point."""
    finite = np.flatnonzero(shown(line.y))
    return (float(line.x[finite[-1]]), float(line.y[finite[-1]])) if len(finite) else None


def draw_line(line: Line, place: Place, rank: int, long: float) -> Iterator[Item]:
    """Band, dots, strokes and markers, in this order.

    ``rank`` is the line's place among the held-out lines of its panel, which chooses its marker; ``long`` is the
    width of the panel in points: markers shrink where many stand in it.
    """
    colour = colour_of(line.role)
    held_out = line.role == "eval"
    if line.low is not None and line.high is not None:
        for part in pieces(line.low + line.high):
            top, bottom = place(line.x[part], line.high[part]), place(line.x[part], line.low[part])
            yield Area(np.concatenate([top, bottom[::-1]]), colour, 0.22)
    if line.dots_x is not None and line.dots_y is not None:
        keep = shown(line.dots_y)
        size = next(size for most, size in _DOTS if keep.sum() <= most)
        yield Marks(place(line.dots_x[keep], line.dots_y[keep]), "circle", size, None, tint(colour, 0.55))
    lonely = np.zeros(len(line.y), bool)
    for part in pieces(line.y):
        if part.stop - part.start == 1:
            lonely[part] = True
        else:
            points = place(line.x[part], line.y[part])
            yield Stroke(points, colour, 1.0 if held_out else 1.2, DASH if line.dashed else (), data=True)
    marked = shown(line.y) if line.marks else lonely
    if held_out and not line.marks:
        finite = np.flatnonzero(shown(line.y))
        marked[finite[np.linspace(0, len(finite) - 1, min(_SIGNS, len(finite))).astype(int)]] = True
    if marked.any():
        crowd = min(1.0, long / (9.0 * max(1, int(marked.sum()))))
        shape = SHAPES[rank % len(SHAPES)] if held_out else "diamond" if line.dashed else "circle"
        size = (4.4 if held_out else 3.6 if line.dashed else 3.2) * max(0.55, crowd)
        face = "#ffffff" if held_out else colour
        yield Marks(place(line.x[marked], line.y[marked]), shape, size, colour, face)


def pieces(values: Floats) -> Iterator[slice]:
    """The stretches without a gap."""
    finite = shown(values)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], finite, [False]]).astype(np.int8)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        yield slice(int(start), int(stop))
