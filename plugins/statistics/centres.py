"""Centres and scatter of rows: robust ones, and the mean over steps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from dpo_report.plugins.statistics.series import Floats, finite_series


def robust_sd(values: ArrayLike) -> float:
    """1.4826 times the median absolute deviation: the standard deviation where the values are normal."""
    (v,) = finite_series(values)
    return 1.4826 * float(np.median(np.abs(v - np.median(v)))) if len(v) else math.nan


def robust_z(values: ArrayLike, window: int = 25) -> Floats:
    """|x - median| / (1.4826 MAD) within ``window`` rows to each side, shape (n,).

    At the ends the window is shifted, not shortened. Where the MAD is 0, z is 0 on the median and infinite
    off it. Above 50,000 rows a window serves all rows of a stretch of n / 50,000.
    """
    (v,) = finite_series(values)
    width = min(2 * window + 1, len(v))
    if not width:
        return v
    stride = math.ceil(len(v) / 50_000)
    views = np.lib.stride_tricks.sliding_window_view(v, width)
    starts = np.clip(np.arange(len(v)) // stride * stride + stride // 2 - window, 0, len(views) - 1)
    used, which = np.unique(starts, return_inverse=True)
    rows = views[used]
    middle = np.median(rows, axis=1)
    spread = 1.4826 * np.median(np.abs(rows - middle[:, None]), axis=1)[which]
    off = np.abs(v - middle[which])
    return np.divide(off, spread, out=np.where(off > 0, np.inf, 0.0), where=spread > 0)


def mean_over_steps(steps: ArrayLike, values: ArrayLike, start: float = 0.0) -> float:
    """Mean of logged means, each weighted by the steps since the row before it (or since ``start``)."""
    s, v = finite_series(steps, values)
    weights = np.diff(s, prepend=start)
    return float(weights @ v / weights.sum()) if weights.sum() > 0 else math.nan
