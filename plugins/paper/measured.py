"""A number that words or a unit bind to a quantity, against the values that the run has of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from dpo_report.plugins.paper import qualifiers
from dpo_report.plugins.paper.amounts import Amount
from dpo_report.plugins.paper.known import Fact, Known
from dpo_report.plugins.paper.prose import Sentence
from dpo_report.plugins.paper.quantities import Bound, seconds_of, sure
from dpo_report.plugins.paper.scope import clause, numbers_of_run
from dpo_report.plugins.paper.verdicts import State, Verdict, at

_STATS = {"last": "final", "first": "first", "mean": "mean", "best": "best"}
_SIDES = {"eval": "held-out", "train": "training"}
_CHANGE = re.compile(
    r"\b(?:by|(?:reduction|increase|decrease|drop|gain|improvement|difference|change|rise)\b[\w ,]{0,30}\bof)"
    r"\s*(?:about|around|roughly|only)?\s*$",
    re.IGNORECASE,
)
_OF = re.compile(r" of (\d+)\b")
_PER_STEP = re.compile(
    r"\b(?:per|each|every|an?|one|single) (?:optimi[sz]er |optimi[sz]ation |training |gradient )?(?:step|"
    r"update)\b|/ ?step",
    re.IGNORECASE,
)
_PER_PAIR = re.compile(r"\bper (?:\w+ )?(?:pair|presentation|sample|example|sequence)\b")


def measured(sentence: Sentence, bound: Bound, known: Known, span: tuple[int, int]) -> Verdict | None:
    """Right, or what is wrong with it; None where nothing can be said.

    ``span`` is the clause in which it stands.
    """
    text, amount, quantity = sentence.text, bound.amount, bound.quantity
    facts = known.facts(quantity.values, quantity.settings)
    names = qualifiers.stats(text, *span, amount.start, bound.listed) if quantity.split else ()
    said = names[0] if names else ""
    side = qualifiers.split(text, *span, amount.start) if quantity.split else ""
    if quantity.name == "time":
        value, ulp = seconds_of(text, bound)
        amount = replace(amount, value=value, ulp=ulp)
    if quantity.name == "accuracy" and amount.of is None and (total := _OF.match(text, amount.end)):
        amount = replace(amount, of=int(total[1]))
    facts = _meant(facts, bound, text, span)
    right = [fact for fact in facts if same(amount, fact)]
    if said and not side and not any(qualifiers.fits(fact.name, said) for fact in right):
        right = [fact for fact in right if qualifiers.fits(fact.name, "train")]  # which is meant where nothing is said
    named = [fact for fact in facts if qualifiers.fits(fact.name, said) and qualifiers.fits(fact.name, side)]
    fitting = next((fact for fact in right if fact in named), None)
    if fitting is not None:
        return at(sentence, "right", bound.amount, fitting.label or fitting.name, value=fitting.name)
    row = quantity.series and known.logged(quantity.series, amount, side)
    if row and (
        said in ("", "first") or (said == "best" and not named) or qualifiers.derived(text, *span, amount.start)
    ):
        return at(sentence, "right", bound.amount, f"a logged row of {quantity.series[0]}", value=quantity.series[0])
    if not _tellable(sentence, bound, span):
        return _any(sentence, bound, right)
    if any(qualifiers.fits(f.name, one) and qualifiers.fits(f.name, side) for f in right for one in names):
        return _any(sentence, bound, right)
    if right:
        return (
            _called(sentence, bound.amount, said, side, right[0], facts)
            if said or side
            else _any(sentence, bound, right)
        )
    if (amount.spelled and not bound.by_unit) or not sure(quantity, text, *span):
        return None
    if amount.of and not any(fact.shown.endswith(f"/{amount.of}") for fact in named):
        return None
    if amount.percent and facts and not any(fact.share for fact in facts):
        return None
    if not named and (said or side):
        return _missing(sentence, bound, said, side)
    return _different(sentence, bound, amount, named) if named else None


def misnamed(sentence: Sentence, amount: Amount, name: str, known: Known) -> Verdict | None:
    """What is wrong with the words around a number that is known to be that value; None where nothing is."""
    fact = next(iter(known.named(name)), None)
    if fact is None or not name.startswith(("loss.", "accuracy.", "margin.")):
        return None
    text = sentence.text
    span = clause(text, amount.start, amount.end)
    names = qualifiers.stats(text, *span, amount.start, False)
    if not names or any(qualifiers.fits(name, one) for one in names) or qualifiers.derived(text, *span, amount.start):
        return None
    return _called(sentence, amount, names[0], "", fact, known.facts((f"{name.partition('.')[0]}.",)))


def _tellable(sentence: Sentence, bound: Bound, span: tuple[int, int]) -> bool:
    """Whether a difference may be told: a sentence about the run, a plain number, no statistic of another kind."""
    text, amount = sentence.text, bound.amount
    return (
        not amount.bound
        and numbers_of_run(sentence, text[slice(*span)])
        and not _CHANGE.search(text[span[0] : amount.start])
        and not (bound.quantity.split and qualifiers.derived(text, *span, amount.start))
        and not (bound.listed and bound.quantity.name == "learning rate")  # where a schedule ends
        and not (sentence.smoothed and (bound.quantity.split or bound.quantity.name == "learning rate"))
    )


def _any(sentence: Sentence, bound: Bound, right: Sequence[Fact]) -> Verdict | None:
    if not right:
        return None
    return at(sentence, "right", bound.amount, right[0].label or right[0].name, value=right[0].name)


def same(amount: Amount, fact: Fact) -> bool:
    """Whether a printed number is that of the run, as far as it is printed."""
    if amount.of and fact.share:
        return abs(amount.value / amount.of - fact.value) <= 0.5 / amount.of
    return amount.is_rounded(fact.value, 100.0 if amount.percent else 1.0)


def _missing(sentence: Sentence, bound: Bound, said: str, side: str) -> Verdict | None:
    if not bound.quantity.split:
        return None
    what = " ".join(filter(None, (_STATS.get(said), _SIDES.get(side), bound.quantity.name)))
    rule = "F1" if side == "eval" else "C3" if said == "last" else ""
    return at(sentence, "unsupported", bound.amount, f"the run has no {what}", rule=rule)


def _different(sentence: Sentence, bound: Bound, amount: Amount, facts: Sequence[Fact]) -> Verdict:
    scale = 100.0 if amount.percent else 1.0
    close = [fact for fact in facts if amount.is_near(fact.value, scale)]
    fact = close[0] if close else facts[0]
    message = f"{fact.label or fact.name} is {fact.shown} in the run"
    if close:
        message += ", which does not round to this"
    elif len(facts) > 1:
        others = (f"{other.label or other.name} {other.shown}" for other in facts[1:4])
        message += f"; other values: {', '.join(others)}"
    state: State = "wrongly rounded" if close else "stale"
    return at(sentence, state, bound.amount, message, rewrite=fact.shown, value=fact.name)


def _called(sentence: Sentence, amount: Amount, said: str, side: str, fact: Fact, facts: Sequence[Fact]) -> Verdict:
    """A number of the run under the name of another one."""
    called = "" if qualifiers.fits(fact.name, said) else _STATS.get(said, "")
    other = "" if qualifiers.fits(fact.name, side) else _SIDES.get(side, "")
    rule = "C2" if called and fact.name.startswith("loss") else "F1" if other == "held-out" else ""
    label = fact.label or fact.name
    message = f"this is the {label}, not a {' '.join(filter(None, (called, other)))} value"
    wanted = [f for f in facts if qualifiers.fits(f.name, said) and qualifiers.fits(f.name, side or "train")]
    there = f" ({wanted[0].label or wanted[0].name}: {wanted[0].shown})" if wanted else "; the run tells no such value"
    shown = f"{label}: {fact.shown}"
    return at(sentence, "wrongly named", amount, message + there, rule=rule, rewrite=shown, value=fact.name)


def _meant(facts: Sequence[Fact], bound: Bound, text: str, span: tuple[int, int]) -> list[Fact]:
    """Those values of the quantity that the words around the number can mean."""
    part = text[slice(*span)]
    if bound.quantity.name == "time":
        before, after = text[span[0] : bound.amount.start], text[bound.where[1] : span[1]]
        near = re.split(r"\d", before)[-1] + text[slice(*bound.where)] + re.split(r"\d", after)[0][:40]
        if _PER_STEP.search(near):
            return _by_name(facts, "time.per_step")
        return _by_name(facts, "time.per_presentation" if _PER_PAIR.search(near) else "runtime.")
    if bound.quantity.name == "batch size":
        near = text[max(span[0], bound.where[0] - 30) : bound.where[1] + 20]
        if re.search(r"\b(?:effective|global|total|overall)\b", near):
            return _by_name(facts, "batch.effective")
        if re.search(r"\b(?:per[- ](?:device|GPU)|micro|local)\b|micro-?batch", near, re.IGNORECASE):
            return [fact for fact in facts if fact.name != "batch.effective"]
    if bound.quantity.name == "pairs":
        return _rows(facts, bound, text[slice(*bound.where)], part)
    return list(facts)


def _rows(facts: Sequence[Fact], bound: Bound, words: str, part: str) -> list[Fact]:
    if "presentation" in words:
        return _by_name(facts, "data.presentations")
    if re.search(r"held-out|test|validation|evaluation", words, re.IGNORECASE):
        return _by_name(facts, "data.eval_rows")
    if re.search(r"\bbatch", part):
        return _by_name(facts, "batch.")
    if bound.by_unit and re.search(r"\bheld|\beval", part, re.IGNORECASE):
        return _by_name(facts, "data.rows") + _by_name(facts, "data.eval_rows")
    return _by_name(facts, "data.rows")


def _by_name(facts: Sequence[Fact], start: str) -> list[Fact]:
    return [fact for fact in facts if fact.name.startswith(start)]
