"""Group D, accuracies: how many pairs are ranked correctly, on how many pairs, and what that is worth."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run, Series, Severity, Value
from dpo_report.core.text import Code, Text, join, say
from dpo_report.plugins import finiteness, reading, statistics
from dpo_report.plugins.conventions import CHANCE, GAP, IMPLICIT, PAIRS, STEPS
from dpo_report.plugins.metrics.rewards import splits

COARSE = Threshold("D4.step", 0.05, "smallest step of a logged accuracy above which its pairs are told", high=1)
SATURATED = Threshold("D5.accuracy", 0.99, "training accuracy from which a fit counts as complete", high=1)
SMALL_LOSS = Threshold("D5.loss", 0.1, "share of the starting loss below which such a fit is told", high=1)
MANY_PAIRS = Threshold("D5.pairs", 1000, "training pairs from which saturation within one epoch is no caution")


def training_accuracy(run: Run, values: Values) -> Finding:
    """D2 on training pairs: descriptive."""
    finiteness.need_sound(run)
    value, series = values["accuracy.train.last"], run.get("rewards/accuracies")
    if series is None:
        raise NotApplicable("no training accuracy was logged")
    shown, pairs = float(value.value), reading.window_pairs(run, series, len(series) - 1)
    enough = bool(pairs and (reading.total_steps(run) or 0) >= STEPS.of(run) and pairs >= PAIRS.of(run))
    text = say(
        "In the last logged window ({w}) the implicit reward ranked {x} correctly.",
        w=value.note,
        x=_of_pairs(shown, pairs, "training"),
    )
    grants: tuple[str, ...] = ()
    if pairs and enough:
        k = min(round(shown * pairs), pairs)
        low, _high = statistics.wilson(k, pairs)
        if low > 0.5 and statistics.binomial_two_sided(k, pairs) < CHANCE.of(run):
            grants = ("pairs-fitted",)
    return found(text, evidence=("accuracy.train.last",), grants=grants)


def _of_pairs(share: float, pairs: int | None, kind: str) -> str:
    """``7 of 8 training pairs``, ``more than 99 % of 400 training pairs``; the pairs as such where n is not known."""
    ranked = _spoken(numbers.share(share, pairs).partition("/")[0])
    return f"{ranked} of {numbers.plural(pairs, kind + ' pair') if pairs else f'the {kind} pairs'}"


def _spoken(share: str) -> str:
    return share.replace("> ", "more than ").replace("< ", "less than ")


def held_out_accuracy(run: Run, values: Values) -> Finding:
    """D2 on held-out pairs."""
    finiteness.need_sound(run)
    texts: list[Text] = []
    severity: Severity = "info"
    grants: set[str] = set()
    evidence: list[str] = []
    key = "accuracy" if run.method == "reward" else "rewards/accuracies"
    for tag, _word, series in splits(run, key):
        value = values.get(f"accuracy.{tag}.last")
        if tag == "train" or value is None:
            continue
        evidence.append(value.name)
        text, weight, above = _one_held_out(run, series, value)
        texts.append(text)
        severity = max(severity, weight, key=("info", "good", "caution", "warning").index)
        if above:
            grants.add("held-out-above-chance")
    if not texts:
        raise NotApplicable("no held-out accuracy was logged")
    return found(join(texts), severity, evidence=tuple(evidence), grants=tuple(sorted(grants)))


_RANKERS = dict.fromkeys(("dpo", "online_dpo"), "The implicit reward") | {"reward": "The reward model"}
_OWN = "The policy's own likelihood"


def _one_held_out(run: Run, series: Series, value: Value) -> tuple[Text, Severity, bool]:
    share, n = float(value.value), value.n
    name = series.split.partition(":")[2]
    ranked = say("{ranker} ranked {x}", ranker=_RANKERS.get(run.method or "", _OWN), x=_of_pairs(share, n, "held-out"))
    ranked += say(" ({name})", name=Code(name)) if name else ""
    ranked += f" correctly at step {int(series.steps[-1]):,}"
    if not n:
        return ranked + "; their number is not logged, so no interval can be given.", "caution", False
    if value.low is None or value.high is None:
        low, high = statistics.wilson(round(share * n), n)
        remark = "a mean of batch means; "
    else:
        low, high, remark = value.low, value.high, ""
    p = statistics.binomial_two_sided(round(share * n), n)
    above = low > 0.5 and p < CHANCE.of(run)
    fmt = (lambda x: numbers.fixed(x, 2)) if n < 100 else (lambda x: numbers.share(x, n))
    text = ranked + say(
        " ({remark}95 % Wilson interval {ci}; chance {chance}){verdict}.",
        remark=remark,
        ci=numbers.interval(low, high, fmt),
        chance="0.50" if n < 100 else "50 %",
        verdict="" if above else ", not distinguishable from chance" if low <= 0.5 <= high else ", below chance",
    )
    if run.method not in _RANKERS:
        text += say(" The starting model ranks some pairs correctly, too; only the difference is due to training.")
        return text, "caution" if n < PAIRS.of(run) else "info", False
    if n < PAIRS.of(run) or high < 0.5:
        return text, "caution", False
    return text, "good" if above else "info", above


def first_step_tie(run: Run, values: Values) -> Finding:
    """D3."""
    finiteness.need_sound(run)
    untrained, total = reading.untrained_steps(run), reading.total_steps(run)
    value = values.get("accuracy.train.unlogged")
    steps = "first step, where policy and reference are identical and every pair counts"
    if untrained > 1:
        steps = f"first {untrained} steps, where policy and reference are identical and every pair counts"
    if value is not None and total and value.note.startswith("steps 1 "):
        return found(
            say(
                "Over all {total} steps the implicit reward ranked a mean of {x} of the presented training pairs "
                "correctly. The average includes the {steps} as incorrect; about {most} is the most it could reach.",
                total=total,
                x=numbers.fixed(float(value.value), 2),
                steps=steps,
                most=numbers.fixed(1 - untrained / total, 2),
            ),
            evidence=("accuracy.train.unlogged",),
        )
    series = run.get("rewards/accuracies")
    if series is None or not len(series) or reading.window(run, series, 0)[0] != 1:
        raise NotApplicable("no logged accuracy covers the first step")
    return passed(f"the first logged accuracy includes the {steps} as incorrect; tables and figures say so")


def resolution(run: Run, values: Values) -> Finding:
    """D4."""
    finiteness.need_sound(run)
    series = run.get("rewards/accuracies")
    if series is None or not len(series):
        raise NotApplicable("no training accuracy was logged")
    batch = reading.effective_batch(run)
    if not batch:
        raise NotApplicable("the effective batch is not known")
    first, last = reading.window(run, series, len(series) - 1)
    pairs = batch * (last - first + 1)
    text = say("Each logged training accuracy rests on {n}.", n=numbers.plural(pairs, "pair"))
    return found(text, "caution") if 1 / pairs > COARSE.of(run) else passed(str(text).rstrip("."))


def saturation(run: Run, values: Values) -> Finding:
    """D5."""
    finiteness.need_sound(run)
    accuracy, loss, start = values["accuracy.train.last"], values["loss.train.last"], values["loss.start"]
    share, end = float(accuracy.value), float(loss.value)
    held = values.get("accuracy.eval.last")
    gap = held is not None and share - float(held.value) >= GAP.of(run)
    if not (share >= SATURATED.of(run) and end < SMALL_LOSS.of(run) * float(start.value)):
        return _over_fitted(run, accuracy, held) if held and gap else passed("no fit near completeness")
    rows, epochs = reading.dataset_rows(run), reading.planned_epochs(run)
    of = f"The {rows:,} training pairs" if rows else "The training pairs"
    tail = (
        f": of held-out pairs {numbers.share(float(held.value), held.n)} are ranked correctly" if held and gap else ""
    )
    if held is not None and float(held.value) >= SATURATED.of(run):
        tail = (
            "; held-out pairs are ranked as well as these, so shared prompts and superficial cues are to be ruled out"
        )
    text = say(
        "{of} are fitted almost completely (accuracy {x}, loss {y} in the last logged window), which is no evidence "
        "of generalisation{tail}.",
        x=_spoken(numbers.share(share)),
        y=numbers.loss(end),
        of=of,
        tail=tail,
    )
    few = (rows is not None and rows < MANY_PAIRS.of(run)) or (epochs or 1) > 1
    severity: Severity = "warning" if gap else "caution" if few else "info"
    return found(text, severity, evidence=("accuracy.train.last", "loss.train.last"))


def _over_fitted(run: Run, fitted: Value, held: Value) -> Finding:
    series = run.get("rewards/accuracies")
    pairs = reading.window_pairs(run, series, len(series) - 1) if series is not None else None
    fewer = min(pairs or 0, held.n or 0)
    if fewer < PAIRS.of(run) or (reading.total_steps(run) or 0) < STEPS.of(run):
        return passed("too few pairs to compare training with held-out accuracy")
    text = say(
        "Training pairs are ranked correctly more often than held-out ones ({a} in the last logged window against "
        "{b}), a sign of over-fitting.",
        a=_spoken(numbers.share(float(fitted.value), fewer)),
        b=_spoken(numbers.share(float(held.value), fewer)),
    )
    return found(text, "caution", evidence=("accuracy.train.last", "accuracy.eval.last"))


CHECKS = (
    Check(
        "D2.train",
        "Training accuracy",
        training_accuracy,
        needs=(IMPLICIT, "value:accuracy.train.last"),
        section="results",
        order=40,
        source="Wilson 1927",
        forbids="“significant” on training pairs",
        thresholds=(PAIRS, CHANCE, STEPS),
    ),
    Check(
        "D2",
        "Held-out accuracy against chance",
        held_out_accuracy,
        needs=("method:dpo,online_dpo,reward,orpo,cpo,simpo",),
        section="results",
        order=51,
        source="Wilson 1927; Brown et al. 2001; Bowyer et al. 2025",
        forbids="n counted as rows × batch",
        thresholds=(PAIRS, CHANCE),
    ),
    Check(
        "D3",
        "The untrained first step",
        first_step_tie,
        needs=("method:dpo",),
        section="results",
        order=41,
        source="TRL code (strict comparison)",
        forbids="“started below chance”, “from 0 % to 100 %”",
    ),
    Check(
        "D4",
        "Resolution of an accuracy",
        resolution,
        needs=(IMPLICIT, "rewards/accuracies"),
        section="limitations",
        order=8,
        source="arithmetic",
        forbids="trends from points of 2 to 4 values",
        thresholds=(COARSE,),
    ),
    Check(
        "D5",
        "Saturation and over-fitting",
        saturation,
        needs=(IMPLICIT, "value:accuracy.train.last", "value:loss.train.last", "value:loss.start"),
        section="discussion",
        order=11,
        source="Azar et al. 2024; Tunstall et al. 2023; thresholds are conventions",
        forbids="“perfect preference learning”",
        thresholds=(SATURATED, SMALL_LOSS, MANY_PAIRS, GAP, PAIRS, STEPS),
    ),
)
