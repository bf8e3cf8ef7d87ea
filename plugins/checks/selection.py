"""Group F, selection: which checkpoint the numbers describe, and how it was chosen."""

from __future__ import annotations

from dpo_report.core.contract import Check, NotApplicable, Values, found, passed
from dpo_report.core.model import Finding, Run, Series
from dpo_report.core.text import Code, say
from dpo_report.plugins import reading


def evaluations(run: Run) -> list[Series]:
    """Held-out losses, or accuracies where no loss was evaluated."""
    return reading.held_out(run, "loss") or reading.held_out(run, "rewards/accuracies")


def which_checkpoint(run: Run, values: Values) -> Finding:
    """F4."""
    best = run.setting("state.best_model_checkpoint")
    metric = run.setting("metric_for_best_model") or "loss"
    loaded = run.setting("load_best_model_at_end")
    total = reading.total_steps(run)
    if not loaded and not best:
        raise NotApplicable("no best checkpoint was selected")
    name = str(best or "").replace("\\", "/").rstrip("/").rpartition("/")[2]
    if loaded and name:
        text = "The saved model is that of {checkpoint}, selected by {metric} on the held-out set."
        same = total is not None and name == f"checkpoint-{total}"
        return found(say(text, checkpoint=Code(name), metric=Code(str(metric))), "info" if same else "caution")
    if name and total is not None and name != f"checkpoint-{total}":
        return found(
            say(
                "The trainer noted {checkpoint} as best by {metric}, but the values at the end are those of step "
                "{total}; say which of the two is used.",
                checkpoint=Code(name),
                metric=Code(str(metric)),
                total=total,
            ),
            "caution",
        )
    return passed("best and last checkpoint are the same")


def selection(run: Run, values: Values) -> Finding:
    """F5."""
    chosen = run.setting("load_best_model_at_end") or run.setting("state.best_model_checkpoint")
    count = max((len(series) for series in evaluations(run)), default=0)
    if not chosen or count < 2:
        raise NotApplicable("no checkpoint was selected among several evaluations")
    text = "The best checkpoint is the best of {m} evaluations on the same held-out set, hence its value is optimistic."
    return found(say(text, m=count), "caution")


CHECKS = (
    Check(
        "F5",
        "Optimism of selection",
        selection,
        section="limitations",
        order=7,
        source="Dodge et al. 2019",
        forbids="unbiased wording for a selected value",
    ),
    Check(
        "F4",
        "Which checkpoint",
        which_checkpoint,
        section="methodology",
        order=35,
        source="Pineau et al. 2021; Dodge et al. 2019",
        forbids="metrics of two checkpoints mixed",
    ),
)
