"""The share over the steps, as data: dpo-report draws it."""

from __future__ import annotations

from dpo_report.core.contract import Curve, NotApplicable, Values
from dpo_report.core.model import Run
from dpo_report.core.plot import Figure, Line, Panel
from dpo_report.core.text import say


def build(run: Run, values: Values) -> Figure:
    """One panel with a marker for each count."""
    share = run.series["edges/share", "eval"]
    if len(share) < 2:
        raise NotApplicable("a curve needs two counts")
    line = Line("right", share.steps, share.values, role="eval", marks=True)
    caption = say("Share of right answers, counted at {n} steps.", n=len(share))
    return Figure("edges", "Edges", caption, (Panel("Share of right answers", (line,), y_from=0.0),))


CURVE = Curve("edges", "Edges", build, needs=("eval:edges/share",))
