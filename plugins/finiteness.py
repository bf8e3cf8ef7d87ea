"""NaN, infinities and losses of exactly 0: where they stand, and whether they spoil what a run says (rule C12).

With ``logging_nan_inf_filter`` (the default) transformers replaces a non-finite loss by the running average, so that a
broken run shows finite losses, or zeros, beside NaN in its gradient norm or rewards.
"""

from __future__ import annotations

import math

import numpy as np

from dpo_report.core.contract import NotApplicable, Threshold
from dpo_report.core.model import Run, Series
from dpo_report.plugins import reading

DROP = Threshold("C12.drop", 0.05, "a loss of exactly 0 right after one above this is an alarm")
SPOILT = Threshold("C12.share", 0.05, "share of rows that are not finite above which no loss or reward is told", high=1)


def watched(run: Run) -> list[Series]:
    """Training series that must be finite: loss, gradient norm, rewards, log-probabilities."""
    return [
        series
        for (name, split), series in run.series.items()
        if split == "train" and (name in ("loss", "grad_norm") or name.startswith(("rewards/", "logps/")))
    ]


def bad_steps(run: Run) -> set[int]:
    """Steps at which any watched series is not finite."""
    return {int(step) for series in watched(run) for step in series.steps[~np.isfinite(series.values)]}


def bad_evaluations(run: Run) -> set[int]:
    """Steps at which a held-out loss is not finite."""
    return {int(step) for series in reading.held_out(run, "loss") for step in series.steps[~np.isfinite(series.values)]}


def bad_summary(run: Run) -> bool:
    """Whether the closing summary holds NaN or an infinity."""
    return any(isinstance(datum.value, float) and not math.isfinite(datum.value) for datum in run.summary.values())


def alarming_zeros(run: Run) -> set[int]:
    """Steps whose loss is exactly 0 where that is an alarm: with NaN elsewhere, a zero gradient, or after a jump.

    An exact 0 is healthy for hinge and policy-gradient losses and in saturated four-decimal logs.
    """
    series, norm = run.get("loss"), run.get("grad_norm")
    healthy = run.method in reading.POLICY_GRADIENT or "hinge" in reading.loss_types(run)
    if series is None or healthy or not (series.values == 0).any():
        return set()
    others = bool(bad_steps(run)) or bad_summary(run)
    quiet = {int(s) for s, v in zip(norm.steps, norm.values, strict=True) if v == 0} if norm is not None else set()
    alarms: set[int] = set()
    previous: int | None = None
    for index in range(len(series)):
        step = int(series.steps[index])
        if series.values[index] == 0:
            jumped = index > 0 and float(series.values[index - 1]) > DROP.of(run)
            if others or step in quiet or jumped or previous in alarms:
                alarms.add(step)
        previous = step
    return alarms


def spoilt(run: Run) -> bool:
    """Whether so much is not finite that neither losses nor rewards of the run say anything."""
    zeros = alarming_zeros(run)
    rows = max((len(series) for series in watched(run)), default=0)
    ends = any(len(series) and not np.isfinite(series.values[-1]) for series in watched(run))
    return bool(zeros) or ends or bad_summary(run) or (rows > 0 and len(bad_steps(run)) > SPOILT.of(run) * rows)


def need_sound(run: Run) -> None:
    """Raise NotApplicable where the run's own numbers cannot be trusted."""
    if spoilt(run):
        raise NotApplicable("the run holds non-finite values, so its losses and rewards say nothing (C12)")
