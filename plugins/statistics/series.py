"""What all of these methods take: finite one-dimensional arrays, long ones by the medians of blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

UNITS = 500
"""Rows above which the quadratic methods reduce a series to as many block medians."""


def finite_series(*arrays: ArrayLike) -> list[Floats]:
    series = [np.asarray(array, dtype=np.float64) for array in arrays]
    if any(one.ndim != 1 or not np.isfinite(one).all() or len(one) != len(series[0]) for one in series):
        raise ValueError("needs finite values in one dimension, of one length")
    return series


def block_medians(values: Floats, blocks: int = UNITS) -> Floats:
    """Medians of so many consecutive, equal (up to one row) blocks, shape (blocks,)."""
    return np.array([np.median(part) for part in np.array_split(values, blocks)])


def reduced(*series: Floats) -> tuple[list[Floats], int | None]:
    if len(series[0]) <= UNITS:
        return list(series), None
    return [block_medians(one) for one in series], UNITS
