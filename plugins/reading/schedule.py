"""Warm-up, the stated schedule, and the steps that train nothing (rules G4, G5 and D3)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dpo_report.core.model import Run
from dpo_report.plugins.reading.rows import total_steps
from dpo_report.plugins.reading.told import at_least, numeric, setting


def warmup_steps(run: Run) -> int | None:
    """Warm-up steps: the count, or the share of all steps (``warmup_ratio``, and a ``warmup_steps`` below 1 in v5)."""
    total = run.max_steps or total_steps(run)
    steps, ratio = numeric(setting(run, "warmup_steps")), numeric(setting(run, "warmup_ratio"))
    if steps is not None and steps >= 1:
        return int(steps)
    share = steps or ratio
    if share:
        return math.ceil(min(max(share, 0.0), 1.0) * total) if total else None
    return 0 if steps is not None or ratio is not None else None


SCHEDULES = ("linear", "cosine", "constant", "constant_with_warmup")
"""Schedules whose rates are predicted (transformers ``optimization.py``), each after a linear warm-up from 0."""
CLOSE = 0.01
"""Error of a logged rate, as a share of the peak, up to which it is that of the schedule."""


def schedule_errors(run: Run) -> tuple[float, float] | None:
    """Largest distance of the logged rates from the stated schedule, as a share of the peak; None where not known.

    First where a row shows the rate of the step after it, then where it shows the rate used for its own step.
    """
    rates = run.get("learning_rate")
    peak, total = numeric(setting(run, "learning_rate")), run.max_steps
    schedule, warm = str(setting(run, "lr_scheduler_type")), warmup_steps(run)
    if rates is None or not len(rates) or not peak or not total or warm is None or schedule not in SCHEDULES:
        return None
    later, own = (
        float(np.nanmax(np.abs(rates.values / peak - _shape(rates.steps - shift, schedule, warm, total))))
        for shift in (0, 1)
    )
    return later, own


def _shape(done: NDArray[np.float64], schedule: str, warm: int, total: int) -> NDArray[np.float64]:
    """Rate over its peak after so many steps, shape (n,)."""
    share = np.clip((done - warm) / max(total - warm, 1), 0, 1)
    shape = {"linear": 1 - share, "cosine": 0.5 * (1 + np.cos(math.pi * share))}.get(schedule, np.ones_like(share))
    return np.where(done < warm, done / warm, shape) if schedule != "constant" and warm else shape


def logs_used_rate(run: Run) -> bool | None:
    """Whether a row shows the rate used for its step, not that of the next one; None where it cannot be told.

    Transformers shows it from 4.53.3 on, but trainers built on it may log otherwise (ms-swift does): where only one
    of the two fits the stated schedule, that one it is.
    """
    errors = schedule_errors(run)
    if errors is not None and min(errors) <= CLOSE < max(errors):
        return errors[1] <= CLOSE
    return at_least(run, "transformers", 4, 53, 3)


def untrained_steps(run: Run) -> int:
    """Steps whose loss is taken at the initial parameters: 1, or 2 where warm-up starts from rate 0 (rule D3)."""
    rates = run.get("learning_rate")
    if rates is not None and len(rates) and logs_used_rate(run) and int(rates.steps[0]) == 1:
        return 2 if rates.values[0] == 0 else 1
    return 2 if (warmup_steps(run) or 0) > 0 else 1
