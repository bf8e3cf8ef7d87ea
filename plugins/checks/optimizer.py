"""Group G: steps, gradient norms and whether the parameters moved."""

from __future__ import annotations

import numpy as np

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import listing, say
from dpo_report.plugins import finiteness, reading, statistics
from dpo_report.plugins.conventions import STEPS
from dpo_report.plugins.metrics.loss import measures_progress
from dpo_report.plugins.reading.programs import counts_updates

FEW_STEPS = Threshold("G8.steps", 100, "optimizer steps below which their number is a caution")
SPIKE = Threshold("G1.z", 5.0, "robust z of the logarithm of a gradient norm above which it is an outlier")
MANY_SPIKES = Threshold("G1.share", 0.05, "share of outliers above which several of them are a caution", high=1)
NORMS = Threshold("G1.rows", 12, "gradient norms below which no outlier is told", low=3)
VANISHED = Threshold("G3.share", 1e-6, "share of the first gradient norm below which a gradient has vanished", high=1)
HIGH_LOSS = Threshold("G6.loss", 1.1, "ratio of last and starting loss above which the learning rate is suspect")
COLLAPSE = Threshold("G6.nats", 50.0, "early fall of both log-probabilities beyond which it is suspect", "nats")
EARLY = Threshold("G6.early", 0.1, "share of the training within which such a fall is early", high=1)
STILL = Threshold("G7.nats", 0.1, "margin below which the policy barely moved", "nats")
STILL_LOSS = Threshold("G7.loss", 0.01, "relative distance of loss and start below which it barely moved", high=1)


def few_steps(run: Run, values: Values) -> Finding:
    """G8."""
    total = reading.last_step(run) if reading.cut_short(run) else reading.total_steps(run)
    if total is None:
        raise NotApplicable("no step count was logged")
    if total >= max(FEW_STEPS.of(run), STEPS.of(run)):
        return passed(f"{total:,} steps")
    if not counts_updates(run):
        text = say("The log ends at step {total}; trends rest on few points.", total=total)
        return found(text, "warning" if total < STEPS.of(run) else "caution", evidence=("steps.logged",))
    if total < STEPS.of(run):
        text = say(
            "Training comprised only {total}; curves and rates are not estimable.",
            total=numbers.plural(total, "optimizer update"),
        )
        return found(text, "warning", evidence=("steps.done",))
    text = say("Training comprised only {total} optimizer updates; trends rest on few points.", total=total)
    return found(text, "caution", evidence=("steps.done",))


def spikes(run: Run, values: Values) -> Finding:
    """G1: on a logarithmic scale, as norms are skewed, and high at first in a sound run."""
    steps, norms = reading.finite(run.get("grad_norm"))
    steps, norms = steps[norms > 0], norms[norms > 0]
    if len(norms) < NORMS.of(run):
        raise NotApplicable(f"fewer than {NORMS.of(run):g} gradient norms above 0 were logged")
    logs = np.log(norms)
    far = (statistics.robust_z(logs) > SPIKE.of(run)) & (logs > np.median(logs))
    if not far.any():
        return passed("no outliers among the gradient norms")
    named = [f"{int(step):,}" for step in steps[far][:5]]
    listed = listing(named if far.sum() <= 5 else [*named, "others"])
    often = far.sum() > max(1, MANY_SPIKES.of(run) * len(norms))
    return found(
        say(
            "The gradient norm was an outlier at {word} {listed} ({n} of {m} rows).",
            word="step" if far.sum() == 1 else "steps",
            listed=listed,
            n=int(far.sum()),
            m=len(norms),
        ),
        "caution" if often else "info",
    )


def clipping(run: Run, values: Values) -> Finding:
    """G2."""
    limit = reading.numeric(reading.setting(run, "max_grad_norm"))
    _, norms = reading.finite(run.get("grad_norm"))
    if not limit or not len(norms):
        raise NotApplicable("the clipping threshold or the gradient norms are not known")
    share = float((norms > limit).mean())
    return found(
        say(
            "Gradient clipping (at {limit}) was active in {p} logged steps.",
            limit=numbers.setting(limit),
            p=f"{numbers.share(share, len(norms))} of the"
            if len(norms) >= 100
            else f"{int((norms > limit).sum())} of {len(norms)}",
        )
    )


