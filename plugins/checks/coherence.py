"""Group B, rows: do losses, margins and rewards of the logged rows agree with one another?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run, Series
from dpo_report.core.text import say
from dpo_report.plugins import baselines, reading

MEAN = Threshold("B5.apart", 0.01, "relative distance of the rows' mean from the reported one above which it is told")
REWARDS = Threshold(
    "B8.apart", 1e-3, "distance of margins from chosen − rejected, by their scale, above which it is told"
)
JENSEN = Threshold("B6.below", 1e-3, "how far a loss may lie below the bound that its margin sets")
ORPO = Threshold("B7.apart", 0.01, "relative distance of ORPO's loss from its parts above which it is told", high=1)
SCALED = Threshold(
    "B9.near", 0.02, "relative distance from a multiple of the start that counts as that multiple", high=1
)


def row_average(run: Run, values: Values) -> Finding:
    """B5."""
    series, mean, total = run.get("loss"), run.number("train_loss"), reading.total_steps(run)
    if series is None or mean is None or not total or not len(series) or not math.isfinite(mean):
        raise NotApplicable("rows with a loss and a mean over the run are both needed")
    if int(series.steps[-1]) != total or reading.resumed_from(run):
        raise NotApplicable("the rows do not cover every step of the run")
    weights = np.diff(series.steps, prepend=0.0)
    if not np.isfinite(series.values).all():
        raise NotApplicable("the rows hold non-finite losses")
    average = float((weights * series.values).sum() / weights.sum())
    if abs(average - mean) <= MEAN.of(run) * abs(mean) + 5e-5:
        return passed(f"the logged rows average to {numbers.loss(average)}, the reported mean")
    if (reading.devices(run) or 1) > 1:
        return passed("several devices: the unlogged tail of the mean is local to one of them")
    return found(
        say(
            "The logged rows do not average to the reported mean ({average} against {mean}); the "
            "directory may mix runs.",
            average=numbers.loss(average),
            mean=numbers.loss(mean),
        ),
        "warning",
        evidence=("loss.train.mean",),
    )


def jensen(run: Run, values: Values) -> Finding:
    """B6: −ln σ is convex, so a row's mean loss is at least −ln σ of its mean margin."""
    loss, margin = run.get("loss"), run.get("rewards/margins")
    if loss is None or margin is None or not baselines.of(run).is_sigmoid or setting_excludes(run):
        raise NotApplicable("the plain sigmoid loss with its margins is needed")
    shared, at, other = np.intersect1d(loss.steps, margin.steps, return_indices=True)
    if not len(shared):
        raise NotApplicable("no row has both a loss and a margin")
    with np.errstate(invalid="ignore"):
        least = np.logaddexp(0.0, -margin.values[other])
    gap = least - loss.values[at]
    # A short last window is divided otherwise in some versions: the last row of a run is left out.
    broken = np.isfinite(gap) & (gap > JENSEN.of(run)) & (shared < loss.steps[-1])
    if not broken.any():
        return passed("loss and margin agree in every row")
    return found(
        say(
            "Loss and margin rows are inconsistent in {n}: they come from different runs, β differs, or another loss "
            "term is active.",
            n=numbers.plural(int(broken.sum()), "row"),
        ),
        "warning",
    )


def setting_excludes(run: Run) -> bool:
    """Whether rows need not obey Jensen's bound: metrics of rank 0 only (TRL up to 0.13 on several devices)."""
    return reading.at_least(run, "trl", 0, 14) is not True and reading.devices(run) != 1


def _side_by_side(columns: Sequence[Series]) -> NDArray[np.float64]:
    """Values of several series at the steps that all of them have, shape (steps, series)."""
    steps = columns[0].steps
    for column in columns[1:]:
        if not np.array_equal(column.steps, steps):
            steps = np.intersect1d(steps, column.steps, assume_unique=True)
    return np.stack([column.values[np.searchsorted(column.steps, steps)] for column in columns], axis=1)


