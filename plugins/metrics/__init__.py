"""The built-in metrics, one module a subject; reports list values in this order."""

from __future__ import annotations

from dpo_report.core.contract import Metric
from dpo_report.core.hookspecs import hookimpl
from dpo_report.plugins.metrics import loss, model, policy, rewards, steps, timing


@hookimpl
def register_metrics() -> tuple[Metric, ...]:
    """Every built-in metric."""
    return steps.METRICS + loss.METRICS + rewards.METRICS + policy.METRICS + timing.METRICS + model.METRICS
