"""The rules of what may be said, one module a group; each rule has a code, a sentence and what it forbids."""

from __future__ import annotations

from dpo_report.core.contract import Check
from dpo_report.core.hookspecs import hookimpl
from dpo_report.plugins.checks import (
    arithmetic,
    compute,
    evaluation,
    heldout,
    language,
    likelihood,
    loss,
    methods,
    optimizer,
    provenance,
    rewards,
    settings,
    trend,
)


@hookimpl
def register_checks() -> tuple[Check, ...]:
    """Every built-in check."""
    return (
        provenance.CHECKS
        + arithmetic.CHECKS
        + loss.CHECKS
        + trend.CHECKS
        + rewards.CHECKS
        + likelihood.CHECKS
        + heldout.CHECKS
        + evaluation.CHECKS
        + optimizer.CHECKS
        + settings.CHECKS
        + compute.CHECKS
        + language.CHECKS
        + methods.CHECKS
    )
