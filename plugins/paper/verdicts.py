"""What the check has to say about one place of the paper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from dpo_report.plugins.paper.amounts import Amount
from dpo_report.plugins.paper.prose import Sentence

State = Literal["right", "stale", "wrongly rounded", "wrongly named", "unsupported", "forbidden"]
"""``forbidden`` is a sentence; all others are numbers."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One number or one phrase, judged."""

    state: State
    file: str
    """As the paper's folder names it."""
    line: int
    """From 1."""
    words: str
    """The number or the phrase as it stands, with its neighbours."""
    message: str
    """What is wrong, in one line; for a right number what it is."""
    rule: str = ""
    """The rule that it breaks: ``C2``."""
    rewrite: str = ""
    """What may be written instead."""
    licence: str = ""
    """The cheapest experiment that would license the phrase."""
    value: str = ""
    """Name of the run's value or setting."""

    @property
    def fault(self) -> bool:
        """Whether the paper falls short here."""
        return self.state != "right"


def at(sentence: Sentence, state: State, amount: Amount, message: str, **more: str) -> Verdict:
    """A verdict on a number, shown with its neighbours."""
    first = sentence.text.rfind(" ", 0, max(0, amount.start - 40)) + 1
    last = sentence.text.find(" ", amount.end + 15)
    words = sentence.text[first : last if last >= 0 else None]
    return Verdict(state, sentence.file, sentence.line(amount.start), " ".join(words.split()), message, **more)


def tidy(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """In the order of the paper; a rule once a place, a number's own fault before that of its sentence."""
    seen: set[tuple[str, int, str, str]] = set()
    kept: list[Verdict] = []
    ordered = sorted(verdicts, key=lambda v: (v.file, v.line, v.state == "forbidden"))
    for verdict in ordered:
        key = (verdict.file, verdict.line, verdict.rule, "" if verdict.rule else verdict.words + verdict.state)
        if verdict.fault and verdict.rule and key in seen:
            continue
        seen.add(key) if verdict.fault else None
        kept.append(verdict)
    return kept
