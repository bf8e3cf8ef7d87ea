"""What a checklist is made of: items, the evidence of a run for each, and the answer that follows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dpo_report.core.model import Analysis
from dpo_report.core.text import Ask, Text, join

_ANSWER = re.compile(r"\s*(?P<mark>yes|no|n/?a|not applicable)\b[\s:.,;–—-]*(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_MARKS = {"yes": "Yes", "no": "No"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run tells of an item."""

    text: Text = Text()  # noqa: RUF009 - it never changes
    """Empty where it tells nothing."""
    mark: str = ""
    """``Yes``, ``No`` or ``NA`` where that settles the item; else only the author can answer."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a checklist, in short words of our own."""

    number: str
    """As the venue counts it: ``7``, ``B2``."""
    title: str
    """``Error bars``"""
    question: str
    """What is asked."""
    ask: str
    """What is left to the author where the run does not settle it."""
    evidence: Callable[[Analysis], Evidence] = lambda _analysis: Evidence()
    """What the run tells; nothing for an item that no run bears on."""


@dataclass(frozen=True, slots=True)
class Line:
    """An item with its answer."""

    number: str
    title: str
    question: str
    mark: str
    """``Yes``, ``No``, ``NA``; empty where the author has to answer."""
    text: Text
    """Why, with the values and files that say so; the open question where there is one."""
    told: bool
    """Whether the author gave the answer."""


def filled(analysis: Analysis, standard: str, items: Sequence[Item]) -> list[Line]:
    """Every item, answered by the author, else by the run, else by neither.

    An author answers in ``[answers]`` of ``dpo-report.toml``, with the standard and the number as the key:
    ``neurips-12 = "yes: both are under CC-BY 4.0"``.
    """
    return [_line(analysis, key(standard, item.number), item) for item in items]


def key(standard: str, number: str) -> str:
    """Under which an author's answer is kept: ``acl-b2``."""
    return f"{standard}-{number.lower()}"


def _line(analysis: Analysis, name: str, item: Item) -> Line:
    found = item.evidence(analysis)
    told = analysis.run.answers.get(name)
    if told is None:
        text = found.text if found.mark else join([found.text, Text((Ask(name, item.ask),))])
        return Line(item.number, item.title, item.question, found.mark, text, told=False)
    answer = _ANSWER.match(told)
    if answer is None:
        begin = Ask(name, "Begin the answer with yes, no or NA.")
        return Line(item.number, item.title, item.question, "", join([told, found.text, Text((begin,))]), told=True)
    mark = _MARKS.get(answer["mark"].lower(), "NA")
    rest = answer["rest"].strip()
    said = f"{rest[:1].upper()}{rest[1:]}{'' if rest.endswith(('.', '!', '?')) else '.'}" if rest else ""
    return Line(item.number, item.title, item.question, mark, join([said, found.text]), told=True)
