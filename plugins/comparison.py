"""Statistics of several runs: Welch's and the paired test, permutation, Holm.

Groups are a handful of runs, so that permutations are counted rather than drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import ArrayLike

from dpo_report.plugins.statistics import t_quantile
from dpo_report.plugins.statistics.series import Floats

COUNTED = 20_000
"""Rearrangements up to which a permutation test is exact; above it no p is given."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of a group less that of another, by Student's t."""

    value: float
    """The difference of the means."""
    low: float
    """Lower end of its interval."""
    high: float
    """Upper end."""
    p: float | None
    """Two-sided permutation p; None where there are too many rearrangements to count."""
    least: float
    """The smallest p that a permutation test of groups of this size can reach."""
    error: float
    """Standard error of the difference."""
    freedom: float
    """Degrees of freedom."""
    paired: bool
    """Whether runs were paired."""


def unpaired(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Difference:
    """Welch's interval of mean(a) - mean(b) (Welch 1947) and the exact permutation p; two values or more in each."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    parts = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
    square = float(sum(parts))
    freedom = float(len(x) + len(y) - 2)
    if square > 0:
        freedom = square**2 / float(parts[0] ** 2 / (len(x) - 1) + parts[1] ** 2 / (len(y) - 1))
    ways = math.comb(len(x) + len(y), len(x))
    least = (2 if len(x) == len(y) else 1) / ways
    p = _permuted(x, y) if ways <= COUNTED else None
    return _difference(float(x.mean() - y.mean()), math.sqrt(square), freedom, level, p, least, False)


def paired(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Difference:
    """Student's interval of the mean of a - b, pair by pair, and the exact sign-flip p; two pairs or more."""
    d = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    error = float(d.std(ddof=1)) / math.sqrt(len(d))
    p = _flipped(d) if 2 ** len(d) <= COUNTED else None
    return _difference(float(d.mean()), error, len(d) - 1.0, level, p, 2.0 / 2 ** len(d), True)


def _difference(
    value: float, error: float, freedom: float, level: float, p: float | None, least: float, paired: bool
) -> Difference:
    half = t_quantile(0.5 + level / 2, freedom) * error
    return Difference(value, value - half, value + half, p, least, error, freedom, paired)


def _permuted(x: Floats, y: Floats) -> float:
    every = np.concatenate((x, y))
    seen, whole = abs(x.mean() - y.mean()), float(every.sum())
    sums = np.array([every[list(chosen)].sum() for chosen in combinations(range(len(every)), len(x))])
    return _share(np.abs(sums / len(x) - (whole - sums) / len(y)), seen)


def _flipped(d: Floats) -> float:
    signs = np.array(list(product((1.0, -1.0), repeat=len(d))))
    return _share(np.abs(signs @ d) / len(d), abs(float(d.mean())))


def _share(all_of_them: Floats, seen: float) -> float:
    """Share of rearrangements that differ at least as much, up to rounding."""
    return float(np.mean(all_of_them >= seen - 1e-12 * max(1.0, seen)))


def holm(ps: Sequence[float]) -> list[float]:
    """Adjusted p-values in the order given (Holm 1979)."""
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    adjusted, largest = [0.0] * len(ps), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[i]))
        adjusted[i] = largest
    return adjusted


def detectable(difference: Difference, power: float = 0.8, level: float = 0.95) -> float:
    """The smallest true difference found with that power: (t₁₋α/₂ + t_power)·SE (Bloom 1995, Evaluation Review 19)."""
    quantiles = t_quantile(0.5 + level / 2, difference.freedom) + t_quantile(power, difference.freedom)
    return quantiles * difference.error
