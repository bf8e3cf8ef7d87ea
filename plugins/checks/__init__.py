"""The rules of what may be said, one module a group; each rule has a code, a sentence and what it forbids."""

from __future__ import annotations

from dpo_report.core.contract import Check
from dpo_report.core.hookspecs import hookimpl


@hookimpl
def register_checks() -> tuple[Check, ...]:
    """Every built-in check."""
    from dpo_report.plugins.checks import (
        accuracy,
        batch,
        coherence,
        compute,
        dataset,
        energy,
        evaluation,
        heldout,
        judged,
        language,
        likelihood,
        loss,
        margins,
        methods,
        nonfinite,
        optimizer,
        policy,
        provenance,
        scaling,
        schedule,
        seeds,
        selection,
        settings,
        tasks,
        timing,
        trend,
        tuning,
        wording,
    )

    return (
        provenance.CHECKS
        + batch.CHECKS
        + coherence.CHECKS
        + loss.CHECKS
        + trend.CHECKS
        + nonfinite.CHECKS
        + margins.CHECKS
        + accuracy.CHECKS
        + likelihood.CHECKS
        + heldout.CHECKS
        + selection.CHECKS
        + evaluation.CHECKS
        + schedule.CHECKS
        + optimizer.CHECKS
        + settings.CHECKS
        + timing.CHECKS
        + scaling.CHECKS
        + compute.CHECKS
        + language.CHECKS
        + methods.CHECKS
        + policy.CHECKS
        + dataset.CHECKS
        + judged.CHECKS
        + energy.CHECKS
        + seeds.CHECKS
        + tasks.CHECKS
        + tuning.CHECKS
        + wording.CHECKS
    )
