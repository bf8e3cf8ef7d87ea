"""Monotone trends: Theil-Sen's slope and Mann-Kendall's p, corrected for rows that depend on each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dpo_report.plugins.statistics.kendall import EXACT, kendall_variance, mann_kendall, ties_of
from dpo_report.plugins.statistics.series import finite_series, reduced
from dpo_report.plugins.statistics.shares import normal_quantile


@dataclass(frozen=True, slots=True)
class Trend:
    """A monotone trend: Theil-Sen slope with its interval, Mann-Kendall's two-sided p."""

    slope: float
    """Change of the value per unit of x."""
    low: float
    """Lower end of the slope's interval."""
    high: float
    """Upper end."""
    p: float
    """Two-sided probability of an S at least as far from 0 without a trend."""
    n: int
    """Rows."""
    n_eff: float
    """Rows after the correction for autocorrelation; ``n`` (or ``blocks``) where none was made."""
    rho: float
    """Lag-1 autocorrelation of the detrended rows; NaN below :data:`EXACT` rows."""
    blocks: int | None
    """Number of block medians that stand for the rows; None where every row was used."""


def theil_sen(x: ArrayLike, y: ArrayLike, level: float = 0.95, inflate: float = 1.0) -> tuple[float, float, float]:
    """Median of all pairwise slopes, and its interval (Theil 1950; Sen 1968).

    The interval follows from Kendall's variance with ties, which ``inflate`` multiplies (autocorrelation).
    Above :data:`UNITS` rows block medians stand for rows. Raises ValueError below two different x.
    """
    (x, y), _ = reduced(*finite_series(x, y))
    i, j = np.triu_indices(len(x), 1)
    run = x[j] - x[i]
    slopes = np.sort((y[j] - y[i])[run != 0] / run[run != 0])
    if not len(slopes):
        raise ValueError("needs two different x")
    width = normal_quantile(level) * math.sqrt(inflate * kendall_variance(len(x), ties_of(x), ties_of(y)))
    low = max(round((len(slopes) - width) / 2) - 1, 0)
    high = min(round((len(slopes) + width) / 2), len(slopes) - 1)
    return float(np.median(slopes)), float(slopes[low]), float(slopes[high])


def jump(before: ArrayLike, after: ArrayLike) -> tuple[float, float]:
    """Jump between two stretches of a curve beyond their common slope, and its standard error.

    Least squares of the rows on 1, their place and whether they are ``after`` (a regression discontinuity).
    Raises ValueError below four rows in all, or without any on one side.
    """
    before, after = finite_series(before)[0], finite_series(after)[0]
    y = np.concatenate((before, after))
    if not len(before) or not len(after) or len(y) < 4:
        raise ValueError("needs four rows, and one on each side")
    place = np.arange(len(y)) - (len(y) - 1) / 2
    design = np.column_stack((np.ones(len(y)), place, np.arange(len(y)) >= len(before)))
    with np.errstate(over="ignore", invalid="ignore"):
        fitted = np.linalg.lstsq(design, y, rcond=None)[0]
        rest = y - design @ fitted
        variance = float(rest @ rest) / (len(y) - 3) * np.linalg.inv(design.T @ design)[2, 2]
    return float(fitted[2]), math.sqrt(variance) if math.isfinite(variance) else math.inf


def lag1(residuals: ArrayLike) -> float:
    """Lag-1 autocorrelation; 0 for a constant."""
    (r,) = finite_series(residuals)
    r = r - r.mean()
    square = float(r @ r)
    return float(r[1:] @ r[:-1]) / square if square > 0 else 0.0


def trend(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Trend:
    """Slope and p of a series, both corrected where its rows depend on each other.

    From :data:`EXACT` rows on, a lag-1 autocorrelation rho of the detrended rows above 0.2 shortens the
    series to n_eff = n (1 - rho) / (1 + rho) (the AR(1) case of Hamed & Rao 1998). Needs three rows.
    """
    x, y = finite_series(x, y)
    n = len(y)
    (x, y), blocks = reduced(x, y)
    slope, low, high = theil_sen(x, y, level)
    n_eff, rho = float(len(y)), math.nan
    if len(y) >= EXACT:
        rho = lag1(y - slope * x)
        if rho > 0.2:
            n_eff = max(2.0, len(y) * (1 - rho) / (1 + rho))
            slope, low, high = theil_sen(x, y, level, inflate=len(y) / n_eff)
    return Trend(slope, low, high, mann_kendall(y, inflate=len(y) / n_eff), n, n_eff, rho, blocks)
