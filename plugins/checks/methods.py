"""Group L: what other methods' numbers mean, where preference rules would mislead."""

from __future__ import annotations

import math

import numpy as np

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import say
from dpo_report.plugins import finiteness, reading

KTO_BATCH = Threshold("L1.batch", 4, "completions per device below which KTO's estimate of the KL is poor",
                      source="TRL KTO documentation")  # fmt: skip
LARGE = Threshold("L10.loss", 20.0, "held-out loss above which no perplexity is given")


def kto(run: Run, values: Values) -> Finding:
    """L1."""
    weights = [reading.numeric(reading.setting(run, f"{kind}_weight")) for kind in ("desirable", "undesirable")]
    text = say("Margins are differences between unpaired batch means, so no accuracy is defined")
    if None not in weights:
        text += say(
            "; desirable and undesirable completions had weights {a} and {b}",
            a=numbers.setting(weights[0]),
            b=numbers.setting(weights[1]),
        )
    divergence = run.get("kl")
    if divergence is not None and len(divergence) and not np.nanmax(np.abs(divergence.values)):
        text += "; the logged KL, clamped at 0, was 0 throughout"
    size = reading.per_device_batch(run)
    if size is not None and size < KTO_BATCH.of(run):
        text += say(
            ". With {n} per device the KL estimate is poor: at least {least} are recommended [@trl_docs_kto]",
            n=numbers.plural(size, "completion"),
            least=int(KTO_BATCH.of(run)),
        )
        return found(text + ".", "caution")
    return found(text + ".")


def odds(run: Run, values: Values) -> Finding:
    """L2 and B7's neighbours: ORPO has no reference model."""
    first, last = reading.ends(run.get("log_odds_chosen"))
    return found(
        say(
            "The log-odds of preferred over dispreferred training responses went from {a} to {b} (first and last "
            "logged rows); ORPO uses no reference model [@hong2024].",
            a=numbers.number(first),
            b=numbers.number(last),
        )
    )


def contrast(run: Run, values: Values) -> Finding:
    """L3."""
    first, last = reading.ends(run.get("rewards/accuracies"))
    return found(
        say(
            "The policy's own ranking accuracy on training pairs went from {a} (close to the untuned model's) to {b}; "
            "this loss has no reference model.",
            a=numbers.fixed(first, 2),
            b=numbers.fixed(last, 2),
        )
    )


def perplexity(run: Run, values: Values) -> Finding:
    """L10."""
    finiteness.need_sound(run)
    held = run.get("loss", "eval")
    if held is None or not len(held) or not np.isfinite(held.values[-1]):
        raise NotApplicable("no held-out loss was logged")
    last = float(held.values[-1])
    if reading.setting(run, "packing"):
        return found(say("Sequences were packed: the loss averages over blocks, and no perplexity is given."))
    if last > LARGE.of(run):
        raise NotApplicable("the loss is too large for a perplexity to mean anything")
    return found(
        say(
            "A held-out loss of {x} is a perplexity of {p} if every token weighs the same.",
            x=numbers.loss(last),
            p=numbers.number(math.exp(last)),
        ),
        evidence=("loss.eval.last",),
    )


def reward_scale(run: Run, values: Values) -> Finding:
    """L11."""
    return found(say("A reward model's scores have no fixed scale, so the margins of two models cannot be compared."))


CHECKS = (
    Check(
        "L1",
        "KTO's numbers",
        kto,
        needs=("method:kto",),
        section="results",
        order=28,
        source="TRL KTO documentation; Ethayarajh et al. 2024",
        forbids="pairwise accuracy",
        thresholds=(KTO_BATCH,),
    ),
    Check(
        "L2",
        "ORPO without a reference",
        odds,
        needs=("method:orpo", "log_odds_chosen"),
        section="results",
        order=28,
        source="Hong et al. 2024",
        forbids="“relative to the reference”",
    ),
    Check(
        "L3",
        "CPO and SimPO without a reference",
        contrast,
        needs=("method:cpo,simpo", "rewards/accuracies"),
        section="results",
        order=28,
        source="Xu et al. 2024; Meng et al. 2024",
        forbids="“from 50 %”",
    ),
    Check(
        "L10",
        "Perplexity",
        perplexity,
        needs=("method:sft",),
        section="results",
        order=51,
        source="TRL SFT documentation",
        forbids="the perplexity of a packed or batch-averaged loss",
        thresholds=(LARGE,),
    ),
    Check(
        "L11",
        "A reward model's scale",
        reward_scale,
        needs=("method:reward",),
        section="limitations",
        order=12,
        source="TRL reward documentation",
        forbids="margins compared across models",
    ),
)
