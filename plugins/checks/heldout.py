"""Group F: what was held out, how far training and held-out values part, how noisy evaluations are."""

from __future__ import annotations

import numpy as np

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run, Series
from dpo_report.core.text import say
from dpo_report.plugins import reading, statistics
from dpo_report.plugins.conventions import CHANCE, GAP, PAIRS, TREND_ROWS
from dpo_report.plugins.metrics.rewards import first_trained, last_finite
from dpo_report.plugins.reading.rows import held_out_saved

_NAMED = 3
"""Quantities that a sentence names."""
EVALUATIONS = Threshold("F3.evaluations", 4, "evaluations below which no onset of over-fitting is told", low=2)
RISE = Threshold("F3.rise", 0.05, "relative rise of the held-out loss above its lowest above which it is told",
                 source="a convention, as no standard error of a loss can be had from logs")  # fmt: skip
IN_A_ROW = Threshold(
    "F9.evaluations", 4, "last evaluations in which the margin must grow and the accuracy must not", low=2
)
SATURATED = Threshold("F9.accuracy", 0.95, "held-out accuracy from which a flat curve is ordinary saturation", high=1)


def any_held_out(run: Run, values: Values) -> Finding:
    """F1."""
    if any(split.split(":")[0] in ("eval", "test") and len(s) for (_, split), s in run.series.items()):
        return passed("held-out data were evaluated", grants=("held-out",))
    if held_out_saved(run):
        return passed("held-out results were saved", grants=("held-out",))
    if run.status == "no-metrics":
        raise NotApplicable("the run holds no metrics at all")
    if reading.unread_log(run):
        return found(say("Whether held-out data were evaluated is not known, as no log could be read."), "warning")
    if once := reading.logged_once(run):
        more = [f"{len(once) - _NAMED} more"] if len(once) > _NAMED else []
        *first, last = [f"“{key}”" for key in list(once)[:_NAMED]] + more
        named = f"{', '.join(first)} and {last}" if first else last
        text = "On which data {named} {was} measured is not told; no value is known to be of held-out data."
        return found(say(text, named=named, was="was" if len(once) == 1 else "were"), "warning")
    rows, word = reading.dataset_rows(run), reading.sample_word(run)
    which = f"the {rows:,} training {word}s" if rows else "the training data"
    if run.method in reading.POLICY_GRADIENT:
        text = "No held-out prompts were evaluated; every reward is one on training prompts."
        return found(say(text), "warning")
    return found(
        say("No held-out data were evaluated; the results describe fit to {which} only.", which=which),
        "warning",
    )


def gap(run: Run, values: Values) -> Finding:
    """F2."""
    loss, accuracy = _beside(run, "loss"), _beside(run, "rewards/accuracies")
    held = run.get("loss", "eval")
    if held is None or last_finite(held) is None or run.method in reading.POLICY_GRADIENT:
        raise NotApplicable("no held-out loss is there to be read beside that of training")
    untrained = _exceeded(values, float(held.values[-1]))
    # The accuracies are told by rule D2, with their populations; their gap only weighs here.
    apart = accuracy is not None and _gap(accuracy) > GAP.of(run)
    place, at_place = reading.place_in(run, float(held.steps[-1]))
    told = say(f"At {place} the held-out loss was {{b}}", **at_place, b=numbers.loss(float(held.values[-1])))
    above = f"above the {untrained} of the untrained policy" if untrained else ""
    evidence = tuple(name for name in ("loss.train.last", "loss.eval.last") if name in values)
    if loss is None:
        before = f", {above}" if above else ""
        return found(told + f"{before}; no loss was logged in training up to there.", evidence=evidence)
    train, _, at = loss
    text = told + say(
        ", against {a} in training ({window}){above}.",
        a=numbers.loss(float(train.values[at])),
        window=reading.window_text(run, train, at),
        above=f" and {above}" if above else "",
    )
    return found(text, "caution" if apart or _parting(run, train, held) else "info", evidence=evidence)


