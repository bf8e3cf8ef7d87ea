"""The loss at the start of training, where policy and reference are the same model.

There every log-ratio is 0 and most preference losses are constants, so a first logged loss can be checked
against theory. The formulas were read in trl/trainer/dpo_trainer.py of TRL 0.7.11, 0.9.6, 0.12.2, 0.24.0,
0.29.0, 1.0.0 and 1.16.0 and in the trainers of the other methods; they assume dropout off and full precision.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dpo_report.core.model import Run
from dpo_report.plugins.reading import numeric

LN2 = math.log(2)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a loss is before the first update."""

    value: float | None
    """The loss where policy and reference are equal; None where it is no constant."""
    why: str
    """Its formula, or why there is none; completes "because ..."."""
    floor: float | None = None
    """The greatest lower bound of the loss; None where it has none or it is not known."""
    is_sigmoid: bool = False
    """Whether the loss is exactly the mean of -ln sigmoid(margin), so that Jensen's bounds hold."""
    exact: bool = True
    """Whether a first loss must equal the value; False where it only starts near it."""
    assumes: tuple[str, ...] = ()
    """What was taken for granted because the run does not tell it."""
    known: float | None = None
    """The constant part, where terms in ``extra`` come on top of it."""
    extra: tuple[tuple[float, str], ...] = ()
    """Factor and series of each term on top: ``((1.0, "nll_loss"),)``."""


def _none(why: str) -> Baseline:
    return Baseline(None, why)


def _from(value: float, why: str, floor: float | None = 0.0, is_sigmoid: bool = False) -> Baseline:
    return Baseline(value, why, floor, is_sigmoid)


def smoothing_floor(epsilon: float) -> float:
    """H(epsilon): what a logistic loss with label smoothing cannot fall below."""
    return 0.0 if epsilon in (0, 1) else -epsilon * math.log(epsilon) - (1 - epsilon) * math.log(1 - epsilon)


NCA_FLOOR = 1.5 * math.log(3) - LN2
"""nca_pair at a chosen reward of ln 2, the rejected one falling without end: -ln(2/3) - ln(1/3) / 2."""


def simpo_equal_averages(gamma: float) -> float:
    """SimPO's loss where both responses have the same average log-probability: ln(1 + e^gamma)."""
    return math.log1p(math.exp(gamma))


def _reaches(version: str | None, *parts: int) -> bool | None:
    """Whether a version such as ``0.29.0.dev0`` reaches 0.29; None where it is unknown."""
    numbers = re.findall(r"\d{1,9}", (version or "").split("+")[0].split(".dev")[0])
    return tuple(map(int, numbers[:3])) >= parts if numbers else None


@dataclass(frozen=True, slots=True)
class _Start:
    """What the start of a DPO loss depends on."""

    beta: float
    epsilon: float
    """Label smoothing."""
    new: bool | None
    """Whether TRL is 0.29 or later; None where that is not known."""


def _sigmoid(at: _Start) -> Baseline:
    if at.epsilon == 0 or at.new:  # from 0.29 on label smoothing no longer reaches this loss
        return _from(LN2, "ln 2", is_sigmoid=True)
    return _from(LN2, "ln 2 for any label smoothing", None if at.new is None else smoothing_floor(at.epsilon))


def _exo(at: _Start) -> Baseline:
    if at.epsilon == 0 and at.new:
        return _none("the EXO loss needs label smoothing above 0 in this version of TRL")
    epsilon = at.epsilon or 1e-3  # what TRL up to 0.28 put in its place
    return _from(-LN2 - math.log(epsilon * (1 - epsilon)) / 2, "−ln 2 − ½ ln(ε(1 − ε))")


def _robust(at: _Start) -> Baseline:
    clean = at.epsilon == 0
    return _from(LN2, "ln 2 for any label smoothing", 0.0 if clean else None, is_sigmoid=clean)


def _aot(at: _Start) -> Baseline:
    return _from(LN2, "ln 2", smoothing_floor(at.epsilon))


