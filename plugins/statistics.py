"""Small statistics of runs, on numpy alone: every interval and p-value of a report comes from here.

All arrays are one-dimensional and finite (callers drop NaN and infinities and say so). Nothing here is slow
on long runs: above :data:`UNITS` rows the quadratic methods work on the medians of that many equal blocks
of rows, and a :class:`Trend` says so in ``blocks``.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

UNITS = 500
"""Rows above which the quadratic methods reduce a series to as many block medians."""
RESAMPLES = 10_000
"""Bootstrap resamples."""
SEED = 20260923
"""Default seed of every bootstrap, printed in reports."""
FEWEST = 8
"""Independent units below which no bootstrap interval is given, unless another number is asked for (a convention)."""
ENDS, LEAST = 0.1, 3
"""Share of the rows in a window of medians, and the rows that it has at the least (conventions)."""
EXACT = 20
"""Rows below which Mann-Kendall's p is exact and autocorrelation, not to be told there, is not corrected."""

MANY = 1_000_000
"""Trials above which a binomial p is not summed outcome by outcome."""


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


def _series(*arrays: ArrayLike) -> list[Floats]:
    series = [np.asarray(array, dtype=np.float64) for array in arrays]
    if any(one.ndim != 1 or not np.isfinite(one).all() or len(one) != len(series[0]) for one in series):
        raise ValueError("needs finite values in one dimension, of one length")
    return series


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


def block_medians(values: Floats, blocks: int = UNITS) -> Floats:
    """Medians of so many consecutive, equal (up to one row) blocks, shape (blocks,)."""
    return np.array([np.median(part) for part in np.array_split(values, blocks)])


def _reduced(*series: Floats) -> tuple[list[Floats], int | None]:
    if len(series[0]) <= UNITS:
        return list(series), None
    return [block_medians(one) for one in series], UNITS


def _ties(values: Floats) -> list[int]:
    return [int(size) for size in np.unique(values, return_counts=True)[1] if size > 1]


def _kendall_variance(n: int, *ties: list[int]) -> float:
    """Variance of Kendall's S without a trend, ties corrected (Kendall 1975, chapter 4)."""
    tied = sum(t * (t - 1) * (2 * t + 5) for sizes in ties for t in sizes)
    return (n * (n - 1) * (2 * n + 5) - tied) / 18


def theil_sen(x: ArrayLike, y: ArrayLike, level: float = 0.95, inflate: float = 1.0) -> tuple[float, float, float]:
    """Median of all pairwise slopes, and its interval (Theil 1950; Sen 1968).

    The interval follows from Kendall's variance with ties, which ``inflate`` multiplies (autocorrelation).
    Above :data:`UNITS` rows block medians stand for rows. Raises ValueError below two different x.
    """
    (x, y), _ = _reduced(*_series(x, y))
    i, j = np.triu_indices(len(x), 1)
    run = x[j] - x[i]
    slopes = np.sort((y[j] - y[i])[run != 0] / run[run != 0])
    if not len(slopes):
        raise ValueError("needs two different x")
    width = normal_quantile(level) * math.sqrt(inflate * _kendall_variance(len(x), _ties(x), _ties(y)))
    low = max(round((len(slopes) - width) / 2) - 1, 0)
    high = min(round((len(slopes) + width) / 2), len(slopes) - 1)
    return float(np.median(slopes)), float(slopes[low]), float(slopes[high])


def _kendall_s(y: Floats) -> int:
    """Rising minus falling pairs."""
    return int(sum(np.sign(y[i + 1 :] - y[i]).sum() for i in range(len(y) - 1)))


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


def mann_kendall(y: ArrayLike, inflate: float = 1.0) -> float:
    """Two-sided p of no monotone trend (Mann 1945; Kendall 1975).

    Below :data:`EXACT` rows exact, with or without ties; else normal with continuity and tie correction, and
    ``inflate`` (n / n_eff, Hamed & Rao 1998) multiplies the variance. Above :data:`UNITS` rows block medians
    stand for rows. NaN below three rows.
    """
    (y,), _ = _reduced(*_series(y))
    n, s, ties = len(y), abs(_kendall_s(y)), _ties(y)
    if n < 3:
        return math.nan
    if n < EXACT:
        ways = _orderings(n, ties)  # S = pairs that differ - 2 * inversions
        far = sum(count for falls, count in enumerate(ways) if abs(len(ways) - 1 - 2 * falls) >= s)
        return far / sum(ways)
    variance = inflate * _kendall_variance(n, ties)
    return math.erfc(max(0, s - 1) / math.sqrt(2 * variance)) if variance > 0 else 1.0


