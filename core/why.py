"""``inspect --why``: which readers looked, how sure each was, which file gave which curve, and what was left aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dpo_report.core.agreement import agree, shared
from dpo_report.core.contract import Match
from dpo_report.core.grouping import Group
from dpo_report.core.loader import load_all
from dpo_report.core.manager import Host
from dpo_report.core.model import Problem, Run, Series, Witness
from dpo_report.core.terminal import columns

_FILES = 4


@dataclass(slots=True)
class Trace:
    """What happened on the way from a folder to its runs."""

    asked: list[tuple[str, str, Match | Problem | None]] = field(default_factory=list)
    """Name and title of each reader, and its answer."""
    groups: list[Group] = field(default_factory=list)
    """The witnesses by run."""


def account(path: Path | str, host: Host, with_files: Sequence[Path | str] = ()) -> str:
    """The whole story as text.

    Raises:
        ReportError: nothing there tells of a run.
    """
    trace = Trace()
    runs = load_all(path, host, with_files, trace)
    parts = ["readers, the surest first\n" + _readers(trace)]
    parts += [_run(run, group) for run, group in zip(runs, trace.groups, strict=False)]
    return "\n\n".join(parts) + "\n"


def _readers(trace: Trace) -> str:
    rows = []
    knows = [one for one in trace.asked if isinstance(one[2], Match) and one[2].sure > 0]
    for name, title, match in sorted(knows, key=lambda one: -one[2].sure if isinstance(one[2], Match) else 0):
        if isinstance(match, Match):
            rows.append((f"  {name}", f"{match.sure:.0%}", f"{title or name}: {match.why}"))
    failed = [(f"  {name}", "failed", answer.message) for name, _, answer in trace.asked if isinstance(answer, Problem)]
    others = [
        name for name, _, answer in trace.asked if answer is None or (isinstance(answer, Match) and not answer.sure)
    ]
    told = columns([*rows, *failed]) if rows or failed else "  none knows it"
    return told + (f"\n  looked and knew nothing here: {', '.join(others)}" if others else "")


def _run(run: Run, group: Group) -> str:
    lines = [f"run {run.name}"]
    for witness in run.witnesses:
        steps = "" if witness.global_step is None else f", step {witness.global_step:,}"
        told = f"{len(witness.series)} series, {len(witness.settings)} settings, {len(witness.summary)} closing values"
        files = ", ".join(witness.files[:_FILES]) + (
            f" and {len(witness.files) - _FILES} more" if len(witness.files) > _FILES else ""
        )
        lines.append(f"  {witness.reader}: {told}{steps}, {witness.status} ({files})")
    for (folder, identity), why in group.joined:
        lines.append(f"  joined: {'/'.join(filter(None, (folder, identity))) or '.'}, because {why}")
    lines.append(f"  method: {_method(run)}")
    lines += [f"    but {one.reader}: {_method(one)}" for one in run.witnesses if one.method not in (None, run.method)]
    if run.series:
        lines += ["", "series", columns([("  split", "name", "points", "from", "also in"), *_series(run)])]
    if run.problems:
        lines += ["", "left aside or contradictory"]
        lines += [f"  {problem.where}: {problem.message}" for problem in run.problems]
    return "\n".join(lines)


def _method(told: Run | Witness) -> str:
    """The method, how sure it is, and why."""
    if not told.method:
        return "not told"
    return f"{told.method}, {told.method_sure:.0%} sure" + (f", since {told.method_why}" if told.method_why else "")


def _series(run: Run) -> Iterator[tuple[str, str, str, str, str]]:
    for one in run.series.values():
        used: dict[str, int] = {}
        for source, count in one.origins.items():
            used[source.file] = used.get(source.file, 0) + count
        given = ", ".join(file if len(used) == 1 else f"{file} ({count:,})" for file, count in used.items())
        yield f"  {one.split}", one.name, f"{len(one):,}", given, "; ".join(_also(run, one, set(used)))


def _also(run: Run, series: Series, used: set[str]) -> Iterator[str]:
    """Other files that have the series, and whether they agree."""
    for witness in run.witnesses:
        for other in witness.series:
            files = {source.file for source in other.sources}
            if (other.name, other.split) != (series.name, series.split) or files & used:
                continue
            mine, theirs = shared(series, other)
            same = int(agree(series.values[mine], other.values[theirs]).sum())
            file = other.sources[0].file
            yield f"{file} ({'agrees' if same == len(mine) else f'{len(mine) - same:,} of {len(mine):,} differ'})"
