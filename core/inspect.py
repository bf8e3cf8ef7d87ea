"""``dpo-report inspect``: the verdict on a run, its findings, numbers and files, in one look at the terminal."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING

from dpo_report.core import numbers
from dpo_report.core.collector import without_collector
from dpo_report.core.many import Where
from dpo_report.core.model import Analysis, Finding
from dpo_report.core.outline import Outline
from dpo_report.core.terminal import printable
from dpo_report.core.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dpo_report.core.manager import Host

_MARKS = {"warning": ("!!", "bold red"), "caution": ("! ", "yellow"), "good": ("+ ", "green"), "info": ("  ", "")}
"""Sign and colour by severity; the sign alone is enough."""


def run(args: argparse.Namespace, host: Host) -> int:
    """Load, analyse and print; with ``--json`` the record of report.json."""
    from dpo_report.core.analysis import analyse
    from dpo_report.core.listing import as_json, spread_over, survey, text
    from dpo_report.core.loader import offer, one_of

    if args.why:
        from dpo_report.core.why import account

        sys.stdout.write(account(args.run, host, args.with_files))
        return 0
    where = Where(args.backend, args.scheduler, args.jobs)
    with without_collector():
        found = survey(args.run, host, args.with_files, partial(spread_over, host=host, where=where))
    if found.listed:
        told = as_json(found.listed) if args.json else f"{text(found.listed)}\n"
        sys.stdout.write(told)
        if not args.json:
            sys.stderr.write(printable(offer(args.run, found.listed[0].path)) + "\n")
        return 0
    analysis = analyse(one_of(found.runs, args.run, found.root), host)
    if args.json:
        from dpo_report import __version__
        from dpo_report.core import export

        sys.stdout.write(export.dumps(export.report((analysis,), __version__)).decode())
        return 0
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False)
    for part in view(analysis, host, args.all, args.run if isinstance(args.run, str) else ""):
        console.print(part)
    _tell_problems(analysis)
    return 0


def view(analysis: Analysis, host: Host, everything: bool = False, place: str = "") -> list[RenderableType]:
    """What is printed, top to bottom; ``place`` is how the run was called, where that is no folder."""
    from rich.text import Text as Styled

    parts: list[RenderableType] = [Styled(headline(analysis), style="bold")]
    ladder = [v for v in analysis.verdicts if not v.patterns]
    top = [v for v in ladder if v.allowed]
    said = f"It supports claim level {analysis.level} of 5: {top[-1].text}" if top else "It supports no claim."
    parts += [Styled(said), Styled("")]
    parts.append(_findings(analysis, everything))
    plain = sum(f.status == "found" and f.severity == "info" for f in analysis.findings)
    if plain and not everything:
        parts.append(Styled(f"   and {numbers.plural(plain, 'plain remark')} (--all)", style="dim"))
    parts.append(Styled(""))
    if analysis.values:
        parts += [_values(analysis, host), Styled("")]
    parts += [_files(analysis)]
    open_questions = len(Outline(analysis).open)
    where = printable(place or analysis.run.directory)
    parts += [
        Styled(""),
        Styled(f"{numbers.plural(open_questions, 'question')} only you can answer; the report marks them."),
        Styled(f"Next: dpo-report build {where}   (or: dpo-report explain NAME {where})", style="bold"),
    ]
    return parts


def headline(analysis: Analysis) -> str:
    """``kg-8pairs · dpo (trl.DPOTrainer) · completed, 4 of 4 steps``."""
    run = analysis.run
    method = run.method or "unknown method"
    trainer = f"{method} ({run.trainer})" if run.trainer else method
    steps = f", {run.global_step:,} of {run.max_steps:,} steps" if run.global_step and run.max_steps else ""
    return printable(f"{run.name} · {trainer} · {run.status}{steps}")


def spoken(finding: Finding, analysis: Analysis) -> str:
    """The finding's sentence as plain words."""
    text = finding.text
    return printable(text.plain(analysis.works) if isinstance(text, Text) else text)


def _findings(analysis: Analysis, everything: bool) -> RenderableType:
    from rich.table import Table
    from rich.text import Text as Styled

    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    found = [f for f in analysis.findings if f.status == "found" and (everything or f.severity != "info")]
    order = list(_MARKS)
    for finding in sorted(found, key=lambda f: (order.index(f.severity), f.order)):
        sign, style = _MARKS[finding.severity]
        table.add_row(
            Styled(sign, style=style),
            Styled(finding.severity if finding.severity != "info" else "", style=style),
            Styled(printable(finding.code), style="dim"),
            Styled(spoken(finding, analysis)),
        )
    return table


def _values(analysis: Analysis, host: Host) -> RenderableType:
    from rich.table import Table
    from rich.text import Text as Styled

    meanings = {provided.item.name: provided.item.meaning for provided in host.metrics}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("number", no_wrap=False)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("what it means", style="dim")
    last = ""
    for value in analysis.values.values():
        first = value.metric != last
        last = value.metric
        meaning = meanings.get(value.metric, "").split(". ")[0] if first else ""
        interval = numbers.display_interval(value, table=True)
        remark = "; ".join(part for part in (value.note, meaning) if part)
        table.add_row(
            Styled(printable(value.label)),
            Styled(printable(numbers.display(value, table=True) + (f" {interval}" if interval else ""))),
            Styled(printable(remark)),
        )
    return table


def _files(analysis: Analysis) -> RenderableType:
    from rich.table import Table
    from rich.text import Text as Styled

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("files made", no_wrap=True)
    table.add_column("bytes", justify="right", no_wrap=True)
    table.add_column("purpose", style="dim")
    for group in Outline(analysis).files:
        many = f" ({group.count})" if group.count > 1 else ""
        table.add_row(
            Styled(printable(group.path) + many), Styled(numbers.count(group.bytes)), Styled(printable(group.meaning))
        )
    return table


def _tell_problems(analysis: Analysis) -> None:
    from rich.console import Console
    from rich.text import Text as Styled

    stderr = Console(stderr=True, highlight=False)
    for problem in analysis.problems:
        hint = f" ({problem.hint})" if problem.hint else ""
        stderr.print(Styled(printable(f"problem: {problem.where}: {problem.message}{hint}"), style="yellow"))
