"""The start of a whole loss: several types with weights, and terms on top."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dpo_report.plugins.baselines.baseline import Baseline, constant, none
from dpo_report.plugins.baselines.dpo import dpo_start, reaches
from dpo_report.plugins.baselines.others import other_start


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
        return other_start(method, loss_type, simpo_gamma, class_weights)
    if reference_free:
        return none("the loss has no reference model to start equal to")
    if explicit_reference:
        return none("the reference is another model than the starting policy")
    if use_weighting:
        return none("each pair's loss is weighted by its probability under the policy")
    types = [loss_type] if isinstance(loss_type, str) else list(loss_type or ["sigmoid"])
    if weights is not None and len(weights) != len(types):
        return none("the run tells another number of loss weights than of loss types")
    new = reaches(trl_version, 0, 29)
    epsilon = label_smoothing or 0.0
    parts = [dpo_start(one, beta, epsilon, new, f_divergence, trl_version) for one in types]
    weights = weights or [1.0] * len(types)
    result = parts[0] if list(weights) == [1] else _sum(parts, types, weights)
    if loss_type is None:
        result = replace(result, assumes=("the loss type is the library's default, sigmoid",))
    return _with_rpo(result, rpo_alpha, trl_version) if rpo_alpha and not new else result


def _sum(parts: Iterable[Baseline], types: Iterable[str], weights: Sequence[float]) -> Baseline:
    """Weighted sum of several losses; their floors add up to a lower bound."""
    parts = list(parts)
    known = [part.known if part.known is not None else part.value for part in parts]
    why = " + ".join(f"{weight:g} × {kind}" for weight, kind in zip(weights, types, strict=True))
    if any(one is None for one in known):
        return none("; ".join(part.why for part in parts if part.value is None and part.known is None))
    total = math.fsum(weight * one for weight, one in zip(weights, known, strict=True) if one is not None)
    floors = [part.floor for part in parts]
    floor = None if None in floors else math.fsum(w * f for w, f in zip(weights, floors, strict=True) if f is not None)
    extra = tuple(
        (weight * factor, series) for weight, part in zip(weights, parts, strict=True) for factor, series in part.extra
    )
    if extra:
        return Baseline(None, f"{why}, which contains the starting model's own cross-entropy", floor,
                        known=total, extra=extra)  # fmt: skip
    return constant(total, why, floor)


def _with_rpo(result: Baseline, alpha: float, version: str | None) -> Baseline:
    """RPO adds the chosen responses' cross-entropy; before TRL 0.10 alpha weighed the other term."""
    ten = reaches(version, 0, 10)
    if ten is None or result.value is None:
        return none("a cross-entropy term is added (rpo_alpha) in a way that depends on the version of TRL")
    return Baseline(
        None,
        "the chosen responses' cross-entropy is added (rpo_alpha)",
        known=result.value if ten else alpha * result.value,
        extra=((alpha if ten else 1.0, "nll_loss"),),
    )
