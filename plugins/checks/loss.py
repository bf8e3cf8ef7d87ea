"""Group C: what the training loss says, and what it does not."""

from __future__ import annotations

import math

import numpy as np

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run, Severity
from dpo_report.core.text import say
from dpo_report.plugins import baselines, finiteness, reading
from dpo_report.plugins.conventions import INFERENCE, UNITS, WINDOWS
from dpo_report.plugins.metrics.loss import measures_progress

EXACT = Threshold(
    "C1.equal", 1e-3, "relative distance of the first loss from its analytic value up to which it is equal"
)
ROUNDED = Threshold("C1.rounded", 0.02, "the same distance, up to which rounding explains it")
CLOSE = Threshold("C1.close", 0.1, "the same distance, up to which dropout would explain it")


def first_loss(run: Run, values: Values) -> Finding:
    """C1."""
    series, start = run.get("loss"), values.get("loss.start")
    if series is None or not len(series) or start is None:
        raise NotApplicable("a first row and an analytic starting value are both needed")
    window = reading.window(run, series, 0)
    first, analytic = float(series.values[0]), float(start.value)
    if not baselines.of(run).exact:
        raise NotApplicable("this loss only starts near its analytic value")
    if window[0] != 1:
        raise NotApplicable("the first row does not begin at step 1")
    if not math.isfinite(first):
        raise NotApplicable("the first loss is not finite")
    if window[1] > reading.untrained_steps(run):
        return passed(f"the first row averages over {window[1]} steps; the analytic value bounds it only from above")
    evidence = ("loss.train.first", "loss.start")
    distance = abs(first - analytic) / (abs(analytic) or 1.0)
    shown, expected = numbers.loss(first), numbers.loss(analytic)
    if distance <= EXACT.of(run):
        text = "At the first step the loss was {shown}, equal to the value implied by identical policy and reference."
        return found(say(text, shown=shown), evidence=evidence)
    severity: Severity = "warning"
    if distance <= CLOSE.of(run):
        severity = "info" if distance <= ROUNDED.of(run) else "caution"
    reason = {
        "info": "rounding, half precision or precomputed reference values would explain the difference",
        "caution": "active dropout, or a reference that is not the starting policy, would explain the difference",
        "warning": "the set-up is not the one assumed: another loss, another β, or a reference that is not the "
        "starting policy",
    }[severity]
    return found(
        say(
            "At the first step the loss was {shown}, where identical policy and reference imply {expected}; {reason}.",
            shown=shown,
            expected=expected,
            reason=reason,
        ),
        severity,
        evidence=evidence,
    )


def mean_loss(run: Run, values: Values) -> Finding:
    """C2."""
    finiteness.need_sound(run)
    if not measures_progress(run):
        raise NotApplicable("the policy-gradient loss is not interpreted")
    value, total = values["loss.train.mean"], reading.total_steps(run)
    if not math.isfinite(float(value.value)):
        raise NotApplicable("the mean is not finite (C12)")
    start = values.get("loss.start")
    tail = f" (analytic starting value {numbers.loss(float(start.value))})" if start else ""
    before = reading.resumed_from(run)
    over = f"all {total:,} steps" if total and not before else (value.note.removeprefix("mean over ").split(":")[0])
    return found(
        say(
            "The training loss averaged over {over} was {x}{tail}.",
            over=over,
            x=numbers.display(value),
            tail=tail,
        ),
        evidence=("loss.train.mean",),
    )


def last_window(run: Run, values: Values) -> Finding:
    """C3."""
    finiteness.need_sound(run)
    if not measures_progress(run):
        raise NotApplicable("the policy-gradient loss is not interpreted")
    value = values.get("loss.train.last")
    if value is None or not math.isfinite(float(value.value)):
        raise NotApplicable("the last row has no finite loss")
    if "loss.train.median_last" not in values and "loss.train.first" in values:
        return passed(f"the last window is told with the first one (C4): {numbers.display(value)}")
    return found(
        say(
            "Over the last logged window ({window}) the training loss was {x}.",
            window=value.note,
            x=numbers.display(value),
        ),
        evidence=("loss.train.last",),
    )


def reduction(run: Run, values: Values) -> Finding:
    """C4."""
    finiteness.need_sound(run)
    if not measures_progress(run):
        raise NotApplicable("the policy-gradient loss is not interpreted")
    change = values.get("loss.train.reduction")
    if change is None:
        return _endpoints(run, values)
    first, last = values["loss.train.median_first"], values["loss.train.median_last"]
    fall = float(change.value)
    verb = "fell" if fall > 0 else "rose" if fall < 0 else "stayed the same"
    tail = ""
    unsure = change.low is not None and change.high is not None and change.low <= 0 <= change.high
    if change.low is not None and change.high is not None:
        low, high = (
            sorted((abs(change.low), abs(change.high)))
            if change.low * change.high > 0
            else ((change.low, change.high) if fall >= 0 else (-change.high, -change.low))
        )
        tail = f" (95 % block-bootstrap interval {numbers.interval(low, high, numbers.loss)})"
    text = say(
        "The median logged loss {verb} from {a} ({wa}) to {b} ({wb}), {change}{d}{tail}.",
        verb="went" if unsure else verb,
        change="within its scatter: a change of " if unsure else "a change of ",
        a=numbers.display(first),
        wa=first.note,
        b=numbers.display(last),
        wb=last.note,
        d=numbers.loss(abs(fall)),
        tail=tail,
    )
    evidence = ("loss.train.median_first", "loss.train.median_last", "loss.train.reduction")
    if change.low is not None and change.low > 0:
        return found(text, "good", evidence=evidence, grants=("objective-fell",))
    return found(text, evidence=evidence, grants=_below_start(run, values))


