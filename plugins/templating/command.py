"""What ``dpo-report templates`` does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from dpo_report.core.dialect import DIALECTS
from dpo_report.core.errors import ReportError
from dpo_report.core.manager import Host
from dpo_report.core.terminal import columns, printable
from dpo_report.core.text import Text
from dpo_report.plugins.templating.places import Template, named, rule_of, used


def templates(args: argparse.Namespace) -> int:
    """List, copy, or show sentences."""
    host = Host(files=args.plugin, disabled=args.no_plugin)
    if args.copy:
        name, folder = args.copy
        target = Path(folder) / name
        text = _start(host, name, args.template_dir)
        _write(target, text)
        sys.stdout.write(printable(target) + "\n")
    elif args.sentences:
        sys.stdout.write("\n".join(map(printable, _sentences(args.sentences, host))) + "\n")
    else:
        rows = [("TEMPLATE", "USED FROM", "REMARK")]
        rows += [(one.name, one.owner, _about(one)) for one in used(host, args.template_dir)]
        sys.stdout.write(columns(rows) + "\n")
    return 0


def _about(template: Template) -> str:
    return f"instead of {template.over}" if template.over else template.remark


def _start(host: Host, name: str, own: list[Path]) -> str:
    """A copy of the template that is used; for a rule that has none, one that says what the rule says.

    Raises:
        ReportError: there is no template of that name, and no rule.
    """
    code = rule_of(name)
    check = next((provided.item for provided in host.checks if provided.item.code == code), None)
    if check is None or any(template.name == name for template in used(host, own)):
        return named(host, name, own).path.read_text(encoding="utf-8")
    marks = DIALECTS[name.partition("/")[0]].delimiters
    remark = [f"Rule {check.code}: {check.title}.", *([f"Never: {check.forbids}"] if check.forbids else [])]
    line = marks.get("line_comment_prefix")
    note = f"{line} {' '.join(remark)}" if line else f"{{# {' '.join(remark)} #}}"
    before, after = marks.get("variable_start_string", "{{ "), marks.get("variable_end_string", " }}")
    return f"{note}\n{before}said{after}\n"


def _write(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise ReportError(f"{target} exists; it was left as it is", "remove it first, or give another folder") from None
    except OSError as error:
        raise ReportError(f"cannot write {target}: {error.strerror}") from None


def _sentences(path: Path, host: Host) -> Iterator[str]:
    """Every sentence of a run under its rule, and by name what fills it."""
    from dpo_report.core.analysis import analyse
    from dpo_report.core.loader import load

    analysis = analyse(load(path, host=host), host)
    for finding in analysis.findings:
        if finding.status == "found" and isinstance(finding.text, Text):
            yield f"{finding.code}: {finding.text.plain(analysis.works)}"
            yield from (f"    {name}: {slot}" for name, slot in finding.text.slots.items())
