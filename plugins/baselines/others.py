"""The losses of other methods at the start (trl/trainer and trl/experimental of 1.16.0; BCO of 1.0.0)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from dpo_report.plugins.baselines.baseline import LN2, Baseline, constant, none

_WHY = {
    "sft": "it is the starting model's own cross-entropy",
    "orpo": "ORPO has no reference: it starts at the model's own cross-entropy and odds",
    "cpo": "CPO has no reference: it starts at the model's own ranking of the pairs",
    "grpo": "a policy-gradient loss starts near 0 with either sign and is no measure of progress",
    "rloo": "a policy-gradient loss starts near 0 with either sign and is no measure of progress",
}


def simpo_equal_averages(gamma: float) -> float:
    """SimPO's loss where both responses have the same average log-probability: ln(1 + e^gamma)."""
    return math.log1p(math.exp(gamma))


def other_start(
    method: str | None,
    loss_type: str | Sequence[str] | None,
    gamma: float | None,
    class_weights: tuple[float, float],
) -> Baseline:
    """Methods without DPO's loss; ``gamma`` is SimPO's, ``class_weights`` are KTO's."""
    if method == "kto":
        low, high = sorted(class_weights)
        if low == high:
            return constant(low / 2, "½" if low == 1 else "½ times the weight")
        return Baseline(None, "it is half the mean weight of the batch, which depends on its labels", 0.0)
    if method == "bco":
        return constant(LN2, "ln 2")
    if method == "reward":
        return replace(constant(LN2, "a new reward head gives both responses about the same score"), exact=False)
    if method == "simpo" or (method == "cpo" and loss_type == "simpo"):
        if gamma is None:
            return none("SimPO has no reference, and the run does not tell γ")
        even = simpo_equal_averages(gamma)
        return Baseline(None, f"SimPO has no reference; responses of equal average would give {even:.3f}", 0.0)
    return none(_WHY.get(method or "", "the run does not tell its training method"))
