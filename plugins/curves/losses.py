"""Loss beside accuracy."""

from __future__ import annotations

import math

from dpo_report.core import numbers
from dpo_report.core.contract import NotApplicable, Values
from dpo_report.core.model import Run
from dpo_report.core.plot import Figure, Level
from dpo_report.plugins import reading
from dpo_report.plugins.curves.captions import figure
from dpo_report.plugins.curves.panels import Drawn, Quantity, panel

_METHODS = {
    "dpo": "DPO",
    "kto": "KTO",
    "orpo": "ORPO",
    "cpo": "CPO",
    "simpo": "SimPO",
    "online_dpo": "Online DPO",
}


def loss(run: Run, values: Values) -> Figure:
    """Loss of training and held-out data, beside the accuracy that was logged with it."""
    if run.method in reading.POLICY_GRADIENT:
        raise NotApplicable(f"the loss of {run.method.upper()} is no measure of progress; its reward is drawn instead")
    loss = Quantity(("loss",), "loss", _loss_label(run), numbers.loss, "lower", 0.0, may_log=False)
    drawn = [panel(run, loss, _start(run, values)), _accuracy(run)]
    shown = [what for what, one in zip(("loss", "accuracy"), drawn, strict=True) if one]
    title = " and ".join(shown).capitalize() + " over training"
    return figure(run, "loss", title, drawn, "fewer than two rows with a loss or an accuracy were logged")


def _loss_label(run: Run) -> str:
    kinds = [kind for kind in reading.loss_types(run) if kind not in ("sigmoid", run.method)]
    name = _METHODS.get(run.method or "")
    return (f"{name} loss" if name else "Loss") + (f" ({', '.join(kinds)})" if name and kinds else "")


def _start(run: Run, values: Values) -> list[Level]:
    """The loss before any training, where it follows from the method."""
    known = values.get("loss.start")
    if known is None or not isinstance(known.value, int | float):
        return []
    start = float(known.value)
    shown = "ln 2" if math.isclose(start, math.log(2), rel_tol=1e-9) else f"{start:.4g}"
    return [Level(start, f"{shown}: equal scores" if run.method == "reward" else f"{shown}: policy = reference")]


def _accuracy(run: Run) -> Drawn | None:
    """The first accuracy that was logged; the chance line only where it is a choice between two."""
    chance = [Level(0.5, "chance")]
    name = "Implicit-reward accuracy" if run.method in reading.IMPLICIT_REWARD else "Reward accuracy"
    ties = run.method not in reading.IMPLICIT_REWARD
    paired = Quantity(("rewards/accuracies",), "accuracy", name, _three, "higher", 0.5, ties=ties)
    plain = Quantity(("accuracy",), "accuracy", "Accuracy", _three, "higher", 0.5 if run.method == "reward" else 0.0)
    token = Quantity(("mean_token_accuracy",), "token accuracy", "Token accuracy", _three, "higher", 0.0)
    return (
        panel(run, paired, chance)
        or (panel(run, plain, chance) if run.method == "reward" else panel(run, plain))
        or panel(run, token)
    )


def _three(x: float) -> str:
    return numbers.fixed(x, 3)
