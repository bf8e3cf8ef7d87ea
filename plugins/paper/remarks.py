"""Numbers of which the paper itself says which value they are: macros that it defines, remarks on a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dpo_report.plugins.paper.amounts import Amount, amounts
from dpo_report.plugins.paper.known import Fact, Known
from dpo_report.plugins.paper.measured import misnamed, same
from dpo_report.plugins.paper.prose import Definition, Remark, Sentence
from dpo_report.plugins.paper.quantities import bind, seconds_of
from dpo_report.plugins.paper.verdicts import State, Verdict, at

IGNORE = "ignore"
"""The remark that leaves a line out."""
_POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−–", "-0123456789--")


def definitions(told: Sequence[Definition], known: Known) -> Iterator[Verdict]:
    """The macros of a ``numbers.tex`` that an earlier build left. One that the run lacks is told where it is used."""
    for one in told:
        now = known.macros.get(one.name)
        if now is None:
            continue
        name, shown = now
        if _bare(one.text) == _bare(shown):
            yield Verdict("right", one.file, one.line, one.name, name, value=name)
        else:
            message = f"{name} is {shown} in the run: build the report again"
            yield Verdict("stale", one.file, one.line, f"{one.name} {one.text}", message, rewrite=shown, value=name)


def _bare(text: str) -> str:
    """A printed number without what typesetting adds."""
    return re.sub(r"[\s\u202f^{}$]", "", text.translate(_POWERS))


def remarked(remark: Remark, sentences: Sequence[Sentence], known: Known) -> Iterator[Verdict]:
    """The values that a ``% dpo: name`` remark promises on its line."""
    there = [(s, a) for s in sentences for a in amounts(s.text) if s.line(a.start) == remark.line]
    for name in remark.names:
        facts = known.named(name)
        if not facts:
            message = f"the run has no value called {name}"
            yield Verdict("unsupported", remark.file, remark.line, f"dpo: {name}", message)
        elif not any(a.macro and known.macros.get(a.macro, ("",))[0] == name for _, a in there):
            yield _promised(remark, name, facts, [(s, a) for s, a in there if not a.macro], known)


def _promised(
    remark: Remark, name: str, facts: Sequence[Fact], there: Sequence[tuple[Sentence, Amount]], known: Known
) -> Verdict:
    told = [(s, a, _in_seconds(s, a, name)) for s, a in there if not a.spelled] or [(s, a, a) for s, a in there]
    for sentence, amount, value in told:
        if any(same(value, fact) for fact in facts):
            return misnamed(sentence, amount, name, known) or at(sentence, "right", amount, name, value=name)
    if not told:
        return Verdict("unsupported", remark.file, remark.line, f"dpo: {name}", "no number stands on this line")
    fact = facts[0]
    sentence, amount, value = min(told, key=lambda item: abs(item[2].value - fact.value))
    state: State = "wrongly rounded" if value.is_near(fact.value) else "stale"
    return at(sentence, state, amount, f"{name} is {fact.shown} in the run", rewrite=fact.shown, value=name)


def _in_seconds(sentence: Sentence, amount: Amount, name: str) -> Amount:
    """A time in the unit in which the run tells it."""
    if not name.startswith(("runtime.", "time.")):
        return amount
    bound = next((b for b in bind(sentence.text, [amount], 0, len(sentence.text)) if b.quantity.name == "time"), None)
    if bound is None:
        return amount
    value, ulp = seconds_of(sentence.text, bound)
    return replace(amount, value=value, ulp=ulp)
