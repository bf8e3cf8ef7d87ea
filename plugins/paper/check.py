"""A paper against its runs: every number and every sentence, judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dpo_report.core.model import Analysis
from dpo_report.plugins.paper import numerals, remarks
from dpo_report.plugins.paper.amounts import Amount, amounts
from dpo_report.plugins.paper.known import Known
from dpo_report.plugins.paper.phrases import Phrasebook
from dpo_report.plugins.paper.prose import Prose, Sentence, numbered
from dpo_report.plugins.paper.sources import Paper
from dpo_report.plugins.paper.verdicts import Verdict, tidy


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found in a paper."""

    verdicts: tuple[Verdict, ...]
    """In the order of the files and their lines, right numbers included."""
    notes: tuple[str, ...]
    """What could not be read or understood."""
    sentences: int
    """How many were read."""

    @property
    def faults(self) -> list[Verdict]:
        """Where the paper falls short."""
        return [verdict for verdict in self.verdicts if verdict.fault]


def check(paper: Paper, analyses: Sequence[Analysis], prefixes: Sequence[str] = ()) -> Outcome:
    """Judge every sentence of a paper by what its runs tell.

    ``prefixes`` are what the macros of several runs have behind ``\\Dpo``; none for a single run.
    """
    known, book = Known(analyses, prefixes), Phrasebook(analyses)
    verdicts: list[Verdict] = []
    for prose in paper.files:
        verdicts += tidy(_judged(prose, known, book))
    count = sum(len(prose.sentences) for prose in paper.files)
    return Outcome(tuple(verdicts), tuple(paper.notes), count)


def _judged(prose: Prose, known: Known, book: Phrasebook) -> list[Verdict]:
    verdicts = list(remarks.definitions(prose.definitions, known))
    by_line = numbered(prose.sentences) if prose.remarks else {}
    ignored = {remark.line for remark in prose.remarks if remarks.IGNORE in remark.names}
    told = {remark.line for remark in prose.remarks} - ignored
    for remark in prose.remarks:
        if remark.line not in ignored:
            verdicts += remarks.remarked(remark, by_line.get(remark.line, []), known)
    for sentence in prose.sentences:
        if sentence.lines[0] in ignored:
            continue
        ours = list(numerals.judge(sentence, known, _remarked(sentence, told)))
        verdicts += [verdict for verdict in ours if verdict.line not in ignored]
        if places := book.look(sentence):
            finals = any(v.state == "right" and v.value.endswith((".last", ".median_last")) for v in ours)
            said = book.judge(sentence, places, finals, _owned(sentence, ours, known))
            verdicts += [verdict for verdict in said if verdict.line not in ignored]
    return verdicts


def _owned(sentence: Sentence, ours: Sequence[Verdict], known: Known) -> bool:
    """Whether a number of the run stands in the sentence, be it without a word of what it is: ``0.46 is low``."""
    return any(v.state == "right" for v in ours) or any(
        amount.ulp < 0.1
        and any(amount.is_rounded(fact.value) for fact in known.facts(("loss.", "accuracy.", "margin.")))
        for amount in amounts(sentence.text)
    )


def _remarked(sentence: Sentence, lines: set[int]) -> frozenset[Amount]:
    """Numbers of which a remark says what they are; they are judged by that alone."""
    if lines.isdisjoint(range(sentence.lines[0], sentence.lines[-1] + 1)):
        return frozenset()
    return frozenset(a for a in amounts(sentence.text) if not a.macro and sentence.line(a.start) in lines)
