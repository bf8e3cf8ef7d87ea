"""The figures: loss with accuracy, or what else was logged; a policy's reward, implicit rewards, log-probabilities,
the optimizer, and the profile of several runs."""

from __future__ import annotations

from collections.abc import Iterable

from dpo_report.core.contract import Curve
from dpo_report.core.hookspecs import hookimpl


@hookimpl
def register_curves() -> Iterable[Curve]:
    """The figures, in the order of the report."""
    from dpo_report.plugins.curves.losses import loss
    from dpo_report.plugins.curves.others import logged
    from dpo_report.plugins.curves.policies import optimizer, reward
    from dpo_report.plugins.curves.preferences import logps, rewards
    from dpo_report.plugins.curves.profile import profile

    return [
        Curve("loss", "Loss and accuracy over training", loss),
        Curve("logged", "What was logged in place of a loss", logged),
        Curve("reward", "Mean reward of the policy over training", reward),
        Curve("rewards", "Implicit rewards and their margin over training", rewards),
        Curve("logps", "Log-probabilities of chosen and rejected responses over training", logps),
        Curve("optimizer", "Gradient norm and learning rate over training", optimizer),
        Curve("profile", "Performance profile over held-out sets", profile),
    ]
