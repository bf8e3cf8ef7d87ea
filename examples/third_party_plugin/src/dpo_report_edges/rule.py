"""What may be said of the counts: the last one with its interval, and no change that chance explains."""

from __future__ import annotations

from dpo_report_edges.metric import NAME, wilson

from dpo_report.core import numbers
from dpo_report.core.contract import Check, Values, found
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import say


def explain(run: Run, values: Values) -> Finding:
    """The intervals of the first and the last count: a change is told only where they do not overlap."""
    share, asked = run.series["edges/share", "eval"], run.series["edges/asked", "eval"]
    first, last = ((float(share.values[i]), float(asked.values[i])) for i in (0, -1))
    (low, high), (start_low, start_high) = (wilson(p * n, n) for p, n in (last, first))
    if low > start_high:
        change = "more than at step {start}, where it was {before}"
    elif high < start_low:
        change = "fewer than at step {start}, where it was {before}"
    else:
        change = "which does not differ from the first count ({before}, step {start}) by more than chance explains"
    if len(share) < 2:
        change = "counted once, so nothing is said about a change"
    text = say(
        "At step {step}, {k} of {n} answers were right (95 % Wilson interval {low} to {high}), " + change + ".",
        step=numbers.count(share.steps[-1]),
        start=numbers.count(share.steps[0]),
        k=numbers.count(last[0] * last[1]),
        n=numbers.count(last[1]),
        low=numbers.fixed(low, 2),
        high=numbers.fixed(high, 2),
        before=numbers.fraction(round(first[0] * first[1]), round(first[1])),
    )
    return found(text, evidence=(NAME,))


RULE = Check(
    "EDGES1",
    "Right answers",
    explain,
    needs=("eval:edges/share", f"value:{NAME}"),
    section="edges",
    order=10,
    source="Wilson (1927); that intervals must not overlap is a convention, and a strict one",
    forbids="An improvement where the intervals of the first and the last count overlap.",
)
