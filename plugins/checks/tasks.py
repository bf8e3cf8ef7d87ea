"""Rule J3: several held-out sets and seeds, all of them together."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Values, found
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import Text, join, say
from dpo_report.plugins import aggregate
from dpo_report.plugins.aggregate import Floats
from dpo_report.plugins.checks.seeds import FEW_SEEDS
from dpo_report.plugins.conventions import INFERENCE, UNITS, inference_allowed
from dpo_report.plugins.several import Group, named, recipes
from dpo_report.plugins.tasks import scores, tasks

_MOST = 3
"""Other recipes that the sentence compares with."""


def over_tasks(run: Run, values: Values) -> Finding:
    """J3: interquartile mean, profile and probability of improvement over held-out sets and seeds."""
    own, *others = recipes(run)
    sets, fewest = tasks(run), FEW_SEEDS.of(run)
    if len(sets) < 2 or len(own.runs) < fewest:
        raise NotApplicable(f"at least two held-out sets and {fewest:g} seeds are needed")
    table = scores(own.runs, sets)
    if table is None:
        raise NotApplicable("not every run was evaluated on every held-out set")
    sure = inference_allowed(run) and table.size >= UNITS.of(run)
    rivals = [(other, scores(other.runs, sets)) for other in others if len(other.runs) >= fewest]
    compared = [(other, theirs) for other, theirs in rivals if theirs is not None]
    texts = [_together(table, sure)]
    texts += [_improvement(table, theirs, other, sure) for other, theirs in compared[:_MOST]]
    if compared[_MOST:]:
        texts.append(
            say("{n} reported beside it", n=numbers.plural(len(compared) - _MOST, "more recipe is", "more recipes are"))
        )
    return found(join(texts, "; ") + say(" [@agarwal2021]."))


def _together(table: Floats, sure: bool) -> Text:
    """The middle half of all accuracies, and how many of them lie above chance."""
    interval = ""
    if sure:
        low, high = aggregate.stratified_interval([table], aggregate.interquartile_mean)
        interval = f" (95 % stratified bootstrap {numbers.interval(float(low), float(high), _plain)})"
    (above,) = aggregate.performance_profile(table, [0.5])
    return say(
        "Over {tasks} held-out sets and {k} seeds the interquartile mean of the accuracy was {x}{interval}; {above} of "
        "the {n} accuracies lie above chance",
        tasks=table.shape[1],
        k=table.shape[0],
        x=_plain(aggregate.interquartile_mean(table)),
        interval=interval,
        above=round(float(above) * table.size),
        n=table.size,
    )


def _improvement(table: Floats, theirs: Floats, other: Group, sure: bool) -> Text:
    interval = ""
    if sure:
        low, high = aggregate.stratified_interval([table, theirs], aggregate.probability_of_improvement)
        interval = f" (95 % stratified bootstrap {numbers.interval(float(low), float(high), _plain)})"
    return say(
        "a run of this recipe ranked higher than one with {other} with an estimated probability of {p}{interval}",
        other=named(other),
        p=_plain(aggregate.probability_of_improvement(table, theirs)),
        interval=interval,
    )


def _plain(share: float) -> str:
    return numbers.fixed(share, 2)


CHECKS = (
    Check("J3", "Several tasks and seeds", over_tasks, section="results", order=81, source="Agarwal et al. 2021",
          forbids="the plain mean of unlike scores alone", thresholds=(FEW_SEEDS, UNITS, *INFERENCE)),
)  # fmt: skip
