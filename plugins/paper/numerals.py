"""Numbers of the paper against those of the run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dpo_report.plugins.paper import qualifiers
from dpo_report.plugins.paper.amounts import Amount, amounts
from dpo_report.plugins.paper.known import Fact, Known
from dpo_report.plugins.paper.prose import Definition, Remark, Sentence
from dpo_report.plugins.paper.quantities import Bound, bind, seconds_of, sure
from dpo_report.plugins.paper.scope import clause, numbers_of_run
from dpo_report.plugins.paper.verdicts import State, Verdict

_PACKAGES = {
    "trl": "trl", "transformers": "transformers", "pytorch": "torch", "torch": "torch", "peft": "peft",
    "accelerate": "accelerate", "datasets": "datasets",
}  # fmt: skip
_VERSION = re.compile(
    r"\b(TRL|trl|[Tt]ransformers|PyTorch|[Pp]ytorch|torch|PEFT|peft|[Aa]ccelerate|[Dd]atasets)(?: library)?[ ,(~]{1,3}"
    r"(?:v|versions? |v\. ?)?(\d+\.\d+(?:\.\d+)?)(?![\d%]|\s?(?:×|[·]))"
)
_ASSIGNED = re.compile(r"(?: ?(?:=|:|of|to|is|was|at|\|) ?| )$")
_CHANGE = re.compile(
    r"\b(?:by|of|reduction|increase|decrease|drop|gain|improve\w*|difference|change)\s*(?:about|around|roughly|only)?\s*$",
    re.I,
)
_DIFFERENCE = re.compile(
    r"\b(?:reduction|increase|decrease|drop|gain|improvement|difference|change|rise|fell|dropped|rose)\b[\w ,]{0,30}\b(?:by|of)\s*$",
    re.I,
)


def judge(sentence: Sentence, known: Known, skip: frozenset[Amount] = frozenset()) -> Iterator[Verdict]:
    """Every number of a sentence that is the run's, or pretends to be."""
    text = sentence.text
    found = [amount for amount in amounts(text) if amount not in skip]
    yield from _versions(sentence, known)
    done: set[int] = set()
    for amount in found:
        if amount.macro:
            done.add(amount.start)
            yield from _macro(sentence, amount, known)
    for verdict, at in _assigned(sentence, found, known):
        done.add(at)
        yield verdict
    cells = len(re.findall(r"\| *[−–-]?[\d.]", text)) if sentence.kind == "row" else 0
    seen: set[int] = set()
    for amount in found:
        first, last = clause(text, amount.start, amount.end) if sentence.kind != "row" else (0, len(text))
        if first in seen:
            continue
        seen.add(first)
        within = [a for a in found if first <= a.start < last and a.start not in done]
        for bound in bind(text, within, first, last):
            measured = _measured(sentence, bound, known, (first, last))
            if measured is not None and not (measured.fault and cells > 1):
                yield measured


def _verdict(sentence: Sentence, state: State, amount: Amount, message: str, **more: str) -> Verdict:
    start, end = amount.start, amount.end
    words = sentence.text[max(0, start - 40) : end + 20]
    return Verdict(state, sentence.file, sentence.line(start), " ".join(words.split()), message, **more)


def _versions(sentence: Sentence, known: Known) -> Iterator[Verdict]:
    for match in _VERSION.finditer(sentence.text):
        told = known.versions(_PACKAGES[match[1].lower()])
        if not told:
            continue
        amount = Amount(match[0], match.start(), match.end(), math.nan, 0.0)
        if any((version.partition("+")[0] + ".").startswith(match[2] + ".") for version in told):
            yield _verdict(
                sentence, "right", amount, f"the run's version of {match[1]}", value=_PACKAGES[match[1].lower()]
            )
        elif numbers_of_run(sentence, sentence.text[max(0, match.start() - 60) : match.end()]):
            was = told[0].partition("+")[0]
            yield _verdict(
                sentence, "stale", amount, f"the run used {match[1]} {was}", rewrite=f"{match[1]} {was}", rule="A3"
            )


