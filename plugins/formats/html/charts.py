"""What the charts of the page are drawn from: the figures' lines as plain lists, thinned where they are long."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dpo_report.core.standin import filename

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dpo_report.core.model import Series
    from dpo_report.core.plot import Figure, Line, Panel

RAW = 2000
"""Up to so many rows every one is in the page."""
BINS = 1000
"""Above, each of so many bins keeps its least and its greatest value: 2,000 points a line."""
WHOLE = 24_000
"""Bins of all lines together, so that a page of many lines stays small."""


def charts(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """One entry for each figure, in order."""
    long = sum(
        1
        for figure in figures
        for panel in figure.panels
        for line in panel.lines
        if line.series is not None and len(line.series) > RAW
    )
    most = min(BINS, max(100, WHOLE // max(long, 1)))
    return [
        {"name": filename(figure.name), "panels": [_panel(panel, most) for panel in figure.panels]}
        for figure in figures
    ]


def _panel(panel: Panel, most: int) -> dict[str, Any]:
    return {
        "x": panel.x_label,
        "y": panel.y_label,
        "log": panel.y_scale == "log",
        "from": panel.y_from,
        "levels": [{"y": level.y, "label": level.label} for level in panel.levels],
        "lines": [_line(line, most) for line in panel.lines],
    }


def _line(line: Line, most: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "label": line.label,
        "role": line.role,
        "dashed": line.dashed,
        "marks": line.marks,
        "x": plain(line.x),
        "y": plain(line.y),
    }
    if line.series is None:
        if line.low is not None and line.high is not None:
            told["band"] = [plain(line.x), plain(line.low), plain(line.high)]
        if line.dots_x is not None and line.dots_y is not None:
            told["raw"] = [plain(line.dots_x), plain(line.dots_y)]
        return told
    series = line.series
    told["sources"] = [str(source) for source in series.sources]
    if len(series) > RAW:
        at, steps, low, high = thinned(series, most)
        told["band"] = [plain(steps), plain(low), plain(high)]
        told["rows"] = [_place(series, int(first)) for first in at]
    else:
        told["rows"] = [_place(series, index) for index in range(len(series))]
        if line.marks or (line.x is series.steps and line.dots_x is None):
            return told  # the line is its rows
        told["raw"] = [plain(series.steps), plain(series.values)]
    return told


def _place(series: Series, index: int) -> int | list[int]:
    """Row of a point; with the number of its source where there are several."""
    row = int(series.rows[index])
    return row if series.which is None else [row, int(series.which[index])]


def thinned(
    series: Series, most: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Bins of equally many rows: index of the first row, step in the middle, least and greatest finite value.

    Every row is in one bin, so no spike is lost; a bin without a finite value is a gap.
    """
    starts = np.unique(np.linspace(0, len(series), most, endpoint=False).astype(np.int64))
    ends = np.append(starts[1:], len(series)) - 1
    known = np.isfinite(series.values)
    low = np.minimum.reduceat(np.where(known, series.values, np.inf), starts)
    high = np.maximum.reduceat(np.where(known, series.values, -np.inf), starts)
    gap = low > high
    return (
        starts,
        (series.steps[starts] + series.steps[ends]) / 2,
        np.where(gap, np.nan, low),
        np.where(gap, np.nan, high),
    )


def plain(numbers: Iterable[float]) -> list[float | int | None]:
    """Six digits of each number; null where it is none.

    >>> plain([1.0, 0.123456789, float("nan"), 2500.0])
    [1, 0.123457, None, 2500]
    """
    short: list[float | int | None] = []
    for number in numbers:
        if not math.isfinite(number):
            short.append(None)
            continue
        rounded = float(f"{number:.6g}") if abs(number) < 1e6 or not float(number).is_integer() else float(number)
        short.append(int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded)
    return short
