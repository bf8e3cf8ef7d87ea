"""Whether a run was resumed, from its rows and rates (rule A4)."""

from __future__ import annotations

import numpy as np

from dpo_report.core.model import Run
from dpo_report.plugins.reading.rows import row_steps, total_steps
from dpo_report.plugins.reading.told import at_least, numeric, setting


def resumed_from(run: Run) -> int | None:
    """The step after which this run's summary begins, where the rows show a resumption (rule A4).

    Either the first training row stands later than its logging interval allows, or (transformers 5.21 and newer,
    whose rates count only the steps of the last call) runtime × steps per second falls short of the step count by
    more than rounding can explain.
    """
    total = total_steps(run)
    if total is None:
        return None  # the rows count something else than optimizer steps
    steps = row_steps(run)
    usual = float(np.median(np.diff(steps))) if len(steps) > 2 else 0.0
    every = max(numeric(setting(run, "logging_steps")) or 0.0, usual)  # rows may be rarer: evaluations
    if len(steps) and every >= 1 and steps[0] > every + 0.5:
        return int(steps[0] - every)
    runtime, rate = run.number("train_runtime"), run.number("train_steps_per_second")
    counted = run.status == "completed" and at_least(run, "transformers", 5, 21)
    if counted and runtime is not None and runtime > 0 and rate is not None and rate >= 0:
        most = (runtime + 5e-5) * (rate + 5e-4)
        if most < total - 1:
            return total - round(runtime * rate)
    if at_least(run, "transformers", 5, 21) is False:
        return _resume_by_mean(run, total)
    return None


def _resume_by_mean(run: Run, total: int) -> int | None:
    """Up to transformers 5.18: train_loss = Σ(step losses after r) / T. Finds r > 0 where the rows show it."""
    mean, series = run.number("train_loss"), run.get("loss")
    if mean is None or series is None or len(series) < 4 or int(series.steps[-1]) != total or mean == 0:
        return None
    weights = np.diff(series.steps, prepend=0.0)
    parts = weights * series.values
    if not np.isfinite(parts).all() or abs(parts.sum() / total - mean) <= 0.01 * abs(mean):
        return None
    tails = parts[::-1].cumsum()[::-1][1:] / total
    close = np.abs(tails - mean)
    best = int(close.argmin())
    return int(series.steps[best]) if close[best] <= 0.002 * abs(mean) + 1e-4 else None