def vanished(run: Run, values: Values) -> Finding:
    """G3."""
    steps, norms = reading.finite(run.get("grad_norm"))
    if len(norms) < 2 or norms[0] <= 0:
        raise NotApplicable("two gradient norms, the first of them above 0, are needed")
    low = norms < VANISHED.of(run) * norms[0]
    if not low.any():
        return passed("no gradient vanished")
    return found(say("The gradient vanished from step {step}.", step=int(steps[low][0])), "caution")


def rate_too_high(run: Run, values: Values) -> Finding:
    """G6."""
    signs = []
    last, start = values.get("loss.train.last"), values.get("loss.start")
    if last is not None and start is not None and measures_progress(run):
        end = float(last.value)
        signs += ["the loss that ended above its start"] if end > HIGH_LOSS.of(run) * float(start.value) > 0 else []
    if finiteness.spoilt(run):
        signs.append("the values that are not finite")
    if _collapsed_early(run):
        early = numbers.share(EARLY.of(run))
        signs.append(
            f"the fall of both log-probabilities by {COLLAPSE.of(run):g} nats in the first {early} of training"
        )
    if not signs:
        return passed("no early collapse, no loss above its start and none that is not finite (distances: D8)")
    return found(say("Too high a learning rate is one possible cause of {signs}.", signs=listing(signs)), "caution")


def _collapsed_early(run: Run) -> bool:
    scale, total = reading.beta(run), reading.total_steps(run)
    if run.method != "dpo" or scale is None or not total:
        return False
    lows = []
    for part in ("chosen", "rejected"):
        steps, values = reading.finite(run.get(f"rewards/{part}"))
        early = values[steps <= EARLY.of(run) * total]
        lows.append(len(early) > 0 and float(early.min()) / scale.value < -COLLAPSE.of(run))
    return all(lows)


def barely_moved(run: Run, values: Values) -> Finding:
    """G7."""
    finiteness.need_sound(run)
    margin, loss, start = values.get("margin.train.last_nats"), values["loss.train.last"], values["loss.start"]
    if margin is None:
        raise NotApplicable("no margin in nats was logged")
    far = abs(float(loss.value) - float(start.value)) >= STILL_LOSS.of(run) * abs(float(start.value))
    if abs(float(margin.value)) >= STILL.of(run) or far:
        return passed("the policy moved away from the reference")
    steps, rates = reading.finite(run.get("learning_rate"))
    total = float((rates * np.diff(steps, prepend=0.0)).sum()) if len(rates) else None
    tail = f" (rates sum to {numbers.scientific(total, 2)})" if total else ""
    return found(
        say(
            "The policy barely moved from the reference: margin {m}, loss within {p} of its start{tail}.",
            m=numbers.display(margin),
            p=numbers.share(STILL_LOSS.of(run)),
            tail=tail,
        ),
        "caution",
        evidence=("margin.train.last_nats", "loss.train.last"),
    )


CHECKS = (
    Check(
        "G1",
        "Gradient-norm outliers",
        spikes,
        needs=("grad_norm",),
        section="results",
        order=60,
        source="robust z; conventions of ours",
        forbids="“instability” without an effect on the loss",
        thresholds=(SPIKE, MANY_SPIKES, NORMS),
    ),
    Check(
        "G2",
        "Clipping",
        clipping,
        needs=("grad_norm",),
        section="results",
        order=61,
        source="Pascanu et al. 2013",
        forbids="clipping called instability",
    ),
    Check(
        "G3",
        "Vanished gradient",
        vanished,
        needs=("grad_norm",),
        section="discussion",
        order=5,
        source="a convention of ours",
        forbids="“converged”",
        thresholds=(VANISHED,),
    ),
    Check(
        "G6",
        "Signs of too high a rate",
        rate_too_high,
        section="discussion",
        order=6,
        source="Meng et al. 2024; thresholds are conventions",
        forbids="the rate stated as the cause",
        thresholds=(HIGH_LOSS, COLLAPSE, EARLY),
    ),
    Check(
        "G7",
        "Barely moved",
        barely_moved,
        needs=("method:dpo", "value:loss.train.last", "value:loss.start"),
        section="discussion",
        order=7,
        source="arithmetic; thresholds are conventions",
        forbids="“the method does not work”",
        thresholds=(STILL, STILL_LOSS),
    ),
    Check(
        "G8",
        "Few steps",
        few_steps,
        section="limitations",
        order=4,
        source="a convention of ours",
        forbids="trends and percentages below 20 steps",
        thresholds=(FEW_STEPS, STEPS),
    ),
)
