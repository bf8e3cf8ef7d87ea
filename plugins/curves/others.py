"""What was logged under names of its own, where there is no loss to draw."""

from __future__ import annotations

from dpo_report.core.contract import Values
from dpo_report.core.model import Run
from dpo_report.core.plot import Figure
from dpo_report.plugins.curves.captions import figure
from dpo_report.plugins.curves.panels import Quantity, panel
from dpo_report.plugins.metrics.others import quantities


def logged(run: Run, values: Values) -> Figure:
    """Two quantities: the first one that was logged in training and on held-out data, and one of held-out data only."""
    del values
    splits: dict[str, set[str]] = {}
    for series in [] if run.get("loss") else quantities(run):  # a loss has a figure of its own
        splits.setdefault(series.name, set()).add("train" if series.split == "train" else "held-out")
    both = [name for name, known in splits.items() if len(known) > 1]
    held_out = [name for name, known in splits.items() if known == {"held-out"}]
    order = dict.fromkeys([*both[:1], *held_out[:1], *both, *held_out, *splits])
    drawn = [
        panel(run, Quantity((name,), f"“{name}”", name, averaged=False, may_log=True, drawing="plain"))
        for name in order
    ]
    shown = [one for one in drawn if one][:2]
    names = " and ".join(one.quantity.plain for one in shown)
    return figure(
        run,
        "logged",
        f"{names} over training",
        shown,
        "fewer than two rows with a quantity of another name were logged",
    )
