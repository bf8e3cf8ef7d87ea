"""The ladder of rule K1 and the phrases of the blocklist, each with the evidence that would license it.

Some evidence no rule can grant, as it stands in no run: :data:`OUTSIDE`. A paper brings it in its own words, and
``dpo-report check`` looks for it there.
"""

from __future__ import annotations

from dpo_report.core.contract import Claim
from dpo_report.core.hookspecs import hookimpl
from dpo_report.plugins.checks.scaling import SIZES
from dpo_report.plugins.checks.seeds import INTERVAL_SEEDS
from dpo_report.plugins.conventions import PAIRS, STEPS, TREND_ROWS

_IMPLICIT, _SAMPLED = ("dpo", "online_dpo"), ("grpo", "rloo", "ppo")
_WRITING = (*_IMPLICIT, *_SAMPLED, "kto", "bco", "orpo", "cpo", "simpo", "sft")
"""Methods of which the outcome is a model that writes."""
_EVALUATE = "evaluate on at least {100, D2.pairs} held-out pairs that share no prompt with the training pairs"
_LEAKAGE = "check their prompts against those of the training pairs (dpo-report evaluate --train-data)"
_HELD_OUT = (
    "Held-out pairs are ranked above chance by {}, though nothing shows that their prompts are new to the training set."
)
_DISJOINT = "Held-out pairs, whose prompts are new to the training set, are ranked above chance by {}."
"""Of one level: rule F7 decides which can be said, and ``dpo-report evaluate`` takes policies only."""

LADDER = (
    Claim(0, "The pipeline ran to completion.", ("complete",),
          "let training run to its planned last step, and record which that is"),
    Claim(1, "The objective decreased on the training data.", ("finite", "objective-fell"),
          "train for at least {K2.steps, C6.rows} steps with finite values, each of them logged (logging_steps=1), "
          "until the loss has fallen by more than its scatter",
          thresholds=(STEPS, TREND_ROWS)),
    Claim(1, "The training reward rose.", ("finite", "reward-rose"),
          "let the reward rise, over at least {K2.steps} logged steps, by more than its scatter", methods=_SAMPLED,
          thresholds=(STEPS,)),
    Claim(2, "The training pairs are ranked correctly by the implicit reward more often than by chance.",
          ("finite", "pairs-fitted"),
          "log rewards/accuracies over windows of at least {D2.pairs} distinct training pairs",
          methods=_IMPLICIT, thresholds=(PAIRS,)),
    Claim(3, _HELD_OUT.format("the implicit reward"),
          ("finite", "held-out-above-chance"), _EVALUATE, methods=_IMPLICIT, thresholds=(PAIRS,)),
    Claim(3, _DISJOINT.format("the implicit reward"),
          ("finite", "held-out-above-chance", "split-named"), _LEAKAGE, methods=_IMPLICIT),
    Claim(3, _HELD_OUT.format("the reward model"),
          ("finite", "held-out-above-chance"), _EVALUATE, methods=("reward",), thresholds=(PAIRS,)),
    Claim(4, "The model does its task better than a baseline does.", ("finite", "outputs-preferred"),
          "measure the task on held-out data for both, and give the difference with an interval"),
    Claim(4, "The model's outputs are preferred over those of the starting model.", ("finite", "outputs-preferred"),
          "compare generations of both models on held-out prompts, blind, positions swapped and lengths controlled",
          methods=_WRITING),
    Claim(4, "Policies trained with the reward model give preferred outputs.", ("finite", "outputs-preferred"),
          "train a policy with it and compare its generations, blind, with those of the starting model",
          methods=("reward",)),
    Claim(5, "The result holds over seeds, data sets or models.", ("finite", "replicated"),
          "repeat the run with at least {J2.interval} seeds, and on a second data set or model",
          thresholds=(INTERVAL_SEEDS,)),
)  # fmt: skip

