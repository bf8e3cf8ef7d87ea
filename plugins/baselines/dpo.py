"""The losses of TRL's DPOTrainer at the start, by loss type and version."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from dpo_report.plugins.baselines.baseline import LN2, Baseline, constant, none, smoothing_floor

NCA_FLOOR = 1.5 * math.log(3) - LN2
"""nca_pair at a chosen reward of ln 2, the rejected one falling without end: -ln(2/3) - ln(1/3) / 2."""


def reaches(version: str | None, *parts: int) -> bool | None:
    """Whether a version such as ``0.29.0.dev0`` reaches 0.29; None where it is unknown."""
    numbers = re.findall(r"\d{1,9}", (version or "").split("+")[0].split(".dev")[0])
    return tuple(map(int, numbers[:3])) >= parts if numbers else None


@dataclass(frozen=True, slots=True)
class Start:
    """What the start of a DPO loss depends on."""

    beta: float
    epsilon: float
    """Label smoothing."""
    new: bool | None
    """Whether TRL is 0.29 or later; None where that is not known."""


def _sigmoid(at: Start) -> Baseline:
    if at.epsilon == 0 or at.new:  # from 0.29 on label smoothing no longer reaches this loss
        return constant(LN2, "ln 2", is_sigmoid=True)
    return constant(LN2, "ln 2 for any label smoothing", None if at.new is None else smoothing_floor(at.epsilon))


def _exo(at: Start) -> Baseline:
    if at.epsilon == 0 and at.new:
        return none("the EXO loss needs label smoothing above 0 in this version of TRL")
    epsilon = at.epsilon or 1e-3  # what TRL up to 0.28 put in its place
    return constant(-LN2 - math.log(epsilon * (1 - epsilon)) / 2, "−ln 2 − ½ ln(ε(1 − ε))")


def _robust(at: Start) -> Baseline:
    clean = at.epsilon == 0
    return constant(LN2, "ln 2 for any label smoothing", 0.0 if clean else None, is_sigmoid=clean)


def _aot(at: Start) -> Baseline:
    return constant(LN2, "ln 2", smoothing_floor(at.epsilon))


DPO: dict[str, Baseline | Callable[[Start], Baseline]] = {
    "sigmoid": _sigmoid,
    "sigmoid_norm": constant(LN2, "ln 2"),
    "hinge": constant(1.0, "1"),
    "ipo": lambda at: constant(1 / (4 * at.beta**2), "1/(4β²)"),
    "exo_pair": _exo,
    "nca_pair": constant(2 * LN2, "2 ln 2", NCA_FLOOR),
    "robust": _robust,
    "bco_pair": constant(2 * LN2, "2 ln 2"),
    "sppo_hard": lambda at: constant(1 / (2 * at.beta**2), "1/(2β²)"),
    "aot": _aot,
    "aot_pair": _aot,
    "aot_unpaired": _aot,
    "apo_zero": constant(1.0, "1"),
    "apo_down": constant(1.0, "1"),
    "discopop": constant(LN2 / 2 + 0.5, "½ ln 2 + ½"),
    "kto_pair": constant(0.5, "½"),
}
"""Baselines of the loss types of TRL's DPOTrainer."""

NEEDS_BETA = {"ipo", "sppo_hard"}
BY_DIFFERENCE = {"sigmoid", "hinge", "exo_pair", "robust", "discopop"}
"""Losses that only see chosen minus rejected score, so that no divergence can move their start."""


def dpo_start(
    kind: str,
    beta: float | None,
    epsilon: float,
    new: bool | None,
    f_divergence: str | None,
    version: str | None,
) -> Baseline:
    """The start of one loss type; ``new`` as in :class:`Start`, ``version`` of TRL."""
    if kind == "sft":
        return Baseline(
            None,
            "it contains the starting model's own cross-entropy",
            floor=0.0,
            known=0.0,
            extra=((1.0, "nll_loss"),),
        )
    if kind not in DPO:
        return none(f"the loss type {kind} is not known")
    if kind in NEEDS_BETA and not beta:
        return none(f"the start of {kind} depends on β, which the run does not tell")
    entry = DPO[kind]
    result = entry if isinstance(entry, Baseline) else entry(Start(beta or 1.0, epsilon, new))
    if f_divergence in (None, "reverse_kl"):
        return result
    if kind not in BY_DIFFERENCE and new is not False and not reaches(version, 1, 16):
        return none("in TRL 0.29 to 1.15 the scores of this divergence need not start at 0")
    return replace(result, is_sigmoid=False)
