"""Small statistics of runs, on numpy alone: every interval and p-value of a report comes from here.

All arrays are one-dimensional and finite (callers drop NaN and infinities and say so). Nothing here is slow
on long runs: above :data:`UNITS` rows the quadratic methods work on the medians of that many equal blocks
of rows, and a :class:`Trend` says so in ``blocks``.
"""

from __future__ import annotations

from dpo_report.plugins.statistics.bootstrap import FEWEST, RESAMPLES, SEED, bootstrap_mean_interval
from dpo_report.plugins.statistics.centres import mean_over_steps, robust_sd, robust_z
from dpo_report.plugins.statistics.kendall import EXACT, mann_kendall
from dpo_report.plugins.statistics.powerlaw import PowerLaw, power_law
from dpo_report.plugins.statistics.series import UNITS, block_medians
from dpo_report.plugins.statistics.shares import binomial_two_sided, normal_quantile, wilson
from dpo_report.plugins.statistics.student import mean_interval, t_cdf, t_quantile
from dpo_report.plugins.statistics.trends import Trend, jump, lag1, theil_sen, trend
from dpo_report.plugins.statistics.windows import ENDS, LEAST, Windows, window_fall_interval, window_medians

__all__ = [
    "ENDS",
    "EXACT",
    "FEWEST",
    "LEAST",
    "RESAMPLES",
    "SEED",
    "UNITS",
    "PowerLaw",
    "Trend",
    "Windows",
    "binomial_two_sided",
    "block_medians",
    "bootstrap_mean_interval",
    "jump",
    "lag1",
    "mann_kendall",
    "mean_interval",
    "mean_over_steps",
    "normal_quantile",
    "power_law",
    "robust_sd",
    "robust_z",
    "t_cdf",
    "t_quantile",
    "theil_sen",
    "trend",
    "wilson",
    "window_fall_interval",
    "window_medians",
]
