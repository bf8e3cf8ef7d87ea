"""A logged series as a line: joined points, a running mean over visible rows, or a mean in a min-max band."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dpo_report.core.model import Series
from dpo_report.core.plot import Line

FEW = 20
"""Up to so many points every one is marked and joined, and nothing is smoothed."""
MANY = 400
"""Above so many points the rows would run into each other: bins take their place."""
EVALUATIONS = 40
"""Up to so many evaluations are marked one by one; there are seldom more."""
BINS = 120
"""About so many bins stand in one panel."""

Making = Literal["joined", "mean", "median", "plain", "bins"]
Drawing = Literal["mean", "median", "plain"]
"""How 21 to 400 rows become a line: by their running mean or median over visible rows, or as they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A line with what a caption must say about it."""

    series: Series
    """What it shows, all of it."""
    subject: str
    """``training loss``, ``held-out reward of chosen responses``."""
    line: Line
    """How it is drawn."""
    making: Making
    """``joined``: every point, marked; ``plain``: the same without markers; ``mean`` and ``median``: running, over
    dots; ``bins``: means of bins in a band."""
    width: float = 0.0
    """Rows of the running mean, or steps of a bin."""
    unit: str = "step"
    """What its steps count, in a word: ``step``, ``epoch``, ``log position``."""

    @property
    def finite(self) -> NDArray[np.bool_]:
        """Which of its points are numbers, shape (n,)."""
        return np.isfinite(self.series.values)


def track(series: Series, subject: str, label: str, drawing: Drawing = "mean", *, dashed: bool = False) -> Track:
    """Choose how a series is drawn by how many points it has."""
    held_out = series.split.split(":")[0] == "eval"
    role = "eval" if held_out else "train"
    count = len(series)
    if count <= (EVALUATIONS if held_out else FEW):
        line = Line(label, series.steps, gapped(series.values), role, dashed=dashed, marks=True, series=series)
        return Track(series, subject, line, "joined")
    raw = gapped(series.values)
    if count <= MANY and drawing == "plain":
        line = Line(label, series.steps, raw, role, dashed=dashed, series=series)
        return Track(series, subject, line, "plain")
    if count <= MANY:
        rows = window(count)
        smooth = (running_mean if drawing == "mean" else running_median)(raw, rows)
        line = Line(label, series.steps, smooth, role, dots_x=series.steps, dots_y=raw, dashed=dashed, series=series)
        return Track(series, subject, line, drawing, rows)
    width, binned = bins(series.steps, series.values)
    centres, mean, low, high = binned
    line = Line(label, centres, mean, role, low=low, high=high, dashed=dashed, series=series)
    return Track(series, subject, line, "bins", width)


def gapped(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values with NaN for every infinity, so that a line breaks there; shape (n,)."""
    return np.where(np.isfinite(values), values, np.nan)


def window(count: int) -> int:
    """Rows of the running mean: about a ninth of them, odd, 3 to 45."""
    return min(45, max(3, 2 * (count // 18) + 1))


def running_mean(values: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """Mean of ``rows`` rows around each; gaps are left out and stay gaps. Shape (n,).

    Towards the start the window shrinks on both sides alike, down to the first row itself: a one-sided window
    would pull a steep start down by whatever comes after it. At the end, where curves are flat and the last rows'
    noise would read as a turn, it loses only the rows that are not there.

    >>> running_mean(np.array([0.0, 3.0, 6.0, np.nan, 8.0]), 3).tolist()
    [0.0, 3.0, 4.5, nan, 8.0]
    """
    return np.array([np.mean(part) if len(part) else np.nan for part in _windows(values, rows)], np.float64)


def running_median(values: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """As :func:`running_mean` with the median: one spike moves it by one rank only. Shape (n,).

    >>> running_median(np.array([1.0, 2.0, 900.0, 3.0, np.nan, 4.0]), 3).tolist()
    [1.0, 2.0, 3.0, 451.5, nan, 4.0]
    """
    return np.array([np.median(part) if len(part) else np.nan for part in _windows(values, rows)], np.float64)


def _windows(values: NDArray[np.float64], rows: int) -> Iterator[NDArray[np.float64]]:
    """The finite values around each row; none at a gap."""
    known = np.isfinite(values)
    for at, ok in enumerate(known):
        half = min(rows // 2, at)
        part = slice(at - half, at + half + 1)
        yield values[part][known[part]] if ok else values[:0]


Bins = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def bins(steps: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[float, Bins]:
    """Equal bins of steps, each row in exactly one: the width, and (centre, mean, minimum, maximum) of each bin.

    Steps must rise. The width is 1, 2, 2.5 or 5 times a power of ten; bin k holds the steps in (k·width,
    (k+1)·width], so that bins of 100 steps end at 100, 200, ... Empty bins are left out; bins without a finite
    value are gaps.
    """
    rough = float(steps[-1] - steps[0]) / BINS or 1.0
    base = 10.0 ** math.floor(math.log10(rough))
    width = next(base * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if base * factor >= rough)
    if np.all(steps == np.round(steps)):
        width = max(1.0, math.ceil(width))
    index = np.ceil(steps / width - 1e-9)
    starts = np.flatnonzero(np.diff(index, prepend=index[0] - 1))
    known = np.isfinite(values)
    counts = np.add.reduceat(known.astype(float), starts)
    shown = counts > 0
    low = np.minimum.reduceat(np.where(known, values, np.inf), starts)
    high = np.maximum.reduceat(np.where(known, values, -np.inf), starts)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts)
    mean = np.clip(sums / np.maximum(counts, 1.0), low, high)  # a sum's rounding must not leave the band
    first, last = steps[starts], steps[np.append(starts[1:], len(steps)) - 1]
    none = np.full(len(starts), np.nan)
    return width, (
        (first + last) / 2,
        np.where(shown, mean, none),
        np.where(shown, low, none),
        np.where(shown, high, none),
    )
