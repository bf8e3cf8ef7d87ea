"""Group J and rule C9: several runs that are reported together, over seeds and recipe against recipe."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import Code, Text, join, listing, say
from dpo_report.plugins import comparison, reading, statistics
from dpo_report.plugins.conventions import CHANCE, INFERENCE, inference_allowed
from dpo_report.plugins.several import DATA, MODELS, SCALE, Group, form, named, outcomes, recipes

FEW_SEEDS = Threshold("J2.seeds", 3, "runs from which a range over seeds, or a comparison of recipes, is given", low=2)
INTERVAL_SEEDS = Threshold("J2.interval", 5, "runs from which an interval over seeds is given", low=2)


def over_seeds(run: Run, values: Values) -> Finding:
    """J2: every run's value and their range from three seeds on, Student's interval of the mean from five on."""
    own, *others = recipes(run)
    if len(own.runs) < 2:
        raise NotApplicable("no other run reported with this one differs from it in its seed only")
    told = outcomes(own.runs)
    if told is None:
        raise NotApplicable("the runs share no value that all of them logged")
    words, kind, each = told
    listed = listing([form(kind, value) for value in each])
    seeds = ", ".join(map(str, own.seeds))
    if len(each) < FEW_SEEDS.of(run):
        text = (
            "Two runs that differ in their seed only ({seeds}) ended with a {words} of {listed}; two do not tell how "
        )
        text += "much it varies."
        return found(say(text, seeds=seeds, words=words, listed=listed), "caution")
    interval = ""
    if len(each) >= INTERVAL_SEEDS.of(run) and inference_allowed(run):
        low, high = statistics.mean_interval(each)
        interval = f", 95 % t interval of the mean {numbers.interval(low, high, lambda x: form(kind, x))}"
    varies = " (it sets the order of the data" + (", and the initial adapters" if _adapters(run) else "") + ")"
    said = say(
        "Over {k} runs that differ in their seed only ({seeds}), the {words} was {listed}: mean {mean}, range "
        "{low} to {high}{interval}. Nothing but the seed{varies} was varied.",
        k=len(each),
        seeds=seeds,
        words=words,
        listed=listed,
        mean=form(kind, float(np.mean(each))),
        low=form(kind, min(each)),
        high=form(kind, max(each)),
        interval=interval,
        varies="" if reading.setting(run, "data_seed") is not None else varies,
    )
    return found(said, grants=("replicated",) if _replicated(run, own, others) else ())


def _adapters(run: Run) -> bool:
    return reading.setting(run, "lora.r") is not None


def _replicated(run: Run, own: Group, others: list[Group]) -> bool:
    """Whether held-out pairs are ranked above chance over five seeds here and on other data or another model."""
    if not inference_allowed(run):
        return False
    elsewhere = [group for group in others if group.differs.keys() & {*DATA, *MODELS}]
    return _above_chance(own) and any(map(_above_chance, elsewhere))


def _above_chance(group: Group) -> bool:
    told = outcomes(group.runs)
    if told is None or told[0] != "held-out accuracy" or len(told[2]) < INTERVAL_SEEDS.of(group.runs[0]):
        return False
    return statistics.mean_interval(told[2])[0] > 0.5


@dataclass(frozen=True, slots=True)
class Compared:
    """This recipe's runs against those of another."""

    other: Group
    words: str
    kind: str
    here: float
    there: float
    difference: comparison.Difference
    counts: tuple[int, int]
    adjusted: float | None
    """Permutation p after Holm's adjustment for all comparisons of the report."""

    @property
    def decided(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.difference.low > 0 or self.difference.high < 0

    @property
    def better(self) -> bool:
        """Whether this recipe's runs are the better ones."""
        return self.decided and (self.difference.value < 0) == (self.kind == "loss")


def _compared(run: Run) -> list[Compared]:
    own, *others = recipes(run)
    if not others:
        raise NotApplicable("all runs reported together have the same settings")
    if not inference_allowed(run):
        raise NotApplicable("the run is too small for inference (K2)")
    made = [one for other in others if (one := _against(own, other)) is not None]
    if not made:
        raise NotApplicable("no two recipes were run with enough seeds each and logged a value on one scale")
    ps = [one.difference.p for one in made]
    told = [p for p in ps if p is not None]
    adjusted = iter(comparison.holm(told))
    return [replace(one, adjusted=None if one.difference.p is None else next(adjusted)) for one in made]


def _against(own: Group, other: Group) -> Compared | None:
    """The comparison of two recipes; None with too few seeds of either, or nothing on one scale."""
    if min(len(own.runs), len(other.runs)) < FEW_SEEDS.of(own.runs[0]):
        return None
    told = outcomes(own.runs + other.runs, scale=not other.differs.keys() & {*SCALE, *DATA})
    if told is None:
        return None
    words, kind, each = told
    here, there = each[: len(own.runs)], each[len(own.runs) :]
    if len(own.seeds) == len(other.seeds) and set(own.seeds) == set(other.seeds):
        by_seed = dict(zip(other.seeds, there, strict=True))
        there = [by_seed[seed] for seed in own.seeds]
        difference = comparison.paired(here, there)
    else:
        difference = comparison.unpaired(here, there)
    if not difference.error:
        return None
    means = float(np.mean(here)), float(np.mean(there))
    return Compared(other, words, kind, *means, difference, (len(here), len(there)), None)


def two_recipes(run: Run, values: Values) -> Finding:
    """J4: the difference of two recipes with its interval first; a p-value only beside it."""
    made = _compared(run)
    better = [one for one in made if one.better]
    grants = ("paired-comparison",) if any(one.difference.paired for one in better) else ()
    return found(join(_difference(run, one) for one in made), "good" if better else "info", grants=grants)


def _difference(run: Run, one: Compared) -> Text:
    d = one.difference
    test = "sign-flip" if d.paired else "permutation"
    p = ""
    if one.adjusted is not None:
        p = f"; {test} {numbers.p_value(one.adjusted)}"
        if d.least > CHANCE.of(run):
            p += f", where so few runs reach at best {numbers.p_value(d.least)}"
    text = say(
        "Against the runs with {other}, the {words} was {here} on average instead of {there}: a difference of {d} "
        "(95 % {how} interval {interval}{p}; {a} v {b} seeds).",
        other=named(one.other),
        words=one.words,
        here=form(one.kind, one.here),
        there=form(one.kind, one.there),
        d=form(one.kind, d.value),
        how="paired t" if d.paired else "Welch",
        interval=numbers.interval(d.low, d.high, lambda x: form(one.kind, x)),
        p=p,
        a=one.counts[0],
        b=one.counts[1],
    )
    return text if one.decided else text + " It cannot be told from the variation over seeds."


def adjusted(run: Run, values: Values) -> Finding:
    """J5."""
    tests = sum(one.adjusted is not None for one in _compared(run))
    if tests < 2:
        return passed("one comparison: nothing to adjust for")
    return found(say("The p-values of these {m} comparisons are adjusted by Holm's method [@holm1979].", m=tests))


def power(run: Run, values: Values) -> Finding:
    """J7: what the comparison could have found, wherever it found nothing."""
    undecided = [one for one in _compared(run) if not one.decided]
    if not undecided:
        return passed("every difference is told from the variation over seeds")
    texts = [
        say(
            "With {a} v {b} seeds only a difference in {words} of about {x} or more would have been found with 80 % "
            "power, so a smaller one is not excluded [@card2020].",
            a=one.counts[0],
            b=one.counts[1],
            words=one.words,
            x=form(one.kind, comparison.detectable(one.difference)),
        )
        for one in undecided
    ]
    return found(join(texts))


def scale_of_losses(run: Run, values: Values) -> Finding:
    """C9: losses compare only under one loss, β, weighting, data set and averaging."""
    names = {name for group in recipes(run) for name in group.differs if name in SCALE + DATA}
    if not names:
        return passed("the runs reported together have losses on one scale")
    what = listing([Code(name) for name in sorted(names)])
    return found(say("The losses of the runs reported together are not comparable: they differ in {what}.", what=what),
                 "warning")  # fmt: skip


CHECKS = (
    Check("C9", "Losses on one scale", scale_of_losses, section="limitations", order=7.5,
          source="arithmetic of the losses; published runs of one model family with mean losses 0.217 and 0.538",
          forbids="runs ranked by losses of different scale; “0.46 is good for DPO”"),
    Check("J2", "Several seeds", over_seeds, section="results", order=80,
          source="Agarwal et al. 2021; Colas et al. 2018; the numbers of seeds are conventions",
          forbids="a standard deviation or error without its name; an interval from fewer than five seeds",
          thresholds=(FEW_SEEDS, INTERVAL_SEEDS, *INFERENCE)),
    Check("J4", "Two recipes", two_recipes, section="results", order=82,
          source="Welch 1947; Dror et al. 2018; Miller 2024",
          forbids="“outperforms” where the interval holds 0, or with fewer than three seeds",
          thresholds=(FEW_SEEDS, CHANCE, *INFERENCE)),
    Check("J5", "Several comparisons", adjusted, section="results", order=83,
          source="Holm 1979", forbids="the best p-value, unadjusted", thresholds=(FEW_SEEDS, *INFERENCE)),
    Check("J7", "Power of a comparison", power, section="limitations", order=7.7,
          source="Card et al. 2020; the detectable difference follows Bloom 1995",
          forbids="“no difference” from p > 0.05", thresholds=(FEW_SEEDS, *INFERENCE)),
)  # fmt: skip