def _macro(sentence: Sentence, amount: Amount, known: Known) -> Iterator[Verdict]:
    """A macro is right by itself; its name may still be none of the run's, or the words around it wrong."""
    told = known.macros.get(amount.macro)
    if told is None:
        if len(known.analyses) == 1 or not known.prefixes:
            yield _verdict(sentence, "unsupported", amount, f"the run has no value for {amount.macro}")
        return
    text = sentence.text
    first, last = clause(text, amount.start, amount.end)
    said = qualifiers.stat(text, first, last, amount.start, False)
    if _misnamed(said, told[0]):
        yield _called(sentence, amount, said, Fact(told[0], math.nan, told[1]), known)
    else:
        yield _verdict(sentence, "right", amount, told[0], value=told[0])


def _assigned(sentence: Sentence, found: Sequence[Amount], known: Known) -> Iterator[tuple[Verdict, int]]:
    """``logging_steps = 10``: a setting or a summary entry by the trainer's own name."""
    text = sentence.text
    if "_" not in text:
        return
    for match in known.own_names.finditer(text):
        amount = next((a for a in found if a.start >= match.end()), None)
        if amount is None or amount.macro or not _ASSIGNED.fullmatch(text[match.end() : amount.start]):
            continue
        facts = known.named(match[0])
        if not facts:
            continue
        right = [fact for fact in facts if amount.is_rounded(fact.value)]
        if right:
            yield _verdict(sentence, "right", amount, match[0], value=match[0]), amount.start
        elif numbers_of_run(sentence, text) and not amount.bound:
            near = any(amount.is_near(fact.value) for fact in facts)
            state: State = "wrongly rounded" if near else "stale"
            shown = facts[0].shown
            yield (
                _verdict(sentence, state, amount, f"{match[0]} is {shown} in the run", rewrite=shown, value=match[0]),
                amount.start,
            )


def _measured(sentence: Sentence, bound: Bound, known: Known, span: tuple[int, int]) -> Verdict | None:
    """A number that words or a unit bind to a quantity of the run."""
    text, amount, quantity = sentence.text, bound.amount, bound.quantity
    facts = known.facts(quantity.values, quantity.settings)
    said = qualifiers.stat(text, *span, amount.start, bound.listed) if quantity.values else ""
    half = qualifiers.split(text, *span, amount.start) if quantity.split else ""
    if quantity.name == "time":
        value, ulp = seconds_of(text, bound)
        amount = replace(amount, value=value, ulp=ulp)
        facts = _times(text, span, facts)
        said = ""
    if quantity.name == "batch size":
        facts = _batches(text[max(span[0], bound.where[0] - 30) : bound.where[1] + 20], facts)
    if quantity.name == "pairs":
        facts = _rows(text, span, bound, facts)
    if quantity.name not in ("loss", "accuracy", "margin", "chosen reward", "rejected reward"):
        said = ""
    right = [fact for fact in facts if _same(amount, fact)]
    named = [fact for fact in facts if qualifiers.fits(fact.name, said) and qualifiers.fits(fact.name, half)]
    fitting = next((fact for fact in right if fact in named), None)
    if fitting is not None:
        return _verdict(sentence, "right", bound.amount, fitting.label or fitting.name, value=fitting.name)
    before = text[span[0] : amount.start]
    tellable = (
        not amount.bound
        and numbers_of_run(sentence, text[slice(*span)])
        and not (amount.of and not right)
        and not _DIFFERENCE.search(before)
    )
    if right:
        if not tellable or not (said or half):
            return _verdict(sentence, "right", bound.amount, right[0].label or right[0].name, value=right[0].name)
        return _called(sentence, bound.amount, said, right[0], known, half)
    if not tellable or (amount.spelled and not bound.by_unit) or not sure(quantity, text, *span):
        return None
    if known.logged(quantity.series, amount, amount.percent) and said in ("", "best", "first") and not half:
        return _verdict(
            sentence, "right", bound.amount, f"a logged row of {quantity.series[0]}", value=quantity.series[0]
        )
    if (amount.percent and not any(fact.share for fact in facts) and facts) or (
        _CHANGE.search(before) and "loss" in quantity.name
    ):
        return None
    return _different(sentence, bound, amount, named or ([] if half == "eval" or said else facts), said, half)


