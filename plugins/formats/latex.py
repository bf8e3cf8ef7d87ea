"""``--format latex``: a document that compiles as it is, and its parts for a paper of any class."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dpo_report.core import macros, numbers, tex
from dpo_report.core.contract import Format
from dpo_report.core.references import bibtex
from dpo_report.core.standin import filename

if TYPE_CHECKING:
    from dpo_report.core.render import Kit

_HELPER = re.compile(r"^% helper (\\Dpo\w+)$", re.MULTILINE)


def convert(kit: Kit) -> dict[str, bytes]:
    """report.tex, sections, tables, numbers, figures and the bibliography."""
    helpers = _helpers(kit)
    texts = {f"tables/{name}.tex": kit.render("table.tex", name=name) for name in ("results", "run", "settings")}
    texts = {name: text for name, text in texts.items() if text.strip()}
    for section in kit.sections:
        texts[f"sections/{filename(section.name)}.tex"] = kit.render(kit.template_of(section), section=section)
    texts = {name: _with_helpers(_tidy(text), helpers) for name, text in texts.items()}
    texts["numbers.tex"] = _with_helpers(_numbers(kit), helpers)
    texts["references.bib"] = bibtex(kit.analysis.works[entry.key] for entry in kit.references())
    texts["report.tex"] = _tidy(kit.render("report.tex", sections=kit.sections))
    return {**{name: text.encode("ascii") for name, text in texts.items()}, **kit.figures(("pdf",))}


def _numbers(kit: Kit) -> str:
    """A macro for every value, and for both ends of its interval."""
    printed: dict[str, str] = {}
    for value in kit.analysis.values.values():
        printed[value.name] = numbers.display(value)
        if value.low is not None and value.high is not None:
            printed[f"{value.name}.interval"] = numbers.display_interval(value)
    lines = ["% Every number of the report as a macro. They hold plain text and work in captions and headings too."]
    doubtful = macros.clashes(printed)
    for name, text in printed.items():
        command = macros.macro(name, kit.prefix)
        if name in doubtful.get(macros.macro(name), [name])[1:]:
            lines.append(f"% {tex.escape(name)} is left out: another value has the macro {command}.")
        else:
            lines.append(f"\\newcommand{{{command}}}{{{tex.escape(text)}}} % {tex.escape(name)}")
    return "\n".join(lines) + "\n"


def _helpers(kit: Kit) -> dict[str, str]:
    """Definitions of the small macros that sections use, by macro."""
    _, *pieces = _HELPER.split(kit.render("helpers.tex"))
    return {name: body.strip() for name, body in zip(pieces[::2], pieces[1::2], strict=True)}


def _with_helpers(text: str, helpers: dict[str, str]) -> str:
    """A file with the definitions of what it uses, so that it can be read in by any document."""
    used = [body for name, body in helpers.items() if re.search(re.escape(name) + r"(?![A-Za-z])", text)]
    return "\n".join([*used, text]) if used else text


def _tidy(text: str) -> str:
    return re.sub(r"[ \t]+$", "", re.sub(r"\n{3,}", "\n\n", text), flags=re.MULTILINE).strip() + "\n"


FORMAT = Format("latex", ".tex", convert, base="latex")
