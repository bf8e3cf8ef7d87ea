"""What ``dpo-report inspect`` shows of one run: the verdict, the findings, the numbers and the files, on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dpo_report.core import numbers
from dpo_report.core.model import Analysis, Finding, Value
from dpo_report.core.outline import Outline
from dpo_report.core.terminal import printable
from dpo_report.core.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dpo_report.core.manager import Host

_MARKS = {"warning": ("!!", "bold red"), "caution": ("! ", "yellow"), "good": ("+ ", "green"), "info": ("  ", "")}
"""Sign and colour by severity; the sign alone is enough."""
_WORTH_A_COLUMN = 40
"""The narrowest column of sentences that still tells something."""
_NARROWEST = 20
"""The narrowest column that is shown all the same."""


def view(analysis: Analysis, host: Host, everything: bool = False, place: str = "") -> list[RenderableType]:
    """What is printed, top to bottom; ``place`` is how the run was called, where that is no folder."""
    from rich.text import Text as Styled

    parts: list[RenderableType] = [Styled(headline(analysis), style="bold")]
    ladder = [v for v in analysis.verdicts if not v.patterns]
    top = [v for v in ladder if v.allowed]
    said = f"It supports claim level {analysis.level} of 5: {top[-1].text}" if top else "It supports no claim."
    if analysis.unjudged:
        said = printable(Outline(analysis).claim)
    parts += [Styled(said), Styled("")]
    parts.append(_findings(analysis, everything))
    more = sum(f.status == "found" and not _urgent(f) for f in analysis.findings)
    if more and not everything:
        parts.append(Styled(f"   and {numbers.plural(more, 'plain remark')} (--all)", style="dim"))
    parts.append(Styled(""))
    if analysis.values:
        parts += [_values(analysis, host, everything), Styled("")]
    parts += [_files(analysis) if everything else _file_roles(analysis)]
    open_questions = len(Outline(analysis).open)
    where = printable(place or analysis.run.directory)
    parts += [
        Styled(""),
        Styled(f"{numbers.plural(open_questions, 'question')} only you can answer; the report marks them."),
        Styled(f"Next: dpo-report build {where}   (or: dpo-report explain NAME {where})", style="bold"),
    ]
    return parts


def headline(analysis: Analysis) -> str:
    """``kg-8pairs · dpo (trl.DPOTrainer) · completed, 4 of 4 steps``; how sure a method is that nothing names."""
    run = analysis.run
    method = run.method or "unknown method"
    sure = f"{run.method_sure:.0%} sure" if run.method and run.method_sure < 1 else ""
    more = ", ".join(filter(None, (run.trainer, sure)))
    trainer = f"{method} ({more})" if more else method
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
    found = [f for f in analysis.findings if f.status == "found" and (everything or _urgent(f))]
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


def _urgent(finding: Finding) -> bool:
    """Whether it belongs on the one screen: no mere description, and no open question, which are counted below."""
    asks = isinstance(finding.text, Text) and finding.text.asks and not finding.evidence
    return finding.severity != "info" and not asks


def _values(analysis: Analysis, host: Host, everything: bool) -> RenderableType:
    """Every value with its remark; on the one screen a line for each metric's main value and what it means."""
    from rich.table import Table
    from rich.text import Text as Styled

    meanings = {provided.item.name: provided.item.meaning.replace("`", "") for provided in host.metrics}
    rows, last = [], ""
    for value in analysis.values.values() if everything else _headlines(analysis):
        meaning = meanings.get(value.metric, "").split(". ")[0] if value.metric != last else ""
        last = value.metric
        interval = numbers.display_interval(value, table=True)
        remark = "; ".join(part for part in (value.note, meaning) if part) if everything else meaning
        number = numbers.display(value, table=True) + (f" {interval}" if interval else "")
        rows.append((printable(value.label), printable(number), printable(remark)))
    widest = max(len(row[1]) for row in rows)
    label = min(max(len(row[0]) for row in rows), 40)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("number", min_width=label, max_width=label)
    table.add_column("value", justify="right", no_wrap=True, min_width=widest)
    room = _room_beside(label + widest)
    told = everything or room >= _WORTH_A_COLUMN
    if told:
        table.add_column("what it means", style="dim", **_last_column(room, everything))
    for row in rows:
        table.add_row(*map(Styled, row if told else row[:2]))
    return table


def _room_beside(taken: int) -> int:
    """The columns of a terminal's line that are left beside those taken, the gaps between them counted."""
    from rich.console import Console

    return Console().width - taken - 6


def _last_column(room: int, wrapped: bool) -> dict[str, Any]:
    """A last column; a text that does not fit is cut, so that a number takes one line."""
    return {"max_width": max(_NARROWEST, room), "no_wrap": not wrapped, "overflow": "ellipsis"}


def _headlines(analysis: Analysis) -> list[Value]:
    """One value for each metric: the one that it is named after, else a last one, else its first."""
    main: dict[str, Value] = {}
    for value in analysis.values.values():
        told = main.get(value.metric)
        if told is None or value.name == value.metric or (told.name != value.metric and value.name.endswith(".last")):
            main[value.metric] = value
    return list(main.values())


def _file_roles(analysis: Analysis) -> RenderableType:
    """The files made, by role: how many, how large, and the names of some."""
    from rich.table import Table
    from rich.text import Text as Styled

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("files made", no_wrap=True, min_width=10)
    table.add_column("number", justify="right", no_wrap=True, min_width=6)
    table.add_column("bytes", justify="right", no_wrap=True, min_width=11)
    table.add_column("which (--all tells what each is for)", style="dim", **_last_column(_room_beside(34), False))
    for role in dict.fromkeys(file.role for file in analysis.run.files):
        mine = [file for file in analysis.run.files if file.role == role]
        names = ", ".join(dict.fromkeys(file.path.rpartition("/")[2] for file in mine))
        table.add_row(
            Styled(printable(role)),
            Styled(numbers.count(len(mine))),
            Styled(numbers.count(sum(file.bytes for file in mine))),
            Styled(printable(names)),
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
