"""Group F, selection: which checkpoint the numbers describe, and how it was chosen."""

from __future__ import annotations

from dpo_report.core.contract import Check, NotApplicable, Values, found, passed
from dpo_report.core.model import Finding, Run, Series
from dpo_report.core.text import Code, say
from dpo_report.plugins import reading


def evaluations(run: Run) -> list[Series]:
    """Held-out losses, or accuracies where no loss was evaluated."""
    return reading.held_out(run, "loss") or reading.held_out(run, "rewards/accuracies")


def best_checkpoint(run: Run) -> str:
    """The folder that the trainer noted as best; empty where it noted none."""
    noted = run.summary.get("best_model_checkpoint")
    return str(noted.value).replace("\\", "/").rstrip("/").rpartition("/")[2] if noted is not None else ""


def which_checkpoint(run: Run, values: Values) -> Finding:
    """F4."""
    name, loaded, total = best_checkpoint(run), run.setting("load_best_model_at_end"), reading.total_steps(run)
    metric = Code(str(run.setting("metric_for_best_model") or "loss"))
    if not loaded and not name:
        raise NotApplicable("no best checkpoint was selected")
    same = total is not None and name == f"checkpoint-{total}"
    if loaded and name:
        text = "The saved model is that of {checkpoint}, selected by {metric} on the held-out set."
        return found(say(text, checkpoint=Code(name), metric=metric), "info" if same else "caution")
    if loaded and run.status != "completed":
        raise NotApplicable("the run did not come to load its best checkpoint, or does not tell whether it did")
    if loaded:
        text = "The checkpoint best by {metric} was to be loaded at the end; which one it was, the run does not tell."
        return found(say(text, metric=metric), "caution")
    if total is not None and not same:
        return found(
            say(
                "The trainer noted {checkpoint} as best by {metric}, but the values at the end are those of step "
                "{total}; say which of the two is used.",
                checkpoint=Code(name),
                metric=metric,
                total=total,
            ),
            "caution",
        )
    return passed("best and last checkpoint are the same")


def selection(run: Run, values: Values) -> Finding:
    """F5."""
    chosen = run.setting("load_best_model_at_end") or best_checkpoint(run)
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