def _different(
    sentence: Sentence, bound: Bound, amount: Amount, facts: Sequence[Fact], said: str, half: str
) -> Verdict | None:
    quantity = bound.quantity
    if not facts:
        if not (said or half) or not quantity.split:
            return None
        part = {"eval": "held-out ", "train": "training "}.get(half, "")
        stat = {"last": "final ", "first": "first ", "mean": "mean ", "best": "best "}.get(said, "")
        rule = "F1" if half == "eval" else "C3" if said == "last" else ""
        return _verdict(sentence, "unsupported", bound.amount, f"the run has no {stat}{part}{quantity.name}", rule=rule)
    close = [fact for fact in facts if amount.is_near(fact.value, 100.0 if amount.percent and fact.share else 1.0)]
    fact = close[0] if close else facts[0]
    label = fact.label or fact.name
    message = f"{label} is {fact.shown} in the run"
    if close:
        message = f"{message}, which does not round to this"
    more = (
        ""
        if len(facts) == 1 or close
        else "; other values: " + ", ".join(f"{other.label or other.name} {other.shown}" for other in facts[1:4])
    )
    state: State = "wrongly rounded" if close else "stale"
    return _verdict(sentence, state, bound.amount, message + more, rewrite=fact.shown, value=fact.name)


def _called(sentence: Sentence, amount: Amount, said: str, fact: Fact, known: Known, half: str = "") -> Verdict:
    """A number of the run under the name of another one."""
    words = {"last": "a final value", "first": "a first value", "mean": "a mean", "best": "a best value"}
    called = words.get(said, "") if not qualifiers.fits(fact.name, said) else ""
    side = {"eval": "held-out", "train": "training"}.get(half, "") if not qualifiers.fits(fact.name, half) else ""
    rule = "C2" if called and fact.name.startswith("loss") else "F1" if side == "held-out" else ""
    label = fact.label or fact.name
    what = " and ".join(filter(None, (called, side and f"{side}"))) or "another value"
    message = f"this is the {label}, not {what}"
    facts = known.facts((fact.name.split(".")[0] + ".",))
    wanted = next(
        (f for f in facts if qualifiers.fits(f.name, said) and qualifiers.fits(f.name, half or "train")), None
    )
    there = f" ({wanted.label or wanted.name} is {wanted.shown})" if wanted else ", and the run tells no such value"
    return _verdict(
        sentence, "wrongly named", amount, message + there, rule=rule, rewrite=f"{label}: {fact.shown}", value=fact.name
    )


def _misnamed(said: str, name: str) -> bool:
    return bool(said) and name.startswith(("loss.", "accuracy.", "margin.")) and not qualifiers.fits(name, said)


def _same(amount: Amount, fact: Fact) -> bool:
    if amount.of:
        return (
            abs(amount.value / amount.of - fact.value) <= 0.5 / amount.of
            if fact.share
            else amount.is_rounded(fact.value)
        )
    if amount.percent:
        return amount.is_rounded(fact.value, 100.0)
    return amount.is_rounded(fact.value)


def _times(text: str, span: tuple[int, int], facts: Sequence[Fact]) -> list[Fact]:
    """Per step, per presentation, or of the whole run."""
    part = text[slice(*span)]
    if re.search(
        r"\b(?:per|each|every|an?) (?:optimi[sz]er |optimi[sz]ation |training |gradient )?(?:step|update)\b|[/]step",
        part,
    ):
        return [fact for fact in facts if fact.name == "time.per_step"]
    if re.search(r"\bper (?:\w+ )?(?:pair|presentation|sample|example|sequence)\b", part):
        return [fact for fact in facts if fact.name == "time.per_presentation"]
    return [fact for fact in facts if fact.name.startswith("runtime.")]


