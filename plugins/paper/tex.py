"""LaTeX to prose, in one pass and in time proportional to the text; nothing is executed and no file is opened.

It is no parser of TeX: it knows which commands carry no words, and takes the arguments of all others as words.
A parser of LaTeX takes about four seconds a megabyte (measured), and gives up where a brace is missing.
"""

from __future__ import annotations

import re

from dpo_report.plugins.paper.prose import CITE, OPAQUE, REF, THIN, Block, Definition, Lines, Prose, Titles, remark
from dpo_report.plugins.paper.texwords import (
    BREAKS,
    CITES,
    HIDDEN,
    LEVELS,
    READS,
    REFS,
    ROWS,
    SILENT,
    SPACES,
    SYMBOLS,
    UNITS,
)

_TOKEN = re.compile(
    r"(?P<words>[^\\%${}&~\s\[\]\-`'_^]+(?: [^\\%${}&~\s\[\]\-`'_^]+)*)"
    r"|(?P<space>[ \t]*\n[ \t]*(?:\n\s*)?|[ \t\r\f\v]+)"
    r"|(?P<comment>%[^\n]*\n?[ \t]*)"
    r"|\\(?P<word>[A-Za-z@]+)\*?"
    r"|\\(?P<sign>.|\n)"
    r"|(?P<display>\$\$)"
    r"|(?P<other>[\s\S])"
)


