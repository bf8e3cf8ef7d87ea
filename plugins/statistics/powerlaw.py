"""Growth as a power of a size: y = c·sizeᵃ."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dpo_report.plugins.statistics.series import finite_series
from dpo_report.plugins.statistics.student import t_quantile


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """The exponent of a power law with its interval."""

    exponent: float
    """Change of log y per unit of log size."""
    low: float
    """Lower end of its interval."""
    high: float
    """Upper end."""


def power_law(sizes: ArrayLike, y: ArrayLike, level: float = 0.95) -> PowerLaw:
    """Least squares of log y on log size, with Student's interval of the slope (Draper & Smith 1998, section 1.4).

    The interval is b ± t(n - 2)·s/√Σ(x - x̄)², where s² is the sum of squared residuals over n - 2: deviations are
    taken as a share of y, independent and of one scatter at every size.

    Raises:
        ValueError: fewer than three points or two different sizes, or a size or y that is not above 0.
    """
    sizes, y = finite_series(sizes, y)
    if len(sizes) < 3 or len(np.unique(sizes)) < 2 or min(sizes.min(), y.min()) <= 0:
        raise ValueError("needs three points above 0, of two different sizes")
    x, logs = np.log(sizes), np.log(y)
    x = x - x.mean()
    square = float(x @ x)
    slope = float(x @ logs) / square
    rest = logs - logs.mean() - slope * x
    freedom = len(x) - 2
    half = t_quantile(0.5 + level / 2, freedom) * math.sqrt(float(rest @ rest) / freedom / square)
    return PowerLaw(slope, slope - half, slope + half)