DPO: dict[str, Baseline | Callable[[_Start], Baseline]] = {
    "sigmoid": _sigmoid,
    "sigmoid_norm": _from(LN2, "ln 2"),
    "hinge": _from(1.0, "1"),
    "ipo": lambda at: _from(1 / (4 * at.beta**2), "1/(4β²)"),
    "exo_pair": _exo,
    "nca_pair": _from(2 * LN2, "2 ln 2", NCA_FLOOR),
    "robust": _robust,
    "bco_pair": _from(2 * LN2, "2 ln 2"),
    "sppo_hard": lambda at: _from(1 / (2 * at.beta**2), "1/(2β²)"),
    "aot": _aot,
    "aot_pair": _aot,
    "aot_unpaired": _aot,
    "apo_zero": _from(1.0, "1"),
    "apo_down": _from(1.0, "1"),
    "discopop": _from(LN2 / 2 + 0.5, "½ ln 2 + ½"),
    "kto_pair": _from(0.5, "½"),
}
"""Baselines of the loss types of TRL's DPOTrainer."""

_NEEDS_BETA = {"ipo", "sppo_hard"}
_BY_DIFFERENCE = {"sigmoid", "hinge", "exo_pair", "robust", "discopop"}
"""Losses that only see chosen minus rejected score, so that no divergence can move their start."""


def start_loss(
    method: str | None,
    loss_type: str | Sequence[str] | None = None,
    *,
    beta: float | None = None,
    label_smoothing: float | None = None,
    weights: Sequence[float] | None = None,
    f_divergence: str | None = None,
    use_weighting: bool = False,
    reference_free: bool = False,
    rpo_alpha: float | None = None,
    trl_version: str | None = None,
    explicit_reference: bool = False,
    simpo_gamma: float | None = None,
    class_weights: tuple[float, float] = (1.0, 1.0),
) -> Baseline:
    """The loss at the start for a method and its settings; unknown ones are None.

    ``weights`` are those of several DPO losses, ``class_weights`` KTO's (desirable, undesirable).
    ``explicit_reference`` says that the reference is another model than the starting policy.
    """
    if method != "dpo":
        return _other(method, loss_type, simpo_gamma, class_weights)
    if reference_free:
        return _none("the loss has no reference model to start equal to")
    if explicit_reference:
        return _none("the reference is another model than the starting policy")
    if use_weighting:
        return _none("each pair's loss is weighted by its probability under the policy")
    types = [loss_type] if isinstance(loss_type, str) else list(loss_type or ["sigmoid"])
    if weights is not None and len(weights) != len(types):
        return _none("the run tells another number of loss weights than of loss types")
    new = _reaches(trl_version, 0, 29)
    epsilon = label_smoothing or 0.0
    parts = [_dpo(one, beta, epsilon, new, f_divergence, trl_version) for one in types]
    weights = weights or [1.0] * len(types)
    result = parts[0] if list(weights) == [1] else _sum(parts, types, weights)
    if loss_type is None:
        result = replace(result, assumes=("the loss type is the library's default, sigmoid",))
    return _with_rpo(result, rpo_alpha, trl_version) if rpo_alpha and not new else result


def _dpo(
    kind: str,
    beta: float | None,
    epsilon: float,
    new: bool | None,
    f_divergence: str | None,
    version: str | None,
) -> Baseline:
    if kind == "sft":
        return Baseline(
            None,
            "it contains the starting model's own cross-entropy",
            floor=0.0,
            known=0.0,
            extra=((1.0, "nll_loss"),),
        )
    if kind not in DPO:
        return _none(f"the loss type {kind} is not known")
    if kind in _NEEDS_BETA and not beta:
        return _none(f"the start of {kind} depends on β, which the run does not tell")
    entry = DPO[kind]
    result = entry if isinstance(entry, Baseline) else entry(_Start(beta or 1.0, epsilon, new))
    if f_divergence in (None, "reverse_kl"):
        return result
    if kind not in _BY_DIFFERENCE and new is not False and not _reaches(version, 1, 16):
        return _none("in TRL 0.29 to 1.15 the scores of this divergence need not start at 0")
    return replace(result, is_sigmoid=False)


def _sum(parts: Iterable[Baseline], types: Iterable[str], weights: Sequence[float]) -> Baseline:
    """Weighted sum of several losses; their floors add up to a lower bound."""
    parts = list(parts)
    known = [part.known if part.known is not None else part.value for part in parts]
    why = " + ".join(f"{weight:g} × {kind}" for weight, kind in zip(weights, types, strict=True))
    if any(one is None for one in known):
        return _none("; ".join(part.why for part in parts if part.value is None and part.known is None))
    total = math.fsum(weight * one for weight, one in zip(weights, known, strict=True) if one is not None)
    floors = [part.floor for part in parts]
    floor = None if None in floors else math.fsum(w * f for w, f in zip(weights, floors, strict=True) if f is not None)
    extra = tuple(
        (weight * factor, series) for weight, part in zip(weights, parts, strict=True) for factor, series in part.extra
    )
    if extra:
        return Baseline(None, f"{why}, which contains the starting model's own cross-entropy", floor,
                        known=total, extra=extra)  # fmt: skip
    return _from(total, why, floor)