def _batches(words: str, facts: Sequence[Fact]) -> list[Fact]:
    if re.search(r"\b(?:effective|global|total|overall)\b", words):
        return [fact for fact in facts if fact.name == "batch.effective"]
    if re.search(r"\b(?:per[- ](?:device|GPU)|micro|local)\b|micro-?batch", words, re.I):
        return [fact for fact in facts if fact.name != "batch.effective"]
    return list(facts)


def _rows(text: str, span: tuple[int, int], bound: Bound, facts: Sequence[Fact]) -> list[Fact]:
    part = text[bound.where[0] : bound.where[1]]
    if re.search("presentation", part):
        return [fact for fact in facts if fact.name == "data.presentations"]
    if re.search(r"held-out|test|validation|evaluation", part):
        return [fact for fact in facts if fact.name == "data.eval_rows"]
    if re.search(r"\bbatch", text[slice(*span)]):
        return [fact for fact in facts if fact.name.startswith("batch.")]
    if bound.by_unit and re.search(r"\bheld|\beval", text[slice(*span)]):
        return [fact for fact in facts if fact.name in ("data.rows", "data.eval_rows")]
    return [fact for fact in facts if fact.name == "data.rows"]


def definitions(told: Sequence[Definition], known: Known) -> Iterator[Verdict]:
    """The macros of a ``numbers.tex`` that an earlier build left."""
    for one in told:
        now = known.macros.get(one.name)
        plain = re.sub(r"\s+", " ", one.text.replace("\u202f", " "))
        if now is None:
            continue  # told where it is used
        state: State = "right" if _loose(plain) == _loose(now[1]) else "stale"
        message = now[0] if state == "right" else f"{now[0]} is {now[1]} in the run: build the report again"
        yield Verdict(state, one.file, one.line, f"{one.name} {plain}", message, value=now[0],
                      rewrite="" if state == "right" else now[1])  # fmt: skip


def _loose(text: str) -> str:
    return re.sub(r"[\s^{}$]", "", text.translate(_PLAIN)).replace("–", "-").replace("−", "-")


_PLAIN = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def remarked(remark: Remark, sentences: Sequence[Sentence], known: Known) -> Iterator[Verdict]:
    """The values that a ``% dpo: name`` remark promises on its line."""
    there = [
        (sentence, amount)
        for sentence in sentences
        for amount in amounts(sentence.text)
        if sentence.line(amount.start) == remark.line
    ]
    for name in remark.names:
        facts = known.named(name)
        if not facts:
            yield Verdict(
                "unsupported", remark.file, remark.line, f"dpo: {name}", f"the run has no value called {name}"
            )
            continue
        plain = [(s, a) for s, a in there if not a.macro and not a.spelled] or [(s, a) for s, a in there if not a.macro]
        timed = [(s, a, _as_told(s, a, facts[0])) for s, a in plain]
        hit = next(((s, a) for s, a, told in timed if any(_same(told, fact) for fact in facts)), None)
        if hit:
            yield _verdict(hit[0], "right", hit[1], name, value=name)
        elif any(known.macros.get(a.macro, ("",))[0] == name for _, a in there if a.macro):
            continue
        elif not plain:
            yield Verdict("unsupported", remark.file, remark.line, f"dpo: {name}", "no number stands on this line")
        else:
            sentence, amount, told = min(timed, key=lambda item: abs(item[2].value - facts[0].value))
            state: State = "wrongly rounded" if told.is_near(facts[0].value) else "stale"
            yield _verdict(
                sentence, state, amount, f"{name} is {facts[0].shown} in the run", rewrite=facts[0].shown, value=name
            )


def _as_told(sentence: Sentence, amount: Amount, fact: Fact) -> Amount:
    """A time in seconds."""
    if not fact.name.startswith(("runtime.", "time.")):
        return amount
    bound = next((b for b in bind(sentence.text, [amount], 0, len(sentence.text)) if b.quantity.name == "time"), None)
    if bound is None:
        return amount
    value, ulp = seconds_of(sentence.text, bound)
    return replace(amount, value=value, ulp=ulp)
