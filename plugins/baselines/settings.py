"""The start of a run, from its settings."""

from __future__ import annotations

from typing import Any

from dpo_report.core.model import Run
from dpo_report.plugins.baselines.baseline import Baseline, none
from dpo_report.plugins.baselines.start import start_loss
from dpo_report.plugins.reading import numeric, with_likelihood_term


def of(run: Run) -> Baseline:
    """The loss at the start of a run, from its settings."""
    if with_likelihood_term(run):
        return none("SimPO has no reference, and CPO's likelihood term is added to it")
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
