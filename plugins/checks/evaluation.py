"""What ``dpo-report evaluate`` licenses: accuracies, length, leakage (D6, D7, E7, E8, F7)."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run, Severity, Value
from dpo_report.core.text import Code, Text, join, say
from dpo_report.plugins.conventions import CHANCE, PAIRS
from dpo_report.plugins.evaluations import Evaluation, evaluations

LONGER = Threshold("E8.ratio", 1.2, "ratio of mean lengths above which longer answers are a caution", low=1)


def _all(run: Run) -> list[Evaluation]:
    made = list(evaluations(run))
    if not made:
        raise NotApplicable("the run was not evaluated with dpo-report evaluate")
    return made


def _interval(value: Value) -> str:
    assert value.low is not None and value.high is not None
    return numbers.interval(value.low, value.high, lambda x: numbers.fixed(x, 2))


def accuracy(run: Run, values: Values) -> Finding:
    """D7: the held-out accuracy, with rule D2's test."""
    texts: list[Text] = []
    grants: set[str] = set()
    severity: Severity = "info"
    evidence = []
    for one in _all(run):
        value = values.get(f"accuracy.{one.tag}")
        k, p = one.count("values.accuracy.k"), one.number("values.accuracy.p")
        if value is None or value.low is None or k is None or p is None or not value.n:
            continue
        evidence.append(value.name)
        above = value.low > 0.5 and p < CHANCE.of(run)
        verdict = "" if above else " This cannot be told from chance."
        texts.append(
            say(
                "On {n} held-out pairs ({file}) the implicit reward ranked {k} correctly ({a}, 95 % Wilson interval "
                "{i}; chance 0.5, exact {p}).{verdict}",
                n=value.n,
                file=Code(one.text("data.file")),
                k=k,
                a=numbers.fixed(float(value.value), 2),
                i=_interval(value),
                p=numbers.p_value(p),
                verdict=verdict,
            )
        )
        if value.n < PAIRS.of(run):
            severity = "caution"
        elif above and severity == "info":
            severity = "good"
        if above and one.count("data.pairs_in_train") == 0:
            grants |= {"held-out-above-chance"}
    if not texts:
        raise NotApplicable("the evaluation tells no accuracy with its number of pairs")
    texts.append(say("This holds for pairs of the same kind as these only."))
    return found(join(texts), severity, evidence=tuple(evidence), grants=tuple(grants))


def three(run: Run, values: Values) -> Finding:
    """D6."""
    texts: list[Text] = []
    evidence: list[str] = []
    for one in _all(run):
        ranked, before = (values.get(f"{name}.{one.tag}") for name in ("ranking", "ranking_reference"))
        if ranked is None or before is None or ranked.low is None:
            continue
        evidence += [ranked.name, before.name]
        texts.append(
            say(
                "The policy itself found the preferred answer likelier in {k} of the {n} {word} pairs ({i}), the model "
                "before training in {b}.",
                k=one.count("values.ranking.k") or 0,
                n=ranked.n or 0,
                word=one.word,
                i=_interval(ranked),
                b=one.count("values.ranking_of_reference.k") or 0,
            )
        )
    if not texts:
        raise NotApplicable("the evaluation tells no ranking by the policy's own likelihood")
    end = say(
        "The implicit-reward accuracy is relative to the reference; it is neither this ranking nor a win rate "
        "[@chen2024ranking]."
    )
    return found(join([*texts, end]), evidence=tuple(evidence))


def length_of_data(run: Run, values: Values) -> Finding:
    """E7."""
    texts: list[Text] = []
    evidence = []
    for one in _all(run):
        value = values.get(f"length.chosen_longer.{one.tag}")
        if value is None or value.low is None or value.high is None or value.low <= 0.5 <= value.high:
            continue
        evidence.append(value.name)
        texts.append(
            say(
                "In {s} of the {word} pairs of unequal length the preferred answer is the longer one ({i}); summed "
                "log-probabilities make DPO prone to exploit length [@park2024; @meng2024simpo].",
                s=numbers.share(float(value.value)),
                word=one.word,
                i=_interval(value),
            )
        )
    if not texts:
        return passed("chosen answers are not longer or shorter beyond chance")
    return found(join(texts), "caution", evidence=tuple(evidence))


def length_of_answers(run: Run, values: Values) -> Finding:
    """E8."""
    names = [f"generations.{how}.length_ratio.{one.tag}" for one in _all(run) for how in ("greedy", "drawn")]
    seen = [values[name] for name in names if name in values]
    if not seen:
        raise NotApplicable("no answers were generated")
    grown = [value for value in seen if float(value.value) > LONGER.of(run)]
    if not grown:
        return passed(
            f"answers did not become more than {LONGER.of(run):g} times as long", evidence=tuple(v.name for v in seen)
        )
    said = join(
        [say("{r} times as long ({n})", r=numbers.fixed(float(value.value), 2), n=value.note) for value in grown],
        ", ",
    )
    text = say("Answers to held-out prompts became {said}; ", said=said)
    text += say("a comparison of quality must control for length [@park2024].")
    return found(text, "caution", evidence=tuple(value.name for value in grown))


def leakage(run: Run, values: Values) -> Finding:
    """F7."""
    leaking: list[Text] = []
    unknown = []
    for one in _all(run):
        count = one.count("data.pairs_in_train")
        if count is None:
            unknown.append(one)
        elif count:
            text = "{k} of the {n} pairs of {file} have a prompt that also stands in the training set."
            file = Code(one.text("data.file"))
            leaking.append(say(text, k=count, n=one.count("pairs") or 0, file=file))
    if leaking:
        return found(join(leaking), "warning")
    if unknown:
        text = "Whether held-out prompts also stand in the training set was not checked ({flag} does)."
        return found(say(text, flag=Code("evaluate --train-data")), "caution")
    return passed("no held-out prompt stands in the training set", grants=("split-named",))


CHECKS = (
    Check("D7", "Accuracy of the evaluation", accuracy, section="results", order=47,
          source="Wilson 1927; Lin et al. 2024", forbids="an accuracy beyond the pairs' own kind",
          thresholds=(PAIRS, CHANCE)),
    Check("D6", "Three accuracies", three, section="discussion", order=11,
          source="Chen et al. 2024", forbids="“ranking accuracy” and “win rate” for the implicit reward's"),
    Check("E7", "Length bias of the pairs", length_of_data, section="limitations", order=12,
          source="Park et al. 2024; Meng et al. 2024", forbids="a gain in quality without control of length"),
    Check("E8", "Length of answers", length_of_answers, section="discussion", order=18,
          source="Park et al. 2024", forbids="a raw win rate alone", thresholds=(LONGER,)),
    Check("F7", "Leakage", leakage, section="limitations", order=3,
          source="Kapoor et al. 2024", forbids="leaking pairs in a headline number"),
)  # fmt: skip
