"""The built-in metrics, one module a subject; reports list values in this order."""

from __future__ import annotations

from dpo_report.core.contract import Metric
from dpo_report.core.hookspecs import hookimpl


@hookimpl
def register_metrics() -> tuple[Metric, ...]:
    """Every built-in metric."""
    from dpo_report.plugins.metrics import after, evaluation, loss, model, others, policy, rewards, steps, timing

    held_out = rewards.METRICS + after.METRICS + evaluation.METRICS
    return steps.METRICS + loss.METRICS + held_out + others.METRICS + policy.METRICS + timing.METRICS + model.METRICS
