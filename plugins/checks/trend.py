"""Group C, continued: the shape of the loss curve (trend, plateau, epochs, floor, oscillation)."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run, Value
from dpo_report.core.text import say
from dpo_report.plugins import baselines, conventions, finiteness, reading, statistics
from dpo_report.plugins.metrics.loss import measures_progress


def number_of(values: Values, name: str) -> float:
    """A computed value as a float."""
    return float(values[name].value)


def trend(run: Run, values: Values) -> Finding:
    """C6."""
    finiteness.need_sound(run)
    slope, p = values["loss.train.slope"], number_of(values, "loss.train.trend_p")
    test = f"Mann–Kendall {numbers.p_value(p)}, n = {slope.n:,}"
    if p >= conventions.CHANCE.of(run):
        return found(say("No trend of the loss is detectable ({test}).", test=test), evidence=("loss.train.slope",))
    falling = float(slope.value) < 0
    text = say(
        "The loss had {a} trend (Theil–Sen {slope} per 100 steps, 95 % interval {ci}; {test}).",
        a="a decreasing" if falling else "an increasing",
        slope=numbers.number(float(slope.value)),
        ci=_interval(slope),
        test=test,
    )
    evidence = ("loss.train.slope", "loss.train.trend_p")
    if falling:
        return found(text, "good", evidence=evidence, grants=("objective-fell",))
    return found(text, "warning", evidence=evidence)


def _interval(value: Value) -> str:
    return numbers.interval(value.low or 0.0, value.high or 0.0, numbers.number)


PLATEAU_ROWS = Threshold("C7.rows", 20, "logged rows below which nothing is said of a plateau", low=9)
FLAT = Threshold("C7.flat", 0.01, "change over the last third, as a share of the first loss, below which it is flat")
BOUNDARY = Threshold("C8.fall", 3.0, "fall where epochs begin, over its standard error, above which it is told")
EPOCH_ROWS = Threshold("C8.rows", 6, "rows in an epoch below which epochs are not compared", low=4)
UNUSUAL = Threshold(
    "C11.deviations", 2.0, "median absolute deviations above the start beyond which a run ended above it"
)
RESTLESS = Threshold("C13.ratio", 1.0, "scatter from row to row, over the net change, above which it is told")


def _progress(run: Run, fewest: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Steps and losses of a sound run whose loss measures progress; each of shape (n,), n >= ``fewest``."""
    finiteness.need_sound(run)
    steps, values = reading.finite(run.get("loss"))
    if not measures_progress(run):
        raise NotApplicable("the policy-gradient loss is not interpreted")
    if len(values) < fewest:
        raise NotApplicable(f"{fewest:g} rows with a loss are needed; there are {len(values)}")
    return steps, values


def plateau(run: Run, values: Values) -> Finding:
    """C7."""
    steps, losses = _progress(run, PLATEAU_ROWS.of(run))
    if not conventions.inference_allowed(run):
        raise NotApplicable("the run is too small for inference (K2)")
    third = len(losses) // 3
    tail_steps, tail = steps[-third:], losses[-third:]
    trend = statistics.trend(tail_steps, tail)
    change = max(abs(trend.low), abs(trend.high)) * float(tail_steps[-1] - tail_steps[0])
    windows = conventions.windows(run, losses)
    if windows is None or not change < FLAT.of(run) * abs(windows.first):
        return passed("the loss was still changing in the last third")
    rates = run.get("learning_rate")
    during = ""
    if rates is not None and len(rates):
        inside = rates.values[rates.steps >= tail_steps[0]]
        if len(inside) > 1:
            a, b = (numbers.scientific(float(x), 2) if x else "0" for x in (inside[0], inside[-1]))
            during = f", during which the learning rate {f'stayed at {a}' if a == b else f'went from {a} to {b}'}"
    span = f"steps {int(tail_steps[0]):,} to {int(tail_steps[-1]):,}"
    text = say("The loss was flat over the last third of the logged rows ({span}){during}.", span=span, during=during)
    return found(text, grants=("plateau",) if run.status == "completed" else ())


