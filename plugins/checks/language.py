"""Groups J and K: one seed, a run too small for inference, and the words that a single run does not license."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Values, found, passed
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import say
from dpo_report.plugins import reading
from dpo_report.plugins.conventions import INFERENCE, ROWS, STEPS
from dpo_report.plugins.several import groups


def one_seed(run: Run, values: Values) -> Finding:
    """J1."""
    if run.status == "no-metrics":
        raise NotApplicable("the run holds no metrics at all")
    repeated = len(groups(run)[0].runs)
    if repeated > 1:
        return passed(f"reported with {repeated - 1} more that differ in their seed only (J2)")
    seed = reading.setting(run, "seed")
    which = f" (seed {seed})" if seed is not None else ""
    return found(
        say("All values come from a single run{which}; variation over seeds was not measured.", which=which),
        "caution",
    )


def too_small(run: Run, values: Values) -> Finding:
    """K2."""
    rows, total = reading.dataset_rows(run), reading.total_steps(run)
    parts = []
    if rows is not None and rows < ROWS.of(run):
        parts.append(numbers.plural(rows, reading.sample_word(run)))
    if total is not None and total < STEPS.of(run):
        parts.append(numbers.plural(total, "update"))
    if not parts:
        return passed("large enough for intervals and trends")
    text = "The run is too small for inference: percentages, p-values and trends are not given."
    return found(say(text, what=" and ".join(parts)), "warning")


CHECKS = (
    Check(
        "J1",
        "One seed",
        one_seed,
        section="limitations",
        order=6,
        source="Henderson et al. 2018; Bouthillier et al. 2021; Agarwal et al. 2021",
        forbids="any ± from one run",
    ),
    Check(
        "K2",
        "Too small for inference",
        too_small,
        section="limitations",
        order=5,
        source="Bowyer et al. 2025; a convention of ours",
        forbids="percentages, p-values, “trend”",
        thresholds=INFERENCE,
    ),
)
