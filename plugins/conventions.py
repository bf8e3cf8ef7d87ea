"""Thresholds that several rules share, and the statistics that follow them: windows, intervals, what may be inferred.

A threshold of one rule alone stands beside it. All of them are conventions of ours where nothing else is said; a user
changes them in ``[thresholds]`` of the working folder's ``dpo-report.toml``, and every report shows which counted.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from dpo_report.core.contract import Threshold
from dpo_report.core.model import Run
from dpo_report.plugins import reading, statistics

ENDS = Threshold("C4.ends", 0.1, "share of the logged rows in the first, and in the last, window of medians", high=0.5)
LEAST = Threshold("C4.rows", 3, "rows that a window of medians has at the least", low=1)
UNITS = Threshold("C4.units", statistics.FEWEST, "rows or runs below which no bootstrap interval is given", low=3)
TREND_ROWS = Threshold(
    "C6.rows", 8, "logged rows below which nothing is said of a trend or an end above the start", low=3
)
ROWS = Threshold("K2.rows", 30, "training rows below which nothing is inferred", low=1)
STEPS = Threshold("K2.steps", 20, "optimizer steps below which nothing is inferred", low=1)
CHANCE = Threshold("K2.p", 0.05, "p-value from which a trend, or a difference from chance, is not told as one", high=1)
PAIRS = Threshold("D2.pairs", 30, "pairs, or comparisons, below which a share is a caution at best", low=1)
GAP = Threshold("F2.gap", 0.1, "training accuracy less held-out accuracy above which it is a caution", high=1)
SHARPENED = Threshold("E6.fall", 0.5, "relative fall of the token entropy above which it is told", high=1)

IMPLICIT = "method:dpo,online_dpo"
"""What rules on the implicit reward of pairs need."""
INFERENCE = (ROWS, STEPS)
"""What :func:`inference_allowed` reads."""
WINDOWS = (ENDS, LEAST)
"""What :func:`windows` reads."""


def inference_allowed(run: Run) -> bool:
    """Rules K2 and G8: no interval, trend or percentage below so many steps or distinct rows."""
    rows = reading.dataset_rows(run)
    return (reading.total_steps(run) or 0) >= STEPS.of(run) and (rows is None or rows >= ROWS.of(run))


def windows(run: Run, values: ArrayLike) -> statistics.Windows | None:
    """Medians of both ends of a series; None where the two windows would overlap."""
    return statistics.window_medians(values, ENDS.of(run), int(LEAST.of(run)))


def fall_interval(run: Run, values: ArrayLike) -> tuple[float, float] | None:
    """Interval of the fall from the first window to the last; None where nothing is inferred, or from too few rows."""
    if not inference_allowed(run):
        return None
    share, least, fewest = ENDS.of(run), int(LEAST.of(run)), int(UNITS.of(run))
    return statistics.window_fall_interval(values, share=share, least=least, fewest=fewest)


def mean_interval(run: Run, values: ArrayLike) -> tuple[float, float] | None:
    """Interval of a mean of rows; None where nothing is inferred, or from too few rows."""
    return statistics.bootstrap_mean_interval(values, fewest=int(UNITS.of(run))) if inference_allowed(run) else None
