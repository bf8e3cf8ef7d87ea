"""The performance profile of several seeds on several held-out sets (rule J3)."""

from __future__ import annotations

import numpy as np

from dpo_report.core import numbers
from dpo_report.core.contract import NotApplicable, Values
from dpo_report.core.model import Run
from dpo_report.core.plot import Figure, Line, Panel
from dpo_report.core.text import say
from dpo_report.plugins import aggregate
from dpo_report.plugins.aggregate import Floats
from dpo_report.plugins.checks.seeds import FEW_SEEDS
from dpo_report.plugins.conventions import UNITS, inference_allowed
from dpo_report.plugins.several import Group, recipes
from dpo_report.plugins.tasks import scores, tasks

_OTHERS = 2
"""Other recipes that are drawn beside the run's own."""


def profile(run: Run, values: Values) -> Figure:
    """For each accuracy, the share of runs that exceed it, averaged over held-out sets (Agarwal et al. 2021)."""
    del values
    own, *others = recipes(run)
    sets, fewest = tasks(run), FEW_SEEDS.of(run)
    table = scores(own.runs, sets) if len(sets) > 1 and len(own.runs) >= fewest else None
    if table is None:
        raise NotApplicable(f"{fewest:g} seeds that were evaluated on the same two or more held-out sets are needed")
    beside = [(other, scores(other.runs, sets)) for other in others if len(other.runs) >= fewest]
    drawn = [(other, theirs) for other, theirs in beside if theirs is not None][:_OTHERS]
    reached = np.concatenate([table.ravel(), *(theirs.ravel() for _, theirs in drawn)])
    at = np.linspace(max(0.0, reached.min() - 0.05), min(1.0, reached.max() + 0.05), 101)
    sure = inference_allowed(run) and table.size >= UNITS.of(run)
    lines = [_line("this recipe", table, at, sure, "train", False)]
    lines += [_line(_label(other), theirs, at, False, "other", bool(n)) for n, (other, theirs) in enumerate(drawn)]
    caption = say(
        "Share of {k} seeds whose accuracy exceeds a value, averaged over {m} held-out sets{band} [@agarwal2021].",
        k=numbers.count(len(table)),
        m=numbers.count(len(sets)),
        band="; band: 95 % stratified bootstrap over seeds, point by point" if sure else "",
    )
    panel = Panel("Share of runs above", tuple(lines), x_label="Held-out accuracy", y_from=0.0)
    return Figure("profile", "Performance profile over held-out sets", caption, (panel,))


def _line(label: str, table: Floats, at: Floats, sure: bool, role: str, dashed: bool) -> Line:
    low, high = None, None
    if sure:
        low, high = aggregate.stratified_interval([table], lambda one: aggregate.performance_profile(one, at))
    return Line(label, at, aggregate.performance_profile(table, at), role, low, high, dashed=dashed)


def _label(group: Group) -> str:
    """What tells a recipe from the run's own, as far as a line's label has room for it."""
    name, (_, there) = next(iter(group.differs.items()))
    more = len(group.differs) - 1
    return f"{name} {numbers.setting(there)}"[:24] + (f" (+{more})" if more else "")
