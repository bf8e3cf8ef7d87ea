"""Scores of several runs on several tasks, and of several configurations: what may be said of all of them together.

Aggregates follow Agarwal et al. 2021 ("Deep Reinforcement Learning at the Edge of the Statistical Precipice"), the
expected best of several trials Dodge et al. 2019 ("Show Your Work"). A table of scores has shape (runs, tasks).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dpo_report.plugins.statistics import RESAMPLES, SEED

Floats = NDArray[np.float64]


def _table(scores: ArrayLike) -> Floats:
    return np.asarray(scores, dtype=np.float64)


def interquartile_mean(scores: ArrayLike) -> float:
    """Mean of the middle half of all scores: a quarter, rounded down, is cut at either end (Agarwal et al. 2021)."""
    v = np.sort(_table(scores).ravel())
    cut = len(v) // 4
    return float(v[cut : len(v) - cut].mean())


def performance_profile(scores: ArrayLike, at: ArrayLike) -> Floats:
    """Share of the runs that score above each value, averaged over tasks; shape (values,) (Agarwal et al. 2021)."""
    return np.asarray((_table(scores)[None] > _table(at)[:, None, None]).mean(axis=(1, 2)))


def probability_of_improvement(scores: ArrayLike, others: ArrayLike) -> float:
    """P(a run scores higher than one of the others on the same task), ties by half, averaged over tasks.

    Mann and Whitney's U over its greatest value, task by task (Agarwal et al. 2021); both tables have the same tasks.
    """
    x, y = _table(scores)[:, None], _table(others)[None]
    return float(((x > y) + 0.5 * (x == y)).mean())


def stratified_interval(
    tables: Sequence[ArrayLike],
    statistic: Callable[..., float | Floats],
    level: float = 0.95,
    resamples: int = RESAMPLES // 5,
    seed: int = SEED,
) -> tuple[Floats, Floats]:
    """Percentile bootstrap of a statistic of some tables, whose runs are drawn anew within every task.

    Gives the lower and the upper ends, each of the statistic's shape (Agarwal et al. 2021).
    """
    arrays = [_table(one) for one in tables]
    rng = np.random.default_rng(seed)
    columns = np.arange(arrays[0].shape[1])
    drawn = [
        statistic(*(one[rng.integers(0, len(one), one.shape), columns] for one in arrays)) for _ in range(resamples)
    ]
    low, high = np.quantile(np.array(drawn), [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return low, high


def expected_best(values: ArrayLike, trials: int) -> float:
    """Mean of the greatest of so many values drawn, with replacement, from these (Dodge et al. 2019, equation 2).

    With the B values in order, the k-th is the greatest with probability (k/B)ⁿ − ((k − 1)/B)ⁿ.
    """
    v = np.sort(_table(values).ravel())
    reached = (np.arange(len(v) + 1) / len(v)) ** trials
    return float(v @ np.diff(reached))