def _endpoints(run: Run, values: Values) -> Finding:
    first, last = values.get("loss.train.first"), values.get("loss.train.last")
    series = run.get("loss")
    if first is None or last is None or series is None:
        raise NotApplicable("fewer than two rows with a loss were logged")
    if not (math.isfinite(float(first.value)) and math.isfinite(float(last.value))):
        raise NotApplicable("an endpoint is not finite (C12)")
    return found(
        say(
            "The logged loss went from {a} ({wa}) to {b} ({wb}); {n} are too few for a trend.",
            a=numbers.display(first),
            wa=first.note,
            b=numbers.display(last),
            wb=last.note,
            n=numbers.plural(len(series), "row"),
        ),
        "caution",
        evidence=("loss.train.first", "loss.train.last"),
        grants=_below_start(run, values),
    )


def _below_start(run: Run, values: Values) -> tuple[str, ...]:
    """The plain fact, without inference, that every row after the untrained steps lies below the analytic start, and
    the last row below the first.
    """
    series, start = run.get("loss"), values.get("loss.start")
    if series is None or start is None or not baselines.of(run).exact:
        return ()
    later = series.values[series.steps > reading.untrained_steps(run)]
    fell = len(later) > 0 and bool((later < float(start.value)).all() and later[-1] < series.values[0])
    return ("objective-fell",) if fell else ()


def end_from_mean(run: Run, values: Values) -> Finding:
    """C5."""
    finiteness.need_sound(run)
    rest, start = values["loss.train.rest"], values["loss.start"]
    total, untrained = reading.total_steps(run) or 0, reading.untrained_steps(run)
    mean_below = float(rest.value) < float(start.value)
    series = run.get("loss")
    rows_agree = series is None or bool(np.isfinite(series.values).all())
    grants = ("objective-fell",) if mean_below and rows_agree and run.method == "dpo" else ()
    if series is not None and len(series) > 1:
        return passed(f"the steps after the untrained ones averaged {numbers.display(rest)}", grants=grants)
    text = say(
        "If the first {steps} had the analytic loss {start} (policy = reference, no dropout{warm}), "
        "the remaining {n} "
        "averaged {rest}; individual step losses were not logged.",
        steps="step" if untrained == 1 else f"{untrained} steps",
        start=numbers.display(start),
        warm=", no warm-up" if untrained == 1 and not reading.warmup_steps(run) else "",
        n=total - untrained,
        rest=numbers.display(rest),
    )
    if reading.pure_sigmoid(run) and 0 < float(rest.value) < 30:
        margin = -math.log(math.expm1(float(rest.value)))
        if margin > 0:
            beta = reading.beta(run)
            nats = f" ({numbers.lower_bound(margin / beta.value)} nats at β = {beta.value:g})" if beta else ""
            text += say(
                " By the convexity of the sigmoid loss the margin averaged at least {m}{nats} over those steps.",
                m=numbers.lower_bound(margin),
                nats=nats,
            )
    return found(text, "caution", evidence=("loss.train.rest", "loss.start"), grants=grants)


CHECKS = (
    Check(
        "C1",
        "Loss at the start",
        first_loss,
        needs=("loss",),
        section="results",
        order=20,
        source="TRL loss definitions; Rafailov et al. 2023",
        forbids="the starting value as a finding about the model",
        thresholds=(EXACT, ROUNDED, CLOSE),
    ),
    Check(
        "C2",
        "The mean is not the final loss",
        mean_loss,
        needs=("value:loss.train.mean",),
        section="results",
        order=21,
        source="Trainer._finalize_training",
        forbids="“final loss”, “converged to”, “achieved a loss of”",
    ),
    Check(
        "C3",
        "Last window",
        last_window,
        needs=("loss",),
        section="results",
        order=24,
        source="Trainer._maybe_log_save_evaluate",
        forbids="“final loss” without the window",
    ),
    Check(
        "C4",
        "Reduction",
        reduction,
        needs=("loss",),
        section="results",
        order=22,
        source="medians and block bootstrap; conventions of ours",
        forbids="percentages for losses without a zero floor; a reduction computed from train_loss",
        thresholds=(*WINDOWS, UNITS, *INFERENCE),
    ),
    Check(
        "C5",
        "What the mean implies about the end",
        end_from_mean,
        needs=("value:loss.train.rest", "value:loss.start"),
        section="results",
        order=23,
        source="derived; Jensen's inequality",
        forbids="a final loss, a slope or a monotone decrease",
    ),
)