def orpo_identity(run: Run, values: Values) -> Finding:
    """B7: loss = nll_loss − β · log_odds_ratio in every row."""
    columns = [run.get(name) for name in ("loss", "nll_loss", "log_odds_ratio")]
    known = [column for column in columns if column is not None]
    if len(known) < 3:
        raise NotApplicable("loss, nll_loss and log_odds_ratio are not all logged")
    data = _side_by_side(known)
    data = data[np.isfinite(data).all(axis=1) & (data[:, 2] != 0)]
    if not len(data):
        raise NotApplicable("no row has all three finite")
    inferred = float(np.median((data[:, 1] - data[:, 0]) / data[:, 2]))
    told = reading.numeric(reading.setting(run, "beta"))
    if told is not None:
        off = np.abs(data[:, 0] - (data[:, 1] - told * data[:, 2])) > ORPO.of(run) * np.abs(data[:, 0])
        if not off.any():
            return passed("loss = nll_loss − β · log_odds_ratio in every row")
    return found(say("β inferred from the rows: {b}.", b=numbers.number(inferred)), "caution")


def reward_columns(run: Run, values: Values) -> Finding:
    """B8."""
    columns = [run.get(f"rewards/{part}") for part in ("margins", "chosen", "rejected")]
    known = [column for column in columns if column is not None and len(column)]
    if run.method == "kto" or len(known) < 3:
        raise NotApplicable("margins, chosen and rejected rewards are not all logged for pairs")
    data = _side_by_side(known)
    with np.errstate(invalid="ignore"):
        gap = data[:, 0] - (data[:, 1] - data[:, 2])
        scale = np.maximum(1.0, np.abs(data).max(axis=1))
        off = np.isfinite(gap) & (np.abs(gap) > REWARDS.of(run) * scale)
    if not off.any():
        return passed("margins equal chosen minus rejected in every row")
    return found(
        say(
            "Reward columns are inconsistent: margins differ from chosen − rejected in {n}.",
            n=numbers.plural(int(off.sum()), "row"),
        ),
        "warning",
    )


def scaled_loss(run: Run, values: Values) -> Finding:
    """B9."""
    series, steps, known = run.get("loss"), reading.accumulation(run), baselines.of(run)
    if steps < 2 or series is None or not len(series) or not known.value:
        raise NotApplicable("gradient accumulation, a first loss and an analytic start are needed")
    first = reading.window(run, series, 0)
    if first != (1, 1):
        raise NotApplicable("the first row averages over more than the first step")
    ratio = float(series.values[0]) / known.value
    if not abs(ratio - steps) <= SCALED.of(run) * steps:
        return passed("the first loss is not scaled by the accumulation")
    return found(
        say(
            "The first logged loss is {ratio}× the analytic value, matching a known "
            "gradient-accumulation scaling fault "
            "that also scales gradients [@tf_35856; @trl_2615].",
            ratio=numbers.number(ratio),
        ),
        "warning",
        evidence=("loss.train.first", "loss.start"),
    )


CHECKS = (
    Check(
        "B6",
        "Loss and margin agree",
        jensen,
        needs=("method:dpo",),
        section="results",
        order=47,
        source="Jensen's inequality",
        forbids="the contradiction explained as a property of the model",
        thresholds=(JENSEN,),
    ),
    Check(
        "B7",
        "ORPO's loss and its parts",
        orpo_identity,
        needs=("method:orpo",),
        section="results",
        order=47,
        source="TRL ORPOTrainer",
        forbids="the default β used silently",
        thresholds=(ORPO,),
    ),
    Check(
        "B5",
        "Rows average to the mean",
        row_average,
        section="results",
        order=29,
        source="Trainer code",
        forbids="choosing one of two contradicting values silently",
        thresholds=(MEAN,),
    ),
    Check(
        "B8",
        "Reward columns agree",
        reward_columns,
        section="results",
        order=48,
        source="TRL code",
        forbids="margins recomputed silently",
        thresholds=(REWARDS,),
    ),
    Check(
        "B9",
        "Scaled loss",
        scaled_loss,
        section="discussion",
        order=3,
        source="transformers #35856; TRL #2615",
        forbids="such losses compared with other runs",
        thresholds=(SCALED,),
    ),
)