class _Scanner:
    """One pass over a file."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.at, self.prose, self.lines = text, 0, Prose(file), Lines(text)
        self.block, self.titles = Block(), Titles()
        self.depth: list[int] = []
        self.rows = 0
        self.math = False
        self.body = "\\begin{document}" not in text
        self.own: dict[str, str] = {}
        self.helpers: set[str] = set()
        self.title: tuple[int, int, Block] | None = None

    def run(self) -> Prose:
        """Read to the end; every token moves on, so this ends."""
        text, end, match = self.text, len(self.text), _TOKEN.match
        block = self.block
        while self.at < end:
            token = match(text, self.at)
            assert token is not None  # the last alternative takes any character
            start, self.at = self.at, token.end()
            block = self.block
            kind = token.lastgroup
            if kind == "words":
                if self.body:
                    block.add(token[0], start)
            elif kind == "space":
                if token[0].count("\n") > 1:
                    if self.title is not None:
                        self._headed()  # a heading ends with its paragraph, closed or not
                    self._break()
                else:
                    block.space(start)
            elif kind == "word":
                self._command(token["word"], start)
            elif kind == "comment":
                self._comment(token[0], start)
            elif kind == "display" and not self.math:  # else one formula ends and the next one begins
                self._hide_to("$$", start)
            elif kind == "sign":
                self._sign(token["sign"], start)
            elif kind == "other":
                self._other(token[0], start)
        self._break()
        if self.depth:
            self.prose.notes.append((self.lines.of(self.depth[0]), "a brace is opened here and never closed"))
        return self.prose

    def _break(self, kind: str = "text") -> None:
        """End the paragraph, and begin one."""
        if self.title is not None:
            return  # a heading ends with its brace
        if self.body:
            self.prose.sentences += self.block.sentences(self.prose.file, str(self.titles), self.lines)
        self.block = Block(kind if not self.rows else "row")
        self.math = False

    def _comment(self, text: str, start: int) -> None:
        told = remark(text[1:].strip(), self.prose.file, self.lines.of(start))
        if told:
            self.prose.remarks.append(told)

    def _other(self, sign: str, start: int) -> None:
        block = self.block
        if sign == "{":
            self.depth.append(start)
        elif sign == "}":
            if self.depth:
                self.depth.pop()
                if self.title is not None and len(self.depth) <= self.title[0]:
                    self._headed()
        elif sign == "$":
            self.math = not self.math
        elif sign == "&":
            block.add(" | " if self.rows else "&", start)
        elif sign == "~":
            block.space(start)
        elif sign == "-":
            run = re.compile("-{1,3}").match(self.text, start)
            assert run is not None
            self.at = run.end()
            block.add("−" if self.math else {1: "-", 2: "–", 3: "—"}[len(run[0])], start)
        elif sign in "`'":
            double = self.text.startswith(sign * 2, start)
            self.at = start + 1 + double
            block.add(("“" if double else "‘") if sign == "`" else ("”" if double else "’"), start)
        elif self.body:
            block.add(sign, start)

    def _sign(self, sign: str, start: int) -> None:
        """An escaped character: ``\\%``, ``\\,``, ``\\[``, an accent."""
        if sign == "[":
            self._hide_to("\\]", start)
        elif sign in "()":
            self.math = sign == "("
        elif sign == "\\":
            self._option()
            self._break() if self.rows else self.block.space(start)
        elif sign in SPACES:
            spaced = SPACES[sign]
            self.block.space(start) if spaced == " " else self.block.add(spaced, start)
        elif sign in "\"'^`~=.":
            pass  # an accent: its letter stays
        else:
            self.block.add(sign, start)

    def _command(self, name: str, start: int) -> None:
        if self.text[self.at - 1] != "*" and name not in SYMBOLS:
            self._skip_blank(one=True)
        if name in ("begin", "end"):
            self._environment(name, start)
        elif name in ("newcommand", "renewcommand", "providecommand", "DeclareRobustCommand", "def"):
            self._define(start)
        elif name in READS:
            if (path := self._argument()) is not None:
                self.prose.inputs.append((path.strip(), self.lines.of(start)))
        elif name == "ifdefined":
            self._skip_blank()
            token = _TOKEN.match(self.text, self.at)
            self.at = token.end() if token else self.at
        elif name == "iffalse":
            self._hide_to("\\fi", start)
        elif name in ("verb", "lstinline"):
            self._verb(start)
        elif not self.body:
            for _ in range(SILENT.get(name, 0)):
                self._options()
                self._argument()
        elif name in LEVELS or name in ("title", "caption", "DpoSection"):
            self._heading(name)
        elif CITES.match(name):
            self._options()
            self._argument()
            self.block.space(start)
            self.block.add(CITE, start)
        elif name in REFS:
            self._options()
            self._argument()
            self.block.add(REF, start)
        elif name == "DpoAsk":
            self._argument()
            self._argument()
        elif name.startswith("Dpo") and not self._takes_arguments(name):
            self.block.add(f"\\{name} " if self.text[self.at : self.at + 1].isalnum() else f"\\{name}", start)
            if self.text.startswith("{}", self.at):
                self.at += 2
        elif name in ("num", "SI", "qty", "unit", "si"):
            self._quantity(name, start)
        elif name in ("frac", "nicefrac", "tfrac"):
            above, below = self._argument() or "", self._argument() or ""
            self.block.add(f"{_plain(above)}/{_plain(below)}", start)
        elif name in self.own:
            self.block.add(_plain(self.own[name]), start)
            if self.text.startswith("{}", self.at):
                self.at += 2
        elif name in SYMBOLS:
            self.block.add(SYMBOLS[name], start)
        elif name == "footnote":
            self.block.add(" (", start)
        elif name in BREAKS:
            self._break()
        else:
            self._options()
            for _ in range(SILENT.get(name, 0)):
                self._argument()
                self._options()

    def _heading(self, name: str) -> None:
        self._options()
        if not self.text.startswith("{", self.at):
            return
        self._break()
        self.block = Block("caption" if name == "caption" else "heading")
        level = 2 if name == "DpoSection" else LEVELS.get(name, -1)
        self.title = (len(self.depth), level, self.block)

    def _headed(self) -> None:
        """A heading's brace is closed."""
        assert self.title is not None
        _, level, block = self.title
        self.title = None
        if level >= 0:
            self.titles.enter(level, "".join(block.pieces).strip())
        self._break()

    def _environment(self, name: str, start: int) -> None:
        told = (self._argument() or "").strip()
        kind = told.rstrip("*")
        if kind == "document":
            if name == "begin":
                self.body, self.block = True, Block()
            else:
                self._break()
                self.body, self.at = False, len(self.text)
            return
        if name == "begin" and kind in HIDDEN:
            self._hide_to(f"\\end{{{told}}}", start, OPAQUE if kind in ("equation", "align") else "")
            return
        if name == "begin":
            self._options()
        if kind in ROWS:
            self._break()
            self.rows = max(0, self.rows + (1 if name == "begin" else -1))
            if name == "begin":
                for _ in range(1 + (kind in ("tabularx", "tabulary"))):
                    self._argument()
            self.block = Block("row" if self.rows else "text")
            return
        self._break("quote" if name == "begin" and kind in ("quote", "quotation") else "text")

    def _define(self, start: int) -> None:
        """``\\newcommand{\\x}{text}``; one with parameters is forgotten."""
        head = re.compile(r"\s*(?:\{\s*)?\\([A-Za-z@]+)\s*\}?\s*").match(self.text, self.at)
        if head is None:
            return
        self.at = head.end()
        parameters = self.text.startswith(("[", "#"), self.at)
        self._options()
        body = self._argument()
        if not body or parameters or re.search(r"\\[A-Za-z]|#", body):
            self.helpers.add(head[1])
        elif head[1].startswith("Dpo"):
            self.prose.definitions.append(
                Definition(f"\\{head[1]}", _plain(body), self.prose.file, self.lines.of(start))
            )
        elif len(body) < 200:
            self.own[head[1]] = body

    def _takes_arguments(self, name: str) -> bool:
        """Whether a macro of ours is no number but one of the report's own helpers."""
        filled = self.text.startswith("[", self.at) or re.compile(r"\{[^}]").match(self.text, self.at)
        return bool(filled) or name in self.helpers

    def _quantity(self, name: str, start: int) -> None:
        """siunitx: ``\\qty{19.6}{\\second}``."""
        self._options()
        number = _plain(self._argument() or "") if name not in ("unit", "si") else ""
        number = re.sub(r"(?<=\d)e(-?\d+)$", r" × 10^\1", number)
        unit = "" if name == "num" else _plain(UNITS.sub(r"/\1", self._argument() or ""))
        self.block.add(f"{number}{THIN if number and unit else ''}{unit}", start)

    def _verb(self, start: int) -> None:
        sign = self.text[self.at : self.at + 1]
        sign = "}" if sign == "{" else sign
        end = self.text.find(sign, self.at + 1) if sign else -1
        line = self.text.find("\n", self.at)
        if end >= 0 and (line < 0 or end < line):
            self.at = end + 1
        self.block.add(OPAQUE, start)

    def _hide_to(self, mark: str, start: int, sign: str = OPAQUE) -> None:
        end = self.text.find(mark, self.at)
        if end < 0:
            line = self.lines.of(start)
            self.prose.notes.append(
                (line, f"what begins here has no end ({mark}): the rest of its paragraph is left out")
            )
            gap = re.compile(r"\n\s*\n").search(self.text, self.at)
            self.at = gap.start() if gap else len(self.text)
            return
        self.at = end + len(mark)
        self.block.add(sign, start)

    def _skip_blank(self, one: bool = False) -> None:
        """Blanks before an argument; a command also swallows the blanks behind its name."""
        follow = re.compile(r"[ \t]*\n?[ \t]*(?=[\[{])" if one else r"[ \t]*\n?[ \t]*").match(self.text, self.at)
        if follow:
            self.at = follow.end()

    def _options(self) -> None:
        while self.text.startswith(("[", "<"), self.at):
            if not self._option():
                return

    def _option(self) -> bool:
        found = re.compile(r"\[[^\[\]{}]*(?:\{[^{}]*\}[^\[\]{}]*)*\]|<[\w+,|-]*>").match(self.text, self.at)
        if found:
            self.at = found.end()
        return found is not None

    def _argument(self) -> str | None:
        """The text of a braced argument; it ends at the latest with its paragraph. None where there is none."""
        self._skip_blank()
        if not self.text.startswith("{", self.at):
            return None
        depth, start = 0, self.at
        for match in _BRACE.finditer(self.text, start):
            sign = match[0]
            if sign == "{":
                depth += 1
            elif sign == "}":
                depth -= 1
                if depth == 0:
                    self.at = match.end()
                    return self.text[start + 1 : match.start()]
            elif sign[0] == "\n":
                break
        self.at = start + 1
        self.depth.append(start)
        return None


_BRACE = re.compile(r"\\.|[{}]|\n[ \t]*\n")


def _plain(text: str) -> str:
    """A short piece of LaTeX in plain words."""
    return " ".join(sentence.text for sentence in read(text, "").sentences)


def read(text: str, file: str) -> Prose:
    """The prose of a LaTeX file."""
    return _Scanner(text, file).run()
