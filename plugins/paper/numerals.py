"""Numbers of the paper against those of the run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from dpo_report.plugins.paper.amounts import Amount, amounts
from dpo_report.plugins.paper.known import Known
from dpo_report.plugins.paper.measured import measured, misnamed
from dpo_report.plugins.paper.prose import Sentence
from dpo_report.plugins.paper.quantities import bind
from dpo_report.plugins.paper.scope import clause, numbers_of_run
from dpo_report.plugins.paper.verdicts import State, Verdict, at

_PACKAGES = {
    "trl": "trl", "transformers": "transformers", "pytorch": "torch", "torch": "torch", "peft": "peft",
    "accelerate": "accelerate", "datasets": "datasets",
}  # fmt: skip
_VERSION = re.compile(
    r"\b(TRL|[Tt]rl|[Tt]ransformers|[Pp]y[Tt]orch|torch|PEFT|peft|[Aa]ccelerate|[Dd]atasets)(?: library)?[ ,(~]{1,3}"
    r"(?:v|versions? |v\. ?)?(\d+\.\d+(?:\.\d+)?)(?![\d%]|\s?[×·])"
)
_DOTTED = re.compile(r"\d\.\d")
_USED = re.compile(
    r"\b(?:us(?:e|ed|es|ing)|with|software|versions?|ran|implemented|trained|training)\b|:", re.IGNORECASE
)
_SINCE = re.compile(
    r"\b(?:since|until|up to|before|after|from|in|below|above|than|to|and|or|of|both)\s$|[<>≤≥–|]\s?$", re.IGNORECASE
)
_ASSIGNED = re.compile(r"(?: ?(?:=|:|of|to|is|was|at|\|) ?| )$")


def judge(sentence: Sentence, known: Known, skip: frozenset[Amount] = frozenset()) -> Iterator[Verdict]:
    """Every number of a sentence that is the run's, or pretends to be; ``skip`` are those that are judged elsewhere."""
    text = sentence.text
    found = [amount for amount in amounts(text) if amount not in skip]
    yield from _versions(sentence, known)
    if not found:
        return
    done: set[int] = set()
    for amount in found:
        if amount.macro:
            done.add(amount.start)
            yield from _macro(sentence, amount, known)
    for verdict, start in _assigned(sentence, found, known):
        done.add(start)
        yield verdict
    yield from _bound(sentence, [amount for amount in found if amount.start not in done], known)


def _bound(sentence: Sentence, found: list[Amount], known: Known) -> Iterator[Verdict]:
    """Numbers by the words around them. A row of a table may tell of several runs: there, only what is right counts."""
    text, row = sentence.text, sentence.kind == "row"
    several = row and len(re.findall(r"\| *[−–-]?[\d.]", text)) > 1
    seen: set[int] = set()
    for amount in found:
        first, last = (0, len(text)) if row else clause(text, amount.start, amount.end)
        if first in seen:
            continue
        seen.add(first)
        for bound in bind(text, found, first, last):
            verdict = measured(sentence, bound, known, (first, last))
            if verdict is not None and not (verdict.fault and several):
                yield verdict


def _versions(sentence: Sentence, known: Known) -> Iterator[Verdict]:
    """``TRL 1.16``: right as far as it is told."""
    for match in _VERSION.finditer(sentence.text) if _DOTTED.search(sentence.text) else ():
        package = _PACKAGES[match[1].lower()]
        told = [version.partition("+")[0] for version in known.versions(package)]
        if not told or _SINCE.search(sentence.text[: match.start()]):
            continue
        amount = Amount(match[0], match.start(), match.end(), math.nan, 0.0)
        if any(f"{version}.".startswith(f"{match[2]}.") for version in told):
            yield at(sentence, "right", amount, f"the run's version of {match[1]}", value=package)
        elif _USED.search(sentence.text) and numbers_of_run(sentence, _before(sentence.text, match)):
            wanted = f"{match[1]} {told[0]}"
            yield at(sentence, "stale", amount, f"the run used {wanted}", rule="A3", rewrite=wanted, value=package)


def _before(text: str, match: re.Match[str]) -> str:
    return text[max(0, match.start() - 60) : match.end()]


def _macro(sentence: Sentence, amount: Amount, known: Known) -> Iterator[Verdict]:
    """A macro is right by itself; its name may still be none of the run's, or the words around it wrong."""
    told = known.macros.get(amount.macro)
    if told is None:
        yield at(sentence, "unsupported", amount, f"the run has no value for {amount.macro}")
        return
    yield misnamed(sentence, amount, told[0], known) or at(sentence, "right", amount, told[0], value=told[0])


def _assigned(sentence: Sentence, found: Sequence[Amount], known: Known) -> Iterator[tuple[Verdict, int]]:
    """``logging_steps = 10``: a setting or a summary entry by the trainer's own name."""
    text = sentence.text
    for match in known.own_names.finditer(text) if "_" in text else ():
        amount = next((a for a in found if a.start >= match.end()), None)
        if amount is None or amount.macro or not _ASSIGNED.fullmatch(text[match.end() : amount.start]):
            continue
        facts = known.named(match[0])
        if any(amount.is_rounded(fact.value) for fact in facts):
            yield at(sentence, "right", amount, match[0], value=match[0]), amount.start
        elif facts and numbers_of_run(sentence, text) and not amount.bound:
            state: State = "wrongly rounded" if any(amount.is_near(fact.value) for fact in facts) else "stale"
            shown = facts[0].shown
            message = f"{match[0]} is {shown} in the run"
            yield at(sentence, state, amount, message, rewrite=shown, value=match[0]), amount.start
