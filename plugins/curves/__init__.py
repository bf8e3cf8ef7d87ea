"""The figures: loss with accuracy, a policy's reward, implicit rewards, log-probabilities, the optimizer,
and the profile of several runs."""

from __future__ import annotations

import math
from collections.abc import Iterable

from dpo_report.core import numbers
from dpo_report.core.contract import Curve, NotApplicable, Values
from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.model import Run
from dpo_report.core.plot import Figure, Level
from dpo_report.plugins import reading
from dpo_report.plugins.curves.captions import caption
from dpo_report.plugins.curves.panels import Drawn, Quantity, panel
from dpo_report.plugins.curves.profile import profile

_METHODS = {
    "dpo": "DPO",
    "kto": "KTO",
    "orpo": "ORPO",
    "cpo": "CPO",
    "simpo": "SimPO",
    "online_dpo": "Online DPO",
}
_REWARDS = ("reward", "objective/scores", "objective/rlhf_reward", "env/reward_mean")
_DIVERGENCES = ("kl", "objective/kl")


@hookimpl
def register_curves() -> Iterable[Curve]:
    """The figures, in the order of the report."""
    return [
        Curve("loss", "Loss and accuracy over training", _loss),
        Curve("reward", "Mean reward of the policy over training", _reward),
        Curve("rewards", "Implicit rewards and their margin over training", _rewards),
        Curve("logps", "Log-probabilities of chosen and rejected responses over training", _logps),
        Curve("optimizer", "Gradient norm and learning rate over training", _optimizer),
        Curve("profile", "Performance profile over held-out sets", profile),
    ]


def _figure(run: Run, name: str, title: str, drawn: Iterable[Drawn | None], reason: str) -> Figure:
    shown = [one for one in drawn if one is not None]
    if not shown:
        raise NotApplicable(reason)
    return Figure(name, title, caption(run, shown), tuple(one.panel for one in shown))


def _loss(run: Run, values: Values) -> Figure:
    """Loss of training and held-out data, beside the accuracy that was logged with it."""
    if run.method in reading.POLICY_GRADIENT:
        raise NotApplicable(f"the loss of {run.method.upper()} is no measure of progress; its reward is drawn instead")
    loss = Quantity(("loss",), "loss", _loss_label(run), numbers.loss, "lower", 0.0, may_log=False)
    drawn = [panel(run, loss, _start(run, values)), _accuracy(run)]
    shown = [what for what, one in zip(("loss", "accuracy"), drawn, strict=True) if one]
    title = " and ".join(shown).capitalize() + " over training"
    return _figure(run, "loss", title, drawn, "fewer than two rows with a loss or an accuracy were logged")


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


def _rewards(run: Run, values: Values) -> Figure:
    """Implicit rewards of both responses beside their difference."""
    del values
    reference = run.method in reading.IMPLICIT_REWARD and not reading.setting(run, "reference_free")
    zero = [Level(0.0, "0: policy = reference")] if reference else []
    both = Quantity(
        ("rewards/chosen", "rewards/rejected"),
        "reward",
        "Implicit reward" if reference else "Reward",
        pair="{} rewards of chosen and rejected responses",
    )
    margin = Quantity(("rewards/margins",), "margin", "Reward margin, chosen − rejected", y_from=0.0)
    drawn = [panel(run, both, zero), panel(run, margin)]
    if drawn[1] is not None and any((one.series.values < 0).any() for one in drawn[1].tracks):
        drawn[1] = panel(run, margin, [Level(0.0, "0: no preference")])
    return _figure(
        run,
        "rewards",
        "Implicit rewards and their margin over training",
        drawn,
        "fewer than two rows with an implicit reward were logged",
    )


def _logps(run: Run, values: Values) -> Figure:
    """Log-probabilities of both responses."""
    del values
    both = Quantity(
        ("logps/chosen", "logps/rejected"),
        "log-probability",
        "Log-probability of a response (nats)",
        pair="{} log-probabilities of chosen and rejected responses",
    )
    return _figure(
        run,
        "logps",
        "Log-probabilities of chosen and rejected responses over training",
        [panel(run, both)],
        "fewer than two rows with a log-probability were logged",
    )


def _reward(run: Run, values: Values) -> Figure:
    """Reward and divergence of a policy that is trained on its own samples."""
    del values
    reward = (panel(run, Quantity((name,), "mean reward", "Mean reward", better="higher")) for name in _REWARDS)
    divergence = (
        panel(run, Quantity((name,), "divergence", "KL divergence from the reference (nats)", y_from=0.0))
        for name in _DIVERGENCES
    )
    first = next((one for one in reward if one), None)
    if first is None:
        raise NotApplicable("fewer than two rows with a mean reward were logged")
    drawn = [first, next((one for one in divergence if one), None)]
    return _figure(run, "reward", "Mean reward of the policy over training", drawn, "")


def _optimizer(run: Run, values: Values) -> Figure:
    """What the optimizer did."""
    del values
    norm = Quantity(
        ("grad_norm",),
        "gradient norm",
        "Gradient norm",
        y_from=0.0,
        averaged=False,
        may_log=True,
        named=False,
        drawing="median",
    )
    rate = Quantity(
        ("learning_rate",),
        "learning rate",
        "Learning rate",
        y_from=0.0,
        averaged=False,
        named=False,
        drawing="plain",
        better="higher",
    )
    drawn = [panel(run, norm), panel(run, rate)]
    names = [one.quantity.plain for one in drawn if one]
    return _figure(
        run,
        "optimizer",
        " and ".join(names).capitalize() + " over training",
        drawn,
        "fewer than two rows with a gradient norm or a learning rate were logged",
    )
