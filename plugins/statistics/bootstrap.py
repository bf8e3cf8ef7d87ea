"""The bootstrap of a mean of independent units."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dpo_report.plugins.statistics.series import UNITS, finite_series

RESAMPLES = 10_000
"""Bootstrap resamples."""
SEED = 20260923
"""Default seed of every bootstrap, printed in reports."""
FEWEST = 8
"""Independent units below which no bootstrap interval is given, unless another number is asked for (a convention)."""
CELLS = 2_000_000
"""Drawn values that are held in memory at once."""


def bootstrap_mean_interval(
    values: ArrayLike, level: float = 0.95, resamples: int = RESAMPLES, seed: int = SEED, fewest: int = FEWEST
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of the mean of independent units (Efron & Tibshirani 1993).

    None below ``fewest`` units. Above :data:`UNITS` units the means of as many random groups are drawn
    instead: as the units are independent, this has the same variance.
    """
    (v,) = finite_series(values)
    if len(v) < fewest:
        return None
    if len(v) > UNITS:
        whole = len(v) // UNITS * UNITS
        groups = np.random.default_rng(seed).permutation(v)[:whole].reshape(UNITS, -1).mean(axis=1)
        v = groups + (v.mean() - groups.mean())
    rng = np.random.default_rng(seed)
    chunk = max(1, CELLS // len(v))
    sizes = [min(chunk, resamples - at) for at in range(0, resamples, chunk)]
    means = np.concatenate([v[rng.integers(0, len(v), (rows, len(v)))].mean(axis=1) for rows in sizes])
    low, high = np.quantile(means, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
