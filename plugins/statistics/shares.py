"""Shares of trials: Wilson's interval and the exact binomial test."""

from __future__ import annotations

import math

import numpy as np

MANY = 1_000_000
"""Trials above which a binomial p is not summed outcome by outcome."""


def normal_quantile(level: float) -> float:
    """The z of a two-sided interval: 1.96 for 0.95."""
    if level == 0.95:
        return 1.959963984540054
    from statistics import NormalDist

    return NormalDist().inv_cdf(0.5 + level / 2)


def wilson(k: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Score interval of a rate of ``k`` in ``n`` (Wilson 1927; recommended by Brown, Cai & DasGupta 2001)."""
    if not 0 <= k <= n or n < 1:
        raise ValueError("needs 0 <= k <= n and n >= 1")
    p, square = k / n, normal_quantile(level) ** 2 / n
    middle = (p + square / 2) / (1 + square)
    half = math.sqrt(square * (p * (1 - p) + square / 4)) / (1 + square)
    return (0.0 if k == 0 else max(0.0, middle - half)), (1.0 if k == n else min(1.0, middle + half))


def binomial_two_sided(k: int, n: int, p: float = 0.5) -> float:
    """Exact two-sided p: the probability of all outcomes no likelier than ``k`` (as R's binom.test).

    Above :data:`MANY` trials it is the normal approximation, which is then as good and needs no table of outcomes.
    """
    if not 0 <= k <= n or not 0 < p < 1:
        raise ValueError("needs 0 <= k <= n and 0 < p < 1")
    if n > MANY:
        return math.erfc(max(0.0, abs(k / n - p) - 0.5 / n) * math.sqrt(n / (2 * p * (1 - p))))
    i = np.arange(n)
    steps = np.log((n - i) / (i + 1)) + math.log(p / (1 - p))
    log_pmf = n * math.log1p(-p) + np.concatenate(([0.0], np.cumsum(steps)))
    return float(min(1.0, np.exp(log_pmf[log_pmf <= log_pmf[k] + 1e-7]).sum()))