def _with_rpo(result: Baseline, alpha: float, version: str | None) -> Baseline:
    """RPO adds the chosen responses' cross-entropy; before TRL 0.10 alpha weighed the other term."""
    ten = _reaches(version, 0, 10)
    if ten is None or result.value is None:
        return _none("a cross-entropy term is added (rpo_alpha) in a way that depends on the version of TRL")
    return Baseline(
        None,
        "the chosen responses' cross-entropy is added (rpo_alpha)",
        known=result.value if ten else alpha * result.value,
        extra=((alpha if ten else 1.0, "nll_loss"),),
    )


def _other(
    method: str | None,
    loss_type: str | Sequence[str] | None,
    gamma: float | None,
    class_weights: tuple[float, float],
) -> Baseline:
    """Methods without DPO's loss (trl/trainer and trl/experimental of 1.16.0; BCO of 1.0.0)."""
    if method == "kto":
        low, high = sorted(class_weights)
        if low == high:
            return _from(low / 2, "½" if low == 1 else "½ times the weight")
        return Baseline(None, "it is half the mean weight of the batch, which depends on its labels", 0.0)
    if method == "bco":
        return _from(LN2, "ln 2")
    if method == "reward":
        return replace(_from(LN2, "a new reward head gives both responses about the same score"), exact=False)
    if method == "simpo" or (method == "cpo" and loss_type == "simpo"):
        if gamma is None:
            return _none("SimPO has no reference, and the run does not tell γ")
        even = simpo_equal_averages(gamma)
        return Baseline(None, f"SimPO has no reference; responses of equal average would give {even:.3f}", 0.0)
    return _none(_WHY.get(method or "", "the run does not tell its training method"))


_WHY = {
    "sft": "it is the starting model's own cross-entropy",
    "orpo": "ORPO has no reference: it starts at the model's own cross-entropy and odds",
    "cpo": "CPO has no reference: it starts at the model's own ranking of the pairs",
    "grpo": "a policy-gradient loss starts near 0 with either sign and is no measure of progress",
    "rloo": "a policy-gradient loss starts near 0 with either sign and is no measure of progress",
}


def of(run: Run) -> Baseline:
    """The loss at the start of a run, from its settings."""
    gathered = _words(run.setting("loss_type"))
    weights = run.setting("loss_weights")
    divergence = run.setting("f_divergence_type")
    return start_loss(
        run.method,
        gathered[0] if len(gathered) == 1 else gathered or None,
        beta=_within(run, "beta", 1e-9, 1e9),
        label_smoothing=_within(run, "label_smoothing", 0.0, 0.9999),
        weights=[numeric(one) or 0.0 for one in weights] if isinstance(weights, list | tuple) else None,
        f_divergence=None if divergence is None else str(divergence).rsplit(".", 1)[-1].lower(),
        use_weighting=run.setting("use_weighting") is True,
        reference_free=run.setting("reference_free") is True,
        rpo_alpha=_within(run, "rpo_alpha", -1e9, 1e9),
        trl_version=run.versions.get("trl"),
        explicit_reference=_other_reference(run),
        simpo_gamma=_within(run, "simpo_gamma", -100.0, 100.0),
        class_weights=(_weight(run, "desirable_weight"), _weight(run, "undesirable_weight")),
    )


def _words(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]


def _within(run: Run, name: str, low: float, high: float) -> float | None:
    """A setting where it is a number that a loss can be computed from."""
    told = numeric(run.setting(name))
    return told if told is not None and low <= told <= high else None


def _weight(run: Run, name: str) -> float:
    told = numeric(run.setting(name))
    return 1.0 if told is None else told


def _other_reference(run: Run) -> bool:
    """Whether the run itself tells of a reference model that is not its starting policy."""
    reference, policy = (run.setting(name) for name in ("ref_model_name_or_path", "model_name_or_path"))
    return isinstance(reference, str) and isinstance(policy, str) and bool(reference) and reference != policy
