"""Where templates lie: the user's folders, those of plugins, the built-in one; the first that has a name is used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dpo_report.core.dialect import DIALECTS
from dpo_report.core.errors import ReportError
from dpo_report.core.host.candidates import resembling
from dpo_report.core.manager import Host
from dpo_report.core.render import ANY_SECTION, BUILTIN, WORDING


@dataclass(frozen=True, slots=True)
class Template:
    """The template that is used for a name."""

    name: str
    """With its family: ``latex/discussion.tex``."""
    path: Path
    """The file."""
    owner: str
    """``built-in``, a plugin with its version, or the user's folder."""
    over: str = ""
    """Whose template of the same name it stands before."""
    remark: str = ""
    """What the user should know: that nothing asks for it."""


def roots(host: Host, own: Iterable[Path]) -> list[tuple[str, Path]]:
    """Folders in the order in which they are searched, with their owners.

    Raises:
        ReportError: a folder of the user's is none.
    """
    mine = [Path(folder) for folder in own]
    for folder in mine:
        if not folder.is_dir():
            raise ReportError(f"no such folder: {folder}", "--template-dir takes a folder with one for each family")
    plugins = [(provided.plugin, provided.item) for provided in host.templates]
    return [*((str(folder), folder) for folder in mine), *plugins, ("built-in", BUILTIN)]


def used(host: Host, own: Iterable[Path] = ()) -> list[Template]:
    """Every template by name, the first of its name."""
    searched = roots(host, own)
    families = {family for _, root in searched for family in DIALECTS if (root / family).is_dir()}
    found: dict[str, Template] = {}
    for owner, root in searched:
        for family in sorted(families):
            for path in sorted((root / family).rglob(f"*{DIALECTS[family].suffix}")):
                name = f"{family}/{path.relative_to(root / family).as_posix()}"
                if name not in found:
                    found[name] = Template(name, path, owner, remark=_remark(host, name, owner))
                elif not found[name].over:
                    first = found[name]
                    found[name] = Template(name, first.path, first.owner, owner)
    return [found[name] for name in sorted(found)]


def named(host: Host, name: str, own: Iterable[Path] = ()) -> Template:
    """The template that is used for a name with its family.

    Raises:
        ReportError: there is none.
    """
    known = {template.name: template for template in used(host, own)}
    if name not in known:
        hint = resembling(name, known) or "`dpo-report templates` lists them"
        raise ReportError(f"there is no template {name}", hint)
    return known[name]


def rule_of(name: str) -> str:
    """The code of the rule that a template words, ``latex/wording/C2.tex``; empty for other templates."""
    family, _, rest = name.partition("/")
    folder, _, file = rest.partition("/")
    suffix = DIALECTS[family].suffix if family in DIALECTS else ""
    return file.removesuffix(suffix) if folder == WORDING and suffix and file.endswith(suffix) else ""


def _remark(host: Host, name: str, owner: str) -> str:
    """That a template of a user's or of a plugin's has a name that nothing of ours asks for."""
    if owner == "built-in":
        return ""
    code = rule_of(name)
    if code:
        known = {provided.item.code for provided in host.checks}
        return "" if code in known else f"there is no rule {code}" + _did_you_mean(code, known)
    stem = Path(name).stem
    sections = {ANY_SECTION, *(provided.item.name for provided in host.sections)}
    near = resembling(stem, sections)
    return f"no section of that name; {near}" if stem not in sections and near else ""


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    near = resembling(word, known)
    return f"; {near}" if near else ""
