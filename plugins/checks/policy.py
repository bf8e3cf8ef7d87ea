"""Group L, policy-gradient methods: rewards, clipped completions, divergence and entropy instead of a loss."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import say
from dpo_report.plugins import reading
from dpo_report.plugins.conventions import INFERENCE, SHARPENED, UNITS, WINDOWS, fall_interval
from dpo_report.plugins.metrics.loss import measures_progress
from dpo_report.plugins.metrics.policy import REWARD_KEYS

ZERO_VARIANCE = Threshold("L5.share", 0.5, "share of groups with identical rewards above which it is a caution", high=1)
CLIPPED = Threshold("L6.share", 0.1, "share of completions cut at the limit above which it is a caution", high=1)


def policy_loss(run: Run, values: Values) -> Finding:
    """L4."""
    if measures_progress(run):
        raise NotApplicable("this concerns policy-gradient runs")
    if run.method not in reading.POLICY_GRADIENT:
        return _episodes(values)
    first, last = values.get("policy.reward.first"), values.get("policy.reward.last")
    text = say("The policy-gradient loss is not a progress measure and is not interpreted")
    if first is None or last is None:
        return found(text + "; no mean reward was logged.")
    few = "one row" if first.note == "one row" else f"{first.note} at either end"
    fall = _reward_fall(run)
    change = ""
    if fall is not None:
        change = f"; 95 % block-bootstrap interval of the change {numbers.interval(-fall[1], -fall[0], numbers.number)}"
        change += ", which includes no change" if fall[0] <= 0 <= fall[1] else ""
    text += say(
        "; the mean training reward went from {a} to {b} ({few}{change}). This is the optimised quantity itself, on "
        "training prompts.",
        a=numbers.display(first),
        b=numbers.display(last),
        few=few,
        change=change,
    )
    rose = fall is not None and fall[1] < 0
    return found(
        text,
        "good" if rose else "info",
        evidence=("policy.reward.first", "policy.reward.last"),
        grants=("reward-rose",) if rose else (),
    )


def _episodes(values: Values) -> Finding:
    """Of an agent in an environment: its episodes' rewards."""
    text = say("The loss of a reinforcement learner is not a progress measure and is not interpreted")
    first, last = values.get("episodes.reward.first"), values.get("episodes.reward.last")
    if first is None or last is None:
        return found(text + ".")
    text += say(
        "; the mean episode reward of training went from {a} to {b} ({few}).",
        a=numbers.display(first),
        b=numbers.display(last),
        few="first and last row" if first.note == "one row" else f"{first.note} at either end",
    )
    return found(text, evidence=("episodes.reward.first", "episodes.reward.last"))


def _reward_fall(run: Run) -> tuple[float, float] | None:
    """Interval of first minus last median reward, as for a loss; a reward that rose has it below zero."""
    series = next((s for s in map(run.get, REWARD_KEYS) if s is not None and len(s)), None)
    _, logged = reading.finite(series)
    return fall_interval(run, logged)


def zero_variance(run: Run, values: Values) -> Finding:
    """L5."""
    _, shares = reading.finite(run.get("frac_reward_zero_std"))
    if not len(shares):
        raise NotApplicable("the share is never finite")
    mean = float(shares.mean())
    text = say("{p} of the prompt groups had identical rewards and gave no gradient.", p=numbers.share(mean))
    return found(text, "caution") if mean > ZERO_VARIANCE.of(run) else passed(text)


def clipped(run: Run, values: Values) -> Finding:
    """L6."""
    series = next((s for s in map(run.get, CLIPPED_KEYS) if s is not None and len(s)), None)
    _, shares = reading.finite(series)
    if not len(shares):
        raise NotApplicable("the share of clipped completions was not logged")
    mean = float(shares.mean())
    text = say("{p} of the completions hit the length limit; their rewards judge cut-off text.", p=numbers.share(mean))
    return found(text, "caution") if mean > CLIPPED.of(run) else passed(text)


CLIPPED_KEYS = ("completions/clipped_ratio", "clip_ratio", "completion_clipped_ratio")


def divergence(run: Run, values: Values) -> Finding:
    """L7."""
    parts: list[str] = []
    falls = False
    for key, word in (("kl", "The KL divergence from the reference"), ("entropy", "token entropy")):
        try:
            first, last = reading.ends(run.get(key))
        except NotApplicable:
            continue
        ends = numbers.number(first), numbers.number(last)
        parts.append(f"{word} " + ("stayed at {}" if ends[0] == ends[1] else "went from {} to {}").format(*ends))
        falls = falls or (key == "entropy" and first > 0 and last < first * (1 - SHARPENED.of(run)))
    if not parts:
        return found(
            say("No KL divergence was logged (β = 0 computes none), so the distance from the start is not known.")
        )
    told = "; ".join(parts)
    return found(say("{told}.", told=told[0].upper() + told[1:]), "caution" if falls else "info")


CHECKS = (
    Check(
        "L4",
        "Policy-gradient loss",
        policy_loss,
        section="results",
        order=20,
        source="TRL #3452; Shao et al. 2024; Ahmadian et al. 2024",
        forbids="“the loss decreased”",
        thresholds=(*WINDOWS, UNITS, *INFERENCE),
    ),
    Check(
        "L5",
        "Groups without variance",
        zero_variance,
        needs=("method:grpo,rloo", "frac_reward_zero_std"),
        section="discussion",
        order=20,
        source="TRL GRPO documentation; the threshold is a convention",
        thresholds=(ZERO_VARIANCE,),
    ),
    Check(
        "L6",
        "Clipped completions",
        clipped,
        needs=("method:grpo,rloo,online_dpo",),
        section="discussion",
        order=21,
        source="TRL GRPO documentation; the threshold is a convention",
        thresholds=(CLIPPED,),
    ),
    Check(
        "L7",
        "Divergence and entropy",
        divergence,
        needs=("method:grpo,rloo",),
        section="results",
        order=22,
        source="TRL GRPO documentation",
        forbids="a KL of 0 where none was logged",
        thresholds=(SHARPENED,),
    ),
)
