"""Rules on words: what the claims enforce in the report's own text and in papers that are checked against a run.

Their phrases stand in :mod:`dpo_report.plugins.claims`; a rule here says what holds and, where the run's files or its
author license more, grants it.
"""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Values, found, passed
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import Code, listing, say
from dpo_report.plugins import reading


def ladder(run: Run, values: Values) -> Finding:
    """K1: 0 pipeline, 1 optimisation, 2 fit, 3 in-distribution, 4 behaviour, 5 robust; each with its own evidence."""
    return passed("a sentence is printed only with the evidence that its level of claim needs")


def adjectives(run: Run, values: Values) -> Finding:
    """K3: a comparison is licensed by [facts] comparator, the cited run of the same loss, β and data."""
    told = reading.fact(run, "comparator")
    if told:
        return passed(f"a comparator is told: {' '.join(str(told).split())[:80]}", grants=("same-setting-comparator",))
    return passed("no loss is called reasonable, good or typical: no comparator of the same setting is told")


def concept(run: Run, values: Values) -> Finding:
    """K4: the tested proposition in place of “proof of concept”."""
    return passed("the report names what was tested instead: that training ran to its end, and what its rows show")


def verbs(run: Run, values: Values) -> Finding:
    """K5: at level 2 the wording is “separates the training pairs under its implicit reward”."""
    return passed("learning and understanding are said of no run without held-out evidence, alignment of none without "
                  "people as judges")  # fmt: skip


def causes(run: Run, values: Values) -> Finding:
    """K6: a cause needs a control ([facts] control_run): of DPO, SFT on the chosen answers for as many steps."""
    told = reading.fact(run, "control_run")
    if not told:
        return passed("no change is attributed to the method: no control run is told")
    named = " ".join(str(told).split()).rstrip(".")
    return found(say("The control run was {named}.", named=named), grants=("control-run",))


def negatives(run: Run, values: Values) -> Finding:
    """K8: what the author changed of the rules is told as well."""
    if not run.limits:
        return passed("warnings and cautions stand before what is good, and the appendix lists every rule")
    named = listing([say("{name} = {value}", name=Code(name), value=numbers.setting(value))
                     for name, value in run.limits.items()])  # fmt: skip
    return found(say("The author of this report set thresholds of its rules: {named}.", named=named), "caution")


def generated(run: Run, values: Values) -> Finding:
    """K9: the closing line says it; [facts] edited_by_author = true adds that the author changed the text."""
    told = reading.fact(run, "edited_by_author")
    if told is True:
        return found(say("The author has edited the generated text."))
    return passed("the report's last line says that its text was generated from the run's files")


def safety(run: Run, values: Values) -> Finding:
    """K10: licensed by the name of a safety evaluation in [facts] safety_evaluation."""
    told = reading.fact(run, "safety_evaluation")
    if not told:
        return passed("nothing is called safe, harmless or unbiased: no safety evaluation is told")
    named = " ".join(str(told).split()).rstrip(".")
    return found(say("Safety was evaluated with {named}.", named=named), grants=("safety-evaluation",))


def logits(run: Run, values: Values) -> Finding:
    """D10: a softmax does not change when all of its logits are shifted, so their mean means nothing."""
    if not any(name.startswith("logits/") for name, _ in run.series):
        raise NotApplicable("no logits were logged")
    return passed("mean logits are not interpreted: a softmax does not change when they are shifted")


def not_quality(run: Run, values: Values) -> Finding:
    """L8."""
    first, last = values["policy.reward.first"], values["policy.reward.last"]
    if not float(last.value) > float(first.value):
        return passed("the training reward did not rise")
    text = "A higher training reward is no evidence of better outputs: a policy can exploit its reward [@gao2023]."
    return found(say(text), "caution", evidence=(first.name, last.name))


def own_samples(run: Run, values: Values) -> Finding:
    """L9: then F1 says that nothing was held out."""
    if any(split.split(":")[0] in ("eval", "test") for _, split in run.series):
        return passed("held-out prompts were evaluated as well")
    text = "The rewards judge the policy's own answers, sampled as it trained."
    return found(say(text), "warning")


CHECKS = (
    Check("D10", "Logits", logits, section="limitations", source="shift invariance of the softmax",
          forbids="any sentence about logits/*"),
    Check("K1", "Ladder of claims", ladder, section="limitations", source="Lipton & Steinhardt 2019; REFORMS",
          forbids="a claim above its evidence"),
    Check("K3", "Adjectives", adjectives, section="limitations", source="Lipton & Steinhardt 2019",
          forbids="“reasonable”, “good”, “promising” without a comparator of the same setting"),
    Check("K4", "Proof of concept", concept, section="limitations", source="Lipton & Steinhardt 2019",
          forbids="“proof of concept” alone"),
    Check("K5", "Verbs of learning", verbs, section="limitations", source="Chen et al. 2024; Lin et al. 2024",
          forbids="“learned to distinguish” below level 3, “aligned with human …” below level 4"),
    Check("K6", "Causes", causes, section="methodology", order=13, source="a convention of ours",
          forbids="“because of DPO” without a control"),
    Check("K8", "Negative results", negatives, section="limitations", order=16, source="REFORMS",
          forbids="a failed check left out"),
    Check("K9", "Generated text", generated, section="reproducibility", order=30, source="a convention of ours",
          forbids="generated text passed off as the author's"),
    Check("K10", "Words of safety", safety, section="limitations", order=15, source="Razin et al. 2025",
          forbids="“safe”, “harmless”, “unbiased” without a named evaluation"),
    Check("L8", "Reward and quality", not_quality,
          needs=("method:grpo,rloo,ppo", "value:policy.reward.first", "value:policy.reward.last"),
          section="limitations", order=11, source="Gao et al. 2023",
          forbids="“quality improved” from a training reward"),
    Check("L9", "Reward on training prompts", own_samples, needs=("method:grpo,rloo,ppo",),
          section="limitations", order=11.5, source="the trainers' sampling loop",
          forbids="generalisation from a training reward"),
)  # fmt: skip
