"""How a run ended, as far as its files tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dpo_report.core.model import Datum, RunStatus, Series, Setting

_REWARDS = frozenset({"rewards/chosen", "rewards/rejected", "rewards/margins"})


def status(
    step: int | None, planned: int | None, series: Sequence[Series], summary: Mapping[str, Datum], epochs: float | None
) -> RunStatus:
    """``diverged`` before anything else, then by steps done of steps planned.

    Where no plan of steps is known, the epochs of the closing row against ``epochs`` planned decide.
    """
    if _diverged(series, summary):
        return "diverged"
    if step is not None and planned is not None and planned > 0:
        return "completed" if step >= planned else "incomplete"
    done = summary.get("epoch")
    if done is not None and epochs and isinstance(done.value, float) and "train_runtime" in summary:
        rest = done.value / step if step else 0.0  # batches that fill no update are left out at the end
        if done.value + rest >= epochs - 0.005:
            return "completed"
        return "incomplete" if step or done.value <= epochs - 1 else "unknown"
    return "unknown"


def planned_epochs(settings: Mapping[str, Setting]) -> float | None:
    """The epochs that a Trainer was to train, unless it was bounded by steps."""
    epochs = settings.get("num_train_epochs")
    if epochs is None or planned_steps(settings) is not None or not isinstance(epochs.value, int | float):
        return None
    return float(epochs.value)


def planned_steps(settings: Mapping[str, Setting]) -> int | None:
    """The steps by which a Trainer was bounded; None where it was bounded by epochs."""
    limit = settings.get("max_steps")
    return limit.value if limit is not None and type(limit.value) is int and limit.value > 0 else None


def _diverged(series: Sequence[Series], summary: Mapping[str, Datum]) -> bool:
    """Whether training ends in numbers that are none; where no training loss was logged, the held-out loss tells.

    An infinite gradient norm alone is no sign: mixed precision skips such steps. NaN is.
    """
    trained = any((one.name, one.split) == ("loss", "train") for one in series)
    for one in series:
        if not len(one):
            continue
        last = float(one.values[-1])
        if one.split == "train":
            if one.name == "loss" or one.name in _REWARDS:
                bad = not math.isfinite(last)
            else:
                bad = one.name == "grad_norm" and math.isnan(last)
        else:
            bad = not trained and one.split.startswith("eval") and one.name == "loss" and not math.isfinite(last)
        if bad:
            return True
    mean = summary.get("train_loss")
    return mean is not None and isinstance(mean.value, float) and not math.isfinite(mean.value)