def lag1(residuals: ArrayLike) -> float:
    """Lag-1 autocorrelation; 0 for a constant."""
    (r,) = _series(residuals)
    r = r - r.mean()
    square = float(r @ r)
    return float(r[1:] @ r[:-1]) / square if square > 0 else 0.0


def trend(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Trend:
    """Slope and p of a series, both corrected where its rows depend on each other.

    From :data:`EXACT` rows on, a lag-1 autocorrelation rho of the detrended rows above 0.2 shortens the
    series to n_eff = n (1 - rho) / (1 + rho) (the AR(1) case of Hamed & Rao 1998). Needs three rows.
    """
    x, y = _series(x, y)
    n = len(y)
    (x, y), blocks = _reduced(x, y)
    slope, low, high = theil_sen(x, y, level)
    n_eff, rho = float(len(y)), math.nan
    if len(y) >= EXACT:
        rho = lag1(y - slope * x)
        if rho > 0.2:
            n_eff = max(2.0, len(y) * (1 - rho) / (1 + rho))
            slope, low, high = theil_sen(x, y, level, inflate=len(y) / n_eff)
    return Trend(slope, low, high, mann_kendall(y, inflate=len(y) / n_eff), n, n_eff, rho, blocks)


def window_medians(values: ArrayLike, share: float = ENDS, least: int = LEAST) -> Windows | None:
    """Medians of the first and last share of the rows, so many at least; None where the two would overlap."""
    (v,) = _series(values)
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
    (v,) = _series(values)
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
    chunk = max(1, 2_000_000 // size)
    for at in range(0, resamples, chunk):
        rows = min(chunk, resamples - at)
        starts = rng.integers(0, len(units) - block + 1, (rows, draws, 1))
        drawn = units[(starts + np.arange(block)).reshape(rows, -1)[:, :size]]
        centres[at : at + rows] = drawn.mean(axis=1) if many else np.median(drawn, axis=1)
    return centres - (units.mean() if many else float(np.median(units)))


def bootstrap_mean_interval(
    values: ArrayLike, level: float = 0.95, resamples: int = RESAMPLES, seed: int = SEED, fewest: int = FEWEST
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of the mean of independent units (Efron & Tibshirani 1993).

    None below ``fewest`` units. Above :data:`UNITS` units the means of as many random groups are drawn
    instead: as the units are independent, this has the same variance.
    """
    (v,) = _series(values)
    if len(v) < fewest:
        return None
    if len(v) > UNITS:
        whole = len(v) // UNITS * UNITS
        groups = np.random.default_rng(seed).permutation(v)[:whole].reshape(UNITS, -1).mean(axis=1)
        v = groups + (v.mean() - groups.mean())
    rng = np.random.default_rng(seed)
    chunk = max(1, 2_000_000 // len(v))
    sizes = [min(chunk, resamples - at) for at in range(0, resamples, chunk)]
    means = np.concatenate([v[rng.integers(0, len(v), (rows, len(v)))].mean(axis=1) for rows in sizes])
    low, high = np.quantile(means, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def robust_sd(values: ArrayLike) -> float:
    """1.4826 times the median absolute deviation: the standard deviation where the values are normal."""
    (v,) = _series(values)
    return 1.4826 * float(np.median(np.abs(v - np.median(v)))) if len(v) else math.nan


def robust_z(values: ArrayLike, window: int = 25) -> Floats:
    """|x - median| / (1.4826 MAD) within ``window`` rows to each side, shape (n,).

    At the ends the window is shifted, not shortened. Where the MAD is 0, z is 0 on the median and infinite
    off it. Above 50,000 rows a window serves all rows of a stretch of n / 50,000.
    """
    (v,) = _series(values)
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
    s, v = _series(steps, values)
    weights = np.diff(s, prepend=start)
    return float(weights @ v / weights.sum()) if weights.sum() > 0 else math.nan
