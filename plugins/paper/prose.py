"""A paper as sentences: what a reader of the printed page would read, each character traced to its line.

LaTeX and Markdown are turned into the same plain words. What is no statement of the author's (comments, code,
labels, formulae, the bibliography) is left out or stands as a private-use sign.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

CITE = "\ue000"
"""A citation."""
REF = "\ue001"
"""A reference to a figure, a table or a section."""
OPAQUE = "\ue002"
"""Something that is no prose: code, a displayed formula."""
THIN = "\u202f"
"""A thin space: between a number and its unit, or between groups of digits."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, or one row of a table."""

    text: str
    """Plain words, single spaces."""
    file: str
    """As the paper's folder names it."""
    section: str
    """Titles of the sections it stands in, outermost first, joined by `` / ``."""
    kind: str
    """``text``, ``heading``, ``row``, ``caption``, ``quote``."""
    starts: tuple[int, ...]
    """Where each piece of the text begins in it."""
    lines: tuple[int, ...]
    """The source line of each of those pieces, from 1."""
    smoothed: bool = False
    """Whether its paragraph gives running means: then a curve's number is none that the run tells."""

    def line(self, at: int = 0) -> int:
        """The source line of a character."""
        return self.lines[max(0, bisect_right(self.starts, at) - 1)]


@dataclass(frozen=True, slots=True)
class Remark:
    """``% dpo: loss.train.mean`` on a line: which values its numbers are; ``ignore`` leaves the line out."""

    file: str
    line: int
    names: tuple[str, ...]
    """Value or setting names."""


@dataclass(frozen=True, slots=True)
class Definition:
    """``\\newcommand{\\DpoLossTrainMean}{0.460}``: a number of the run in the form of a macro."""

    name: str
    """With its backslash."""
    text: str
    """What it prints, in plain words."""
    file: str
    line: int


@dataclass(slots=True)
class Prose:
    """All that is said in one file."""

    file: str
    sentences: list[Sentence] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    inputs: list[tuple[str, int]] = field(default_factory=list)
    """Files that it reads in, with the line."""
    notes: list[tuple[int, str]] = field(default_factory=list)
    """What could not be understood, by line."""


_REMARK = re.compile(r"^\s*dpo:\s*([\w./:+, -]+?)\s*$")


def remark(comment: str, file: str, line: int) -> Remark | None:
    """What a comment tells of the numbers on its line; None for any other comment."""
    told = _REMARK.match(comment)
    return Remark(file, line, tuple(re.split(r"[,\s]+", told[1]))) if told else None


class Lines:
    """Line numbers of offsets in a text."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def of(self, offset: int) -> int:
        """The line, from 1."""
        return bisect_right(self._starts, offset)


@dataclass(slots=True)
class Block:
    """A paragraph that is being put together; white space is collapsed on the way."""

    kind: str = "text"
    pieces: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    blank: bool = True
    """Whether the last character is a space, or there is none yet."""

    def add(self, text: str, offset: int) -> None:
        """Words as they stand at a place of the source."""
        if text:
            self.pieces.append(text)
            self.offsets.append(offset)
            self.blank = False

    def space(self, offset: int) -> None:
        """White space, of whatever width."""
        if not self.blank:
            self.pieces.append(" ")
            self.offsets.append(offset)
            self.blank = True

    def sentences(self, file: str, section: str, lines: Lines) -> Iterator[Sentence]:
        """The finished block in sentences; a row of a table is one."""
        text = "".join(self.pieces)
        if not text.strip():
            return
        starts = [0]
        for piece in self.pieces:
            starts.append(starts[-1] + len(piece))
        at = [lines.of(offset) for offset in self.offsets]
        smoothed = _SMOOTHED.search(text) is not None
        cuts = [(0, len(text))] if self.kind in ("row", "heading") else split(text)
        for start, end in _short(text, cuts):
            first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
            yield Sentence(
                text[start:end],
                file,
                section,
                self.kind,
                tuple(max(0, starts[index] - start) for index in range(first, last + 1)),
                tuple(at[first : last + 1]),
                smoothed,
            )


_SMOOTHED = re.compile(r"unning (?:mean|median|average)\b|oving average\b|moothed\b")


_LONGEST = 1500
"""Characters of the longest sentence that anyone reads; what is longer is data, and would take time without end."""


def _short(text: str, cuts: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same cuts, each of at most so many characters."""
    for start, end in cuts:
        while end - start > _LONGEST:
            middle = text.rfind(" ", start, start + _LONGEST)
            middle = middle + 1 if middle > start else start + _LONGEST
            yield start, middle
            start = middle
        yield start, end


_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|et al|cf|vs|resp|approx|ca|Figs?|Eqs?|Secs?|Tabs?|Apps?|Nos?|Dr|St|Ref|Refs|Vol|w\.r\.t)"
    r"|\b[A-Z])\.$"
)
_END = re.compile(r"[.!?]+[\"”’')\]\ue000]*\s+(?=[\"“‘(\[\\]*[A-Z0-9βΔ\ue000-\ue002\\])")


def split(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence of a paragraph.

    >>> [("A loss of 0.46, cf. Fig. 2. It fell."[a:b]) for a, b in split("A loss of 0.46, cf. Fig. 2. It fell.")]
    ['A loss of 0.46, cf. Fig. 2.', 'It fell.']
    """
    cuts: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        dot = match.start() + 1
        if text[match.start()] == "." and _ABBREVIATION.search(text[max(start, dot - 12) : dot]):
            continue
        cuts.append((start, match.end() - (match.end() - len(text[: match.end()].rstrip()))))
        start = match.end()
    if text[start:].strip():
        cuts.append((start, len(text.rstrip())))
    return cuts


@dataclass(slots=True)
class Titles:
    """The sections that enclose a place."""

    open: list[tuple[int, str]] = field(default_factory=list)

    def enter(self, level: int, title: str) -> None:
        """A heading of that level: 1 for a chapter, 2 for a section, and so on."""
        while self.open and self.open[-1][0] >= level:
            self.open.pop()
        self.open.append((level, title))

    def __str__(self) -> str:
        return " / ".join(title for _, title in self.open)


def numbered(sentences: Iterable[Sentence]) -> dict[int, list[Sentence]]:
    """Sentences by the lines on which they stand."""
    by_line: dict[int, list[Sentence]] = {}
    for sentence in sentences:
        for line in range(sentence.lines[0], sentence.lines[-1] + 1):
            by_line.setdefault(line, []).append(sentence)
    return by_line