def _exceeded(values: Values, loss: float) -> str:
    """The analytic loss of the untrained policy, where this one is visibly above it; else nothing."""
    start = values.get("loss.start")
    if start is None or not loss > float(start.value):
        return ""
    untrained = numbers.loss(float(start.value))
    return untrained if numbers.loss(loss) != untrained else ""


def _beside(run: Run, key: str) -> tuple[Series, Series, int] | None:
    """Training and held-out series, and the index of the training row at the last evaluation or just before it."""
    train, held = run.get(key), run.get(key, "eval")
    if train is None or held is None or last_finite(held) is None:
        return None
    at = int(np.searchsorted(train.steps, held.steps[-1], side="right")) - 1
    return (train, held, at) if at >= 0 and np.isfinite(train.values[at]) else None


def _gap(found_: tuple[Series, Series, int]) -> float:
    train, held, at = found_
    return float(train.values[at] - held.values[-1])


def _parting(run: Run, train: Series, held: Series) -> bool:
    """Whether the held-out loss ended above its lowest while the training loss went on falling."""
    if min(len(held), len(train)) < EVALUATIONS.of(run):
        return False
    lowest = int(np.nanargmin(held.values))
    rising = held.values[-1] > held.values[lowest] * (1 + RISE.of(run))
    before = np.searchsorted(train.steps, held.steps[lowest])
    tail = train.values[max(0, int(before)) :]
    return bool(rising and len(tail) > 1 and tail[-1] < tail[0])


def onset(run: Run, values: Values) -> Finding:
    """F3."""
    held = run.get("loss", "eval")
    fewest, rise = int(EVALUATIONS.of(run)), RISE.of(run)
    if held is None or int(np.isfinite(held.values).sum()) < fewest:
        raise NotApplicable(f"fewer than {fewest} evaluations of the loss")
    if run.method in reading.POLICY_GRADIENT:
        raise NotApplicable("the policy-gradient loss is not interpreted")
    if last_finite(held) is None:
        raise NotApplicable("the last held-out loss is not finite (C12)")
    lowest = int(np.nanargmin(held.values))
    best, end = float(held.values[lowest]), float(held.values[-1])
    evidence = tuple(name for name in ("loss.eval.lowest", "loss.eval.last") if name in values)
    if end <= best * (1 + rise) if best > 0 else lowest == len(held) - 1:
        return passed(f"the held-out loss ended within {numbers.share(rise)} of its lowest", evidence=evidence)
    place, at_place = reading.place_in(run, float(held.steps[lowest]))
    text = say(
        f"The held-out loss was lowest at {place} ({{best}}{{first}}) and ended at {{end}}",
        **at_place,
        first="" if lowest else ", at the first evaluation",
        best=numbers.loss(best),
        end=numbers.loss(end),
    )
    untrained = _exceeded(values, best)
    if untrained:
        text += f", never below the {untrained} of the untrained policy"
    accuracy = run.get("rewards/accuracies", "eval")
    if accuracy is not None and len(accuracy) == len(held):
        n = values["accuracy.eval.last"].n if "accuracy.eval.last" in values else None
        there, last = (numbers.share(float(accuracy.values[row]), n) for row in (lowest, -1))
        went = f"was {last} at both" if there == last else f"went from {there} there to {last} at the end"
        text += f"; held-out accuracy {went}"
    return found(text + ".", "caution", evidence=evidence)


