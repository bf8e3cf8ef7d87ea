"""Student's t distribution, and the interval of a mean that rests on it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def t_cdf(t: float, freedom: float) -> float:
    """P(T <= t) of Student's t: ½·I(ν/(ν+t²); ν/2, ½) in the lower tail (Abramowitz & Stegun 26.7.1, 26.5.27)."""
    tail = 0.5 * _beta(freedom / (freedom + t * t), freedom / 2, 0.5)
    return 1 - tail if t > 0 else tail


def t_quantile(share: float, freedom: float) -> float:
    """The t below which that share of Student's distribution lies, by bisection; 0 < share < 1."""
    if not 0 < share < 1:
        raise ValueError("needs 0 < share < 1")
    if share < 0.5:
        return -t_quantile(1 - share, freedom)
    low, high = 0.0, 1.0
    while t_cdf(high, freedom) < share:
        low, high = high, 2 * high
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if t_cdf(middle, freedom) < share else (low, middle)
    return (low + high) / 2


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function by Lentz's continued fraction (Press et al. 2007, section 6.4)."""
    if x in (0.0, 1.0):
        return x
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    tiny, c, d = 1e-300, 1.0, 0.0
    fraction = 1.0
    for i in range(500):
        m = i // 2
        if i == 0:
            term = 1.0
        elif i % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + term * d or tiny)
        c = 1 + term / c or tiny
        fraction *= c * d
        if i and abs(c * d - 1) < 1e-15:
            break
    return front * (fraction - 1)


def mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Student's interval of a mean; needs two values."""
    v = np.asarray(values, dtype=np.float64)
    half = t_quantile(0.5 + level / 2, len(v) - 1) * float(v.std(ddof=1)) / math.sqrt(len(v))
    return float(v.mean()) - half, float(v.mean()) + half
