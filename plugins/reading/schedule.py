"""Warm-up, and the steps that train nothing (rules G5 and D3)."""

from __future__ import annotations

import math

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


def untrained_steps(run: Run) -> int:
    """Steps whose loss is taken at the initial parameters: 1, or 2 where warm-up starts from rate 0 (rule D3)."""
    rates = run.get("learning_rate")
    used = at_least(run, "transformers", 4, 53, 3)
    if rates is not None and len(rates) and used and int(rates.steps[0]) == 1:
        return 2 if rates.values[0] == 0 else 1
    return 2 if (warmup_steps(run) or 0) > 0 else 1