def resolution(run: Run, values: Values) -> Finding:
    """F6: no standard error of a loss can be had from logs; that of an accuracy follows from n."""
    value = values.get("accuracy.eval.last")
    series = run.get("rewards/accuracies", "eval")
    if value is None or not value.n or series is None or len(series) < 2:
        raise NotApplicable("several evaluations of an accuracy on a known number of pairs are needed")
    later = series.values[first_trained(series) :]
    if len(later) < 2:
        raise NotApplicable("fewer than two evaluations after training began")
    if value.n < PAIRS.of(run):
        raise NotApplicable(f"on fewer than {PAIRS.of(run):g} pairs evaluations are not compared (K2)")
    p = float(np.nanmean(later))
    error = float(np.sqrt(max(p * (1 - p), 0.25 / value.n) / value.n))
    low, high = float(np.nanmin(later)), float(np.nanmax(later))
    within = high - low < 2 * error
    return found(
        say(
            "The {m} held-out accuracies lie between {low} and {high}, {apart} (one is about {s} on {n} pairs)"
            "{verdict}.",
            m=len(later),
            low=numbers.fixed(low, 2),
            high=numbers.fixed(high, 2),
            apart="no more than two standard errors apart" if within else "more than two standard errors apart",
            s=numbers.number(error, 2),
            n=value.n,
            verdict=", so they rank no checkpoint above another" if within else "",
        ),
        evidence=("accuracy.eval.last",),
    )


def over_optimisation(run: Run, values: Values) -> Finding:
    """F9: ordinary saturation of an accuracy is none."""
    margin, accuracy = run.get("rewards/margins", "eval"), run.get("rewards/accuracies", "eval")
    n = int(IN_A_ROW.of(run))
    if margin is None or accuracy is None or len(margin) < n or len(accuracy) != len(margin):
        raise NotApplicable(f"fewer than {n} evaluations with margin and accuracy")
    last = values.get("accuracy.eval.last")
    if last is not None and last.n and last.n < PAIRS.of(run):
        raise NotApplicable(f"on fewer than {PAIRS.of(run):g} pairs evaluations are not compared (K2)")
    if parted := _parted(run, margin, accuracy):
        n = len(margin)
    else:
        parted = bool((np.diff(margin.values[-n:]) > 0).all() and (np.diff(accuracy.values[-n:]) <= 0).all())
    if not parted or float(accuracy.values[-1]) >= SATURATED.of(run):
        return passed("the margin did not outrun the accuracy")
    return found(
        say(
            "The held-out margin grew over the last {n} evaluations while held-out accuracy did not; "
            "over-optimisation is known to set in within the first epoch for direct alignment methods "
            "[@rafailov2024scaling].",
            n=n,
        ),
        "caution",
        evidence=("margin.eval.last", "accuracy.eval.last"),
    )


def _parted(run: Run, margin: Series, accuracy: Series) -> bool:
    """Whether the margin has a rising trend over all evaluations, and the accuracy ended no higher than it began."""
    steps, margins = reading.finite(margin)
    if len(steps) < TREND_ROWS.of(run) or not accuracy.values[-1] <= accuracy.values[0]:
        return False
    trend = statistics.trend(steps, margins)
    return trend.slope > 0 and trend.p < CHANCE.of(run)


CHECKS = (
    Check(
        "F6",
        "Noise of evaluations",
        resolution,
        section="results",
        order=53,
        source="Miller 2024",
        forbids="evaluations ranked inside their noise",
        thresholds=(PAIRS,),
    ),
    Check(
        "F9",
        "Margin outruns accuracy",
        over_optimisation,
        section="discussion",
        order=17,
        source="Rafailov et al. 2024; Gao et al. 2023",
        forbids="true quality quantified",
        thresholds=(IN_A_ROW, SATURATED, PAIRS, TREND_ROWS, CHANCE),
    ),
    Check(
        "F1",
        "Held-out data",
        any_held_out,
        section="limitations",
        order=1,
        source="NeurIPS checklist; Pineau et al. 2021; Kapoor et al. 2024",
        forbids="“performance” or “accuracy” unqualified",
    ),
    Check(
        "F2",
        "Training beside held-out",
        gap,
        section="results",
        order=50,
        source="a convention of ours",
        forbids="“no over-fitting” from one point",
        thresholds=(GAP, EVALUATIONS, RISE),
    ),
    Check(
        "F3",
        "Onset of over-fitting",
        onset,
        section="results",
        order=52,
        source="Rafailov et al. 2024",
        forbids="worse generations inferred from the held-out loss",
        thresholds=(EVALUATIONS, RISE),
    ),
)
