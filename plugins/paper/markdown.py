"""Markdown to prose: paragraphs, headings, list items and rows of tables; code, links and markup left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dpo_report.plugins.paper import tex
from dpo_report.plugins.paper.prose import CITE, OPAQUE, Block, Lines, Prose, Titles, remark

_TOKEN = re.compile(
    r"(?P<words>[^\\`*_\[\]!<$\s@&]+(?: [^\\`*_\[\]!<$\s@&]+)*)"
    r"|(?P<space>\s+)"
    r"|(?P<comment><!--[\s\S]*?-->)"
    r"|(?P<code>(?P<ticks>`+)(?P<inner>[\s\S]*?[^`])(?P=ticks)(?!`))"
    r"|(?P<math>\$(?P<formula>(?:[^$\\\n]|\\.)+)\$(?!\d))"
    r"|\\(?P<sign>[!-/:-@\[-`{-~])"
    r"|!?\[\^[^\]]+\]|(?P<cite>\[-?@[^\]]+\]|\[\d{1,3}(?:\s*[,–-]\s*\d{1,3})*\](?![(:])|(?<!\w)@[\w:.-]*\w)"
    r"|(?P<link>!?\[(?P<shown>(?:[^\[\]]|\[[^\[\]]*\])*)\](?:\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)|\[[^\]]*\]))"
    r"|(?P<address><(?:https?://|mailto:)[^>\s]+>)"
    r"|(?P<tag></?[A-Za-z][^<>]*>)"
    r"|&(?P<entity>[a-zA-Z]+|#\d+);"
    r"|(?P<mark>\*+|(?<!\w)_+|_+(?!\w))"
    r"|(?P<other>[\s\S])"
)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})\s*$")
_RULE = re.compile(r"[\s|:+-]*-{3,}[\s|:+-]*$")
_REFERENCE = re.compile(r" {0,3}\[[^\]]+\]:\s")
_ENTITIES = {"nbsp": " ", "amp": "&", "lt": "<", "gt": ">", "times": "×", "minus": "−", "beta": "β", "ndash": "–"}
_LISTS_OF_WORKS = re.compile(r"(references|bibliography|literature|works cited)\b", re.IGNORECASE)


@dataclass(slots=True)
class _Reader:
    """Lines of a file on their way into paragraphs."""

    text: str
    prose: Prose
    lines: Lines
    titles: Titles = field(default_factory=Titles)
    block: Block = field(default_factory=Block)
    silent: bool = False
    """Within the list of references."""

    def line(self, start: int, end: int) -> None:
        """The words of one line, or of what is left of it."""
        for token in _TOKEN.finditer(self.text, start, end):
            self._token(token, self.block)
        self.block.space(end)

    def _token(self, token: re.Match[str], block: Block) -> None:
        at, kind = token.start(), token.lastgroup
        if kind == "words" or kind == "other":
            block.add(token[0], at)
        elif kind == "space":
            block.space(at)
        elif kind == "comment":
            self._comment(token[0], at)
        elif kind == "code":
            code = token["inner"].strip()
            block.add(OPAQUE if re.search(r"\d|[=()/]", code) else code, at)
        elif kind == "math":
            block.add(" ".join(s.text for s in tex.read(f"${token['formula']}$", "").sentences), at)
        elif kind == "sign":
            block.add(token["sign"], at)
        elif kind == "cite":
            block.add(CITE, at)
        elif kind == "link":
            shown = token.start("shown")
            for inner in _TOKEN.finditer(self.text, shown, token.end("shown")):
                self._token(inner, block)
        elif kind == "entity":
            block.add(_ENTITIES.get(token["entity"], ""), at)

    def _comment(self, text: str, at: int) -> None:
        told = remark(text[4:-3].strip(), self.prose.file, self.lines.of(at))
        if told:
            self.prose.remarks.append(told)

    def end(self, kind: str = "text") -> None:
        """End the paragraph, and begin one."""
        if self.block.kind == "heading":
            title = "".join(self.block.pieces).strip()
            self.silent = bool(_LISTS_OF_WORKS.match(title))
        if not self.silent:
            self.prose.sentences += self.block.sentences(self.prose.file, str(self.titles), self.lines)
        self.block = Block(kind)


def read(text: str, file: str) -> Prose:
    """The prose of a Markdown file."""
    text = re.sub(r"<!--[\s\S]*?-->", _kept, text)
    reader = _Reader(text, Prose(file), Lines(text))
    fence, blank, listed, front = "", True, False, bool(re.match(r"---\s*\n", text))
    at = 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        start, at = at, at + len(line)
        end = start + len(line.rstrip())
        if front:
            front = number == 0 or not re.match(r"(---|\.\.\.)\s*$", line)
            continue
        opened = _FENCE.match(line)
        if fence:
            fence = "" if opened and opened[1].startswith(fence) else fence
            continue
        if opened:
            reader.end()
            fence = opened[1]
        elif not line.strip():
            reader.end()
        elif heading := _HEADING.match(line):
            reader.end("heading")
            reader.line(start + heading.start(2), start + heading.end(2))
            _headed(reader, len(heading[1]))
        elif reader.block.pieces and not blank and (under := _UNDERLINE.match(line)):
            reader.block.kind = "heading"
            _headed(reader, 1 if under[1][0] == "=" else 2)
        elif _RULE.match(line) or _REFERENCE.match(line):
            reader.end()
        elif blank and not listed and re.match(r" {4}|\t", line):
            continue
        elif line.lstrip().startswith("|") or line.count(" | ") > 1:
            reader.end("row")
            reader.line(start, end)
            reader.end()
        elif item := _ITEM.match(line):
            reader.end()
            reader.line(start + item.end(), end)
        elif line.lstrip().startswith(">"):
            if reader.block.kind != "quote":
                reader.end("quote")
            reader.line(start + line.index(">") + 1, end)
        else:
            reader.line(start, end)
        listed = bool(_ITEM.match(line)) or (listed and (not line.strip() or line.startswith((" ", "\t"))))
        blank = not line.strip()
    if fence:
        reader.prose.notes.append((reader.lines.of(len(text)), "a fenced block of code is never closed"))
    reader.end()
    return reader.prose


def _headed(reader: _Reader, level: int) -> None:
    title = "".join(reader.block.pieces).strip()
    reader.end()
    reader.titles.enter(level, title)


def _kept(comment: re.Match[str]) -> str:
    """A comment as blanks of the same shape, unless it is a remark for us."""
    return comment[0] if "\n" not in comment[0] else re.sub(r"[^\n]", " ", comment[0])
