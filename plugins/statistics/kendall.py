"""Kendall's S of a series: Mann-Kendall's test of a trend, exact for short series."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from numpy.typing import ArrayLike

from dpo_report.plugins.statistics.series import Floats, finite_series, reduced

EXACT = 20
"""Rows below which Mann-Kendall's p is exact and autocorrelation, not to be told there, is not corrected."""


def mann_kendall(y: ArrayLike, inflate: float = 1.0) -> float:
    """Two-sided p of no monotone trend (Mann 1945; Kendall 1975).

    Below :data:`EXACT` rows exact, with or without ties; else normal with continuity and tie correction, and
    ``inflate`` (n / n_eff, Hamed & Rao 1998) multiplies the variance. Above :data:`UNITS` rows block medians
    stand for rows. NaN below three rows.
    """
    (y,), _ = reduced(*finite_series(y))
    n, s, ties = len(y), abs(_kendall_s(y)), ties_of(y)
    if n < 3:
        return math.nan
    if n < EXACT:
        ways = _orderings(n, ties)  # S = pairs that differ - 2 * inversions
        far = sum(count for falls, count in enumerate(ways) if abs(len(ways) - 1 - 2 * falls) >= s)
        return far / sum(ways)
    variance = inflate * kendall_variance(n, ties)
    return math.erfc(max(0, s - 1) / math.sqrt(2 * variance)) if variance > 0 else 1.0


def _kendall_s(y: Floats) -> int:
    """Rising minus falling pairs."""
    return int(sum(np.sign(y[i + 1 :] - y[i]).sum() for i in range(len(y) - 1)))


def ties_of(values: Floats) -> list[int]:
    return [int(size) for size in np.unique(values, return_counts=True)[1] if size > 1]


def kendall_variance(n: int, *ties: list[int]) -> float:
    """Variance of Kendall's S without a trend, ties corrected (Kendall 1975, chapter 4)."""
    tied = sum(t * (t - 1) * (2 * t + 5) for sizes in ties for t in sizes)
    return (n * (n - 1) * (2 * n + 5) - tied) / 18


def _orderings(n: int, ties: list[int]) -> list[int]:
    """How many orderings of n values with these ties have 0, 1, ... inversions: the Gaussian multinomial."""
    factors = Counter(range(2, n + 1))
    factors.subtract(size for t in ties for size in range(2, t + 1))
    ways = [1]
    for size, times in sorted(factors.items(), key=lambda item: -item[1]):  # products first, then exact divisions
        for _ in range(abs(times)):
            ways = _times(ways, size) if times > 0 else _over(ways, size)
    return ways


def _times(ways: list[int], size: int) -> list[int]:
    """Multiplied by 1 + q + ... + q^(size-1)."""
    total, result = 0, []
    for k in range(len(ways) + size - 1):
        total += (ways[k] if k < len(ways) else 0) - (ways[k - size] if k >= size else 0)
        result.append(total)
    return result


def _over(ways: list[int], size: int) -> list[int]:
    """Divided by 1 + q + ... + q^(size-1), which must leave nothing."""
    result: list[int] = []
    for k in range(len(ways) - size + 1):
        result.append(ways[k] - (ways[k - 1] if k else 0) + (result[k - size] if k >= size else 0))
    return result