PHRASES = (
    Claim(1, "a mean over the run called a final loss", ("never",), "name the last logged window and its value", "C2",
          (r"\bfinal (training )?loss\b",)),
    Claim(5, "a loss called good on no scale", ("same-setting-comparator",),
          "compare with a cited run of the same loss, β and data", "K3",
          (r"\b(reasonable|good|typical|acceptable|low|excellent|impressive)\b.{0,30}\bloss\b",
           r"\bloss\b.{0,60}\b(reasonable|good|typical|acceptable|low|excellent|impressive)\b", r"\breasonable for\b")),
    Claim(1, "convergence", ("plateau",), "show a flat last third, and the learning rate beside it", "C7",
          (r"\bconverge(d|s|nce)?\b",)),
    Claim(5, "scalability", ("scaling-fitted",), "measure at least {I3.sizes} sizes and fit the exponent", "I3",
          (r"\bscalab(le|ility)\b", r"\bscales (well|to)\b"), thresholds=(SIZES,)),
    Claim(5, "speed or efficiency", ("measured-comparator",), "time a named rival on the same machine", "I2",
          (r"\bfast\b", r"\befficien(t|tly|cy)\b", r"\blightweight\b")),
    Claim(3, "learning of preferences", ("finite", "held-out-above-chance"),
          "evaluate on at least {100, D2.pairs} held-out pairs", "K5",
          (r"\blearn(ed|s|t)? to (distinguish|prefer|rank)\b", r"\bunderstands?\b"), thresholds=(PAIRS,)),
    Claim(4, "success", ("outputs-preferred",), "say how many of the planned steps were taken", "A5",
          (r"\bsuccess(ful|fully)?\b.{0,30}\b(train|learn|align)",
           r"\b(train|learn|align)\w*\b.{0,30}\bsuccess(ful|fully)?\b")),
    Claim(5, "sufficiency", ("power-analysis",), "compute the power for the effect that matters", "H3",
          (r"\b(sufficient|adequate)\b.{0,30}\b(data|proof|samples?)\b",)),
    Claim(5, "a proof of concept", ("proposition-tested",), "name the proposition that was tested", "K4",
          (r"\bproof[- ]of[- ]concept\b",)),
    Claim(5, "a cause", ("control-run",), "train a control: SFT on the chosen answers, for as many steps", "K6",
          (r"\b(because of|due to|thanks to|caused by|owing to) (the )?(DPO|preference (tun|train|optimi)\w+)",
           r"\bDPO (caused|led to|resulted in)\b")),
    Claim(5, "alignment with people", ("human-evaluation",), "have people judge the outputs", "K5",
          (r"\balign(ed|ment) with human",)),
    Claim(3, "generalisation", ("held-out-above-chance", "split-named"), "evaluate on a named held-out split", "F1",
          (r"\bgenerali[sz](e|es|ed|ation)\b",), "generalisation beyond its data"),
    Claim(5, "significance", ("test-named",), "name the test, its p and the interval", "K2",
          (r"\bsignificant(ly)?\b",)),
    Claim(5, "superiority", ("paired-comparison",), "compare paired by seed and items, with an interval", "J4",
          (r"\boutperform", r"\bstate[- ]of[- ]the[- ]art\b", r"\bsuperior\b")),
    Claim(4, "effectiveness", ("outputs-preferred",), "compare generations with those of the starting model", "K1",
          (r"\beffective(ness|ly)?\b(?! batch)",), "the quality of the outputs"),
    Claim(5, "robustness", ("replicated",), "repeat over seeds and settings", "K1",
          (r"\brobust(ness|ly)?\b",)),
    Claim(3, "a perfect accuracy", ("held-out-above-chance",), "write the fraction k/n and name the pairs", "D5",
          (r"\bperfect(ly)?\b.{0,20}\b(accuracy|preference)",)),
    Claim(5, "an accuracy that started at zero", ("never",), "the first step is a tie of identical models", "D3",
          (r"\bstarted (at|from) 0 ?%",)),
    Claim(2, "likelier preferred outputs", ("preferred-likelier",),
          "show that rewards/chosen ends above zero, with an interval", "E1",
          (r"\bmore likely to (produce|generate) preferred\b",)),
    Claim(1, "a reduction in per cent", ("reduction-with-interval",), "log rows of the loss and give medians", "C4",
          (r"\bloss reduction of\b", r"\bdecreased by .{0,12}%")),
    Claim(5, "readiness for use", ("never",), "nothing in a training run shows it", "K1",
          (r"\breal[- ]time\b", r"\bproduction[- ]ready\b", r"\bdeploy(ed|ment|able)?\b")),
    Claim(5, "safety", ("safety-evaluation",), "run a named safety evaluation", "K10",
          (r"\bharmless\b", r"\bunbiased\b", r"\bsafe(ty|ly)?\b"), "safety"),
)  # fmt: skip

OUTSIDE = {
    "never", "measured-comparator", "power-analysis", "proposition-tested", "test-named",
    "reduction-with-interval",
}  # fmt: skip
"""Evidence flags that no rule grants."""


@hookimpl
def register_claims() -> tuple[Claim, ...]:
    """The ladder, then the phrases."""
    return LADDER + PHRASES
