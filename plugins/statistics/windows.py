"""The two ends of a series, each by its median, and the bootstrap interval of the fall between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dpo_report.plugins.statistics.bootstrap import CELLS, FEWEST, RESAMPLES, SEED
from dpo_report.plugins.statistics.series import Floats, block_medians, finite_series
from dpo_report.plugins.statistics.trends import theil_sen

ENDS, LEAST = 0.1, 3
"""Share of the rows in a window of medians, and the rows that it has at the least (conventions)."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The two ends of a series, each by its median."""

    first: float
    """Median of the first ``size`` rows."""
    last: float
    """Median of the last ``size`` rows."""
    size: int
    """Rows in each window."""

    @property
    def fall(self) -> float:
        """First minus last: positive where the series fell."""
        return self.first - self.last


def window_medians(values: ArrayLike, share: float = ENDS, least: int = LEAST) -> Windows | None:
    """Medians of the first and last share of the rows, so many at least; None where the two would overlap."""
    (v,) = finite_series(values)
    if len(v) < 2 * least:
        return None
    size = max(least, min(math.ceil(round(share * len(v), 9)), len(v) // 2))
    return Windows(float(np.median(v[:size])), float(np.median(v[-size:])), size)


def window_fall_interval(
    values: ArrayLike,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    *,
    share: float = ENDS,
    least: int = LEAST,
    fewest: int = FEWEST,
) -> tuple[float, float] | None:
    """Moving-block bootstrap interval of :attr:`Windows.fall` (Künsch 1989); None below ``fewest`` rows.

    ``share`` and ``least`` as in :func:`window_medians`.

    Blocks of ceil(m^(1/3)) neighbouring rows are drawn from each window's own m rows. Where a window has
    fewer than 30 rows, they are drawn from the residuals of the whole series about its Theil-Sen line
    instead, as three rows cannot tell their own noise. A window of more than 200 rows is drawn as the mean
    of 200 block medians, which varies as its median does. In simulations (straight, curved and flat series)
    95 % intervals held the truth in 90 to 99 % of series with independent rows; with a lag-1
    autocorrelation of 0.4 in 79 to 93 % below 20 rows and in 88 to 99 % from 40 on.
    """
    (v,) = finite_series(values)
    windows = window_medians(v, share, least)
    if windows is None or len(v) < fewest:
        return None
    size = windows.size
    if size < 30:
        x = np.arange(len(v), dtype=np.float64)
        rest = (v - theil_sen(x, v)[0] * x) * math.sqrt(len(v) / (len(v) - 2))  # the line took two of them
        units = [rest, rest]
    else:
        units = [v[:size], v[-size:]]
    rng = np.random.default_rng(seed)
    first, last = (_resampled_centres(one, size, resamples, rng) for one in units)
    low, high = np.quantile(first - last, [0.5 - level / 2, 0.5 + level / 2])
    return windows.fall + float(low), windows.fall + float(high)


def _resampled_centres(units: Floats, size: int, resamples: int, rng: np.random.Generator) -> Floats:
    """Centres of ``size`` rows drawn in blocks, less the centre of all units; shape (resamples,)."""
    many = len(units) > 200
    units = block_medians(units, 200) if many else units
    size = 200 if many else size
    block = min(math.ceil(len(units) ** (1 / 3)), size)
    draws = math.ceil(size / block)
    centres = np.empty(resamples)
    chunk = max(1, CELLS // size)
    for at in range(0, resamples, chunk):
        rows = min(chunk, resamples - at)
        starts = rng.integers(0, len(units) - block + 1, (rows, draws, 1))
        drawn = units[(starts + np.arange(block)).reshape(rows, -1)[:, :size]]
        centres[at : at + rows] = drawn.mean(axis=1) if many else np.median(drawn, axis=1)
    return centres - (units.mean() if many else float(np.median(units)))