def epoch_boundaries(run: Run, values: Values) -> Finding:
    """C8: in the first epoch each pair is scored before the model was updated on it; later ones are repeats.

    A loss that falls all along is lower in each epoch, too: only a fall beyond its own slope counts.
    """
    fewest = int(EPOCH_ROWS.of(run))
    steps, losses = _progress(run, 2 * fewest)
    total, epochs = reading.total_steps(run), reading.planned_epochs(run)
    if not total or not epochs or epochs <= 1 or run.status != "completed":
        raise NotApplicable("one epoch, or the epochs' borders are not known")
    epoch = np.minimum(((steps - 1) / (total / epochs)).astype(int), math.ceil(epochs) - 1)
    parts = [losses[epoch == e] for e in range(int(epoch.max()) + 1)] if epochs <= len(losses) else []
    if len(parts) < 2 or min(map(len, parts)) < fewest:
        raise NotApplicable(f"fewer than {fewest} rows in an epoch")
    near = max(fewest, min(map(len, parts)) // 2)
    jumps = [statistics.jump(before[-near:], after[:near]) for before, after in pairwise(parts)]
    fall = -sum(jump for jump, _ in jumps) / len(jumps)
    error = math.sqrt(sum(error**2 for _, error in jumps)) / len(jumps)
    if not math.isfinite(error):
        raise NotApplicable("the losses lie too far apart to be compared")
    if fall <= max(BOUNDARY.of(run) * error, np.finfo(float).eps * float(np.abs(losses).max()) * len(losses)):
        return passed("no step-wise fall where epochs begin")
    return found(
        say(
            "The loss fell where {begins} (by {x}{mean} beyond its slope, standard error {y}): a sign that "
            "{word}s seen before are remembered.",
            begins="a new epoch began" if len(jumps) == 1 else "new epochs began",
            mean="" if len(jumps) == 1 else " on average",
            x=numbers.loss(fall),
            y=numbers.number(error, 2),
            word=reading.sample_word(run),
        ),
        "caution",
    )


def floor(run: Run, values: Values) -> Finding:
    """C10."""
    _, losses = _progress(run, 1)
    start = baselines.of(run)
    if start.value is None or not start.floor or start.value <= start.floor:
        raise NotApplicable("the loss has no floor above zero")
    share = (start.value - float(losses[-1])) / (start.value - start.floor)
    return found(
        say(
            "The last logged loss had covered {p} of the distance from the starting value to this loss's floor of {f}.",
            p=numbers.share(share),
            f=numbers.loss(start.floor),
        )
    )


def above_start(run: Run, values: Values) -> Finding:
    """C11: as many rows as its median absolute deviation needs."""
    _, losses = _progress(run, conventions.TREND_ROWS.of(run))
    start = values["loss.start"]
    spread = statistics.robust_sd(losses) / 1.4826
    last = float(losses[-1])
    if not baselines.of(run).exact or last <= float(start.value) + UNUSUAL.of(run) * spread:
        return passed("training did not end above its starting loss")
    return found(
        say(
            "Training ended above its starting loss ({x} > {s}).",
            x=numbers.loss(last),
            s=numbers.loss(float(start.value)),
        ),
        "warning",
        evidence=("loss.train.last", "loss.start"),
    )


def oscillation(run: Run, values: Values) -> Finding:
    """C13: the robust scatter of successive rows against the net change; it depends on the logging interval."""
    _, losses = _progress(run, 2 * conventions.LEAST.of(run))
    windows = conventions.windows(run, losses)
    if windows is None or not windows.fall:
        raise NotApplicable("there was no net change")
    if statistics.robust_sd(np.diff(losses)) <= RESTLESS.of(run) * abs(windows.fall):
        return passed("the net change exceeds the step-to-step variation")
    text = "The loss varied more from row to row than it changed in all (both depend on the logging interval)."
    return found(say(text), "caution")


CHECKS = (
    Check(
        "C6",
        "Trend",
        trend,
        needs=("value:loss.train.slope",),
        section="results",
        order=25,
        source="Theil 1950; Sen 1968; Mann 1945",
        forbids="a flat tail called “converged”",
        thresholds=(conventions.CHANCE, conventions.TREND_ROWS, *conventions.INFERENCE),
    ),
    Check(
        "C7",
        "Plateau",
        plateau,
        needs=("loss",),
        section="results",
        order=26,
        source="a convention of ours",
        forbids="“converged” without it and the learning rate",
        thresholds=(FLAT, PLATEAU_ROWS, *conventions.WINDOWS, *conventions.INFERENCE),
    ),
    Check(
        "C8",
        "First epoch and repeats",
        epoch_boundaries,
        needs=("loss",),
        section="discussion",
        order=13,
        source="Blum et al. 1999; derived",
        forbids="epoch-1 and later rows mixed in one accuracy",
        thresholds=(BOUNDARY, EPOCH_ROWS),
    ),
    Check(
        "C10", "Floor of the loss", floor, needs=("loss",), section="results", order=27, source="TRL loss definitions"
    ),
    Check(
        "C11",
        "Ended above the start",
        above_start,
        needs=("loss", "value:loss.start"),
        section="discussion",
        order=4,
        source="derived",
        forbids="hiding it behind the mean",
        thresholds=(UNUSUAL, conventions.TREND_ROWS),
    ),
    Check(
        "C13",
        "Oscillation",
        oscillation,
        needs=("loss",),
        section="discussion",
        order=14,
        source="a convention of ours",
        forbids="“steady decrease”",
        thresholds=(RESTLESS, *conventions.WINDOWS),
    ),
)
