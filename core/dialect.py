"""The families of templates: how each marks expressions, and how a string or a sentence is written in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from dpo_report.core import html, markdown, tex, typst
from dpo_report.core.errors import ReportError
from dpo_report.core.standin import filename
from dpo_report.core.text import Ask, Cite, Code, Part, Text, Worded
from dpo_report.core.works import Work


@dataclass(frozen=True, slots=True)
class Dialect:
    """One family of templates. Its name is the folder below ``templates/``."""

    name: str
    """``latex``"""
    suffix: str
    """Of its templates: ``.tex``."""
    escape: Callable[[str], str]
    """Any string, printed as itself."""
    code: Callable[[str], str]
    """A name from a file."""
    cite: Callable[[tuple[Work, ...]], str]
    """Known works; at least one."""
    ask: Callable[[Ask], str]
    """An open question."""
    delimiters: Mapping[str, str] = field(default_factory=dict)
    """Jinja's delimiters where they differ from its own."""

    def typeset(self, text: Text, works: Mapping[str, Work]) -> str:
        """A sentence with its marks; a citation of an unknown work prints its key."""
        return "".join(self._part(part, works) for part in text)

    def _part(self, part: Part, works: Mapping[str, Work]) -> str:
        if isinstance(part, Worded):
            return part.markup
        if isinstance(part, Code):
            return self.code(part.text)
        if isinstance(part, Ask):
            return self.ask(part)
        if isinstance(part, Cite):
            known = tuple(works[key] for key in part.keys if key in works)
            return self.cite(known) if len(known) == len(part.keys) else self.escape(part.named(works))
        return self.escape(part)


def _tex_cite(works: Iterable[Work]) -> str:
    return f"\\cite{{{','.join(markdown.anchor(work.key) for work in works)}}}"


def _tex_ask(ask: Ask) -> str:
    return f"\\DpoAsk{{{filename(ask.id)}}}{{{tex.escape(ask.text)}}}"


def _markdown_cite(works: Iterable[Work]) -> str:
    return "(" + "; ".join(f"[{markdown.escape(work.short)}](#{markdown.anchor(work.key)})" for work in works) + ")"


def _markdown_ask(ask: Ask) -> str:
    return f"**[? {markdown.escape(ask.text)}]**"


def _html_cite(works: Iterable[Work]) -> str:
    return "(" + "; ".join(f'<a href="#{markdown.anchor(w.key)}">{html.escape(w.short)}</a>' for w in works) + ")"


def _html_ask(ask: Ask) -> str:
    return f"<mark>[? {html.escape(ask.text)}]</mark>"


def _typst_cite(works: Iterable[Work]) -> str:
    told = (f"#link(<ref-{markdown.anchor(work.key)}>)[{typst.escape(work.short)}]" for work in works)
    between = "\\; "  # a bare semicolon would end the call before it and not be printed
    return f"({between.join(told)})"


def _typst_ask(ask: Ask) -> str:
    return f"#ask[{typst.escape(ask.text)}]"


DIALECTS = {
    "latex": Dialect(
        "latex",
        ".tex",
        tex.escape,
        tex.code,
        _tex_cite,
        _tex_ask,
        {
            "variable_start_string": "\\VAR{",
            "variable_end_string": "}",
            "block_start_string": "\\BLOCK{",
            "block_end_string": "}",
            "comment_start_string": "\\#{",
            "comment_end_string": "}",
            "line_statement_prefix": "%%",
            "line_comment_prefix": "%#",
        },
    ),
    "markdown": Dialect("markdown", ".md", markdown.escape, markdown.code, _markdown_cite, _markdown_ask),
    "html": Dialect("html", ".html", html.escape, html.code, _html_cite, _html_ask),
    "typst": Dialect("typst", ".typ", typst.escape, typst.code, _typst_cite, _typst_ask),
}
"""By name."""


def dialect(name: str) -> Dialect:
    """The family of that name.

    Raises:
        ReportError: there is none.
    """
    if name not in DIALECTS:
        raise ReportError(f"no template family {name!r}", f"a format's base is one of {', '.join(DIALECTS)}")
    return DIALECTS[name]
