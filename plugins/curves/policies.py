"""The reward of a policy that is trained on its own samples, and what the optimizer did."""

from __future__ import annotations

from dpo_report.core.contract import NotApplicable, Values
from dpo_report.core.model import Run
from dpo_report.core.plot import Figure
from dpo_report.plugins.curves.captions import figure
from dpo_report.plugins.curves.panels import Quantity, panel

_REWARDS = ("reward", "objective/scores", "objective/rlhf_reward", "env/reward_mean")
_DIVERGENCES = ("kl", "objective/kl")


def reward(run: Run, values: Values) -> Figure:
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
    return figure(run, "reward", "Mean reward of the policy over training", drawn, "")


def optimizer(run: Run, values: Values) -> Figure:
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
    return figure(
        run,
        "optimizer",
        " and ".join(names).capitalize() + " over training",
        drawn,
        "fewer than two rows with a gradient norm or a learning rate were logged",
    )
