"""``build PARENT --all``: a report of every run below a folder, and a table of them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpo_report.core import collector, many, remote, target
from dpo_report.core.build import build_runs, unique
from dpo_report.core.cli import tell
from dpo_report.core.commands.build import options
from dpo_report.core.errors import ReportError
from dpo_report.core.listed import Listed
from dpo_report.core.listing import spread_over, survey
from dpo_report.core.listtext import are_called, differing
from dpo_report.core.loader import folder_of, load
from dpo_report.core.progress import progress
from dpo_report.core.siblings import bundled, told, unbundled
from dpo_report.core.terminal import printable

if TYPE_CHECKING:
    from dpo_report.core.manager import Host

INDEX = "README.md"
_OURS = "<!-- The reports of many runs, by dpo-report. -->"


@dataclass(frozen=True, slots=True)
class Order:
    """One report to be made, as it goes to a worker."""

    host: Host
    run: str
    formats: tuple[str, ...]
    out: str
    """The report's folder; empty for the one in the run's folder."""
    strict: bool
    templates: tuple[str, ...]
    style: str | None
    options: Mapping[str, str]
    in_place: bool
    bundle: bytes
    """What is told of all runs that are reported, this one among them; empty where it is the only one."""
    place: int
    """Its own place among those."""


@dataclass(frozen=True, slots=True)
class Made:
    """A report that stands."""

    directory: str
    files: int
    problems: tuple[tuple[str, str, str], ...]
    """Where, message and hint of each."""


def look(path: str, host: Host) -> bytes:
    """What the reports of other runs are told of one."""
    return told(load(path, host=host))


def make(order: Order) -> Made:
    """Build one report."""
    runs = unbundled(order.bundle) if order.bundle else ()
    beside = [run for place, run in enumerate(runs) if run is not None and place != order.place]
    (report,) = build_runs(
        [order.run],
        formats=order.formats,
        out=order.out or None,
        host=order.host,
        strict=order.strict,
        template_dirs=order.templates,
        style=order.style,
        options=order.options,
        in_place=order.in_place,
        beside=beside,
    )
    problems = report.analyses[0].problems
    return Made(str(report.directory), len(report.files), tuple((p.where, p.message, p.hint) for p in problems))


def run(args: argparse.Namespace, host: Host) -> int:
    """Build every report; 1 where one could not be made."""
    if len(args.runs) > 1:
        raise ReportError("--all takes one folder", "give the folder above the runs")
    if args.with_files:
        raise ReportError("--with tells of one run, --all of many", "give the run by its own path")
    if args.answers:
        raise ReportError("--answers is for runs that are named one by one", "name them in place of --all")
    _ = host.limits  # what is wrong with them is told once, before anything is made
    collector.resume()
    (parent,) = args.runs
    where = many.Where(args.backend, args.scheduler, args.jobs)
    found = survey(parent, host, (), partial(spread_over, host=host, where=where)).all
    skipped = [one for one in found if one.copy_of or one.failed]
    listed = [one for one in found if not one.copy_of and not one.failed]
    if remote.is_url(parent) and args.output is None:
        raise ReportError("a report of a run at a URL needs a folder here", "give one with -o")
    home = str(folder_of(parent)).rstrip("/")
    names = unique("-".join(one.path.split("/")) if one.path != "." else Path(home).name for one in listed)
    _check(args.output)
    places = [f"{home}/{one.path}" if one.path != "." else str(parent) for one in listed]
    with room(args.output):
        bundle = _bundle(places, host, where, args.quiet) if len(places) > 1 else b""
        orders = [
            Order(
                host,
                place,
                tuple(args.format),
                str(args.output / name) if args.output else "",
                args.strict,
                tuple(map(str, args.template_dir)),
                args.style,
                options(args),
                args.in_place,
                bundle,
                number,
            )
            for number, (place, name) in enumerate(zip(places, names, strict=True))
        ]
        for one in skipped:
            tell(f"{one.path}: " + (f"a copy of {one.copy_of}, left out" if one.copy_of else one.failed))
        results: dict[int, Made | many.Failure] = {}
        with progress(len(orders), args.quiet, "reported") as (advance, say):
            for place, result in many.each(make, orders, where):
                results[place] = result
                advance()
                if isinstance(result, many.Failure):
                    say(f"{listed[place].path}: {result.message}", error=True)
                elif not args.quiet:
                    problems = f", {len(result.problems)} problems" if result.problems else ""
                    say(f"{result.directory} ({result.files} files{problems})")
        if args.output:
            target.write_file(args.output / INDEX, index(listed, names, results).encode())
    failed = sum(isinstance(result, many.Failure) for result in results.values())
    if failed:
        hint = "the others were; their reports stand" if failed < len(orders) else ""
        tell(f"{failed} of {len(orders)} runs could not be reported", hint)
    return 1 if failed or any(one.failed for one in skipped) else 0


def _bundle(places: Sequence[str], host: Host, where: many.Where, quiet: bool) -> bytes:
    """Read every run once, for the reports of the others; what cannot be read fails again when its turn comes."""
    found: list[bytes | None] = [None] * len(places)
    with progress(len(places), quiet, "read") as (advance, _):
        for place, result in many.each(partial(look, host=host), places, where):
            found[place] = None if isinstance(result, many.Failure) else result
            advance()
    return bundled(found)


def _check(out: Path | None) -> None:
    """Whether the folder for the reports may be used.

    Raises:
        ReportError: it is a file, or its table would take the place of a foreign file.
    """
    if out is None:
        return
    if out.exists() and not out.is_dir():
        raise ReportError(f"{out} is a file; reports are folders", "give another folder with -o")
    table = out / INDEX
    if os.path.lexists(table) and not (table.is_file() and table.read_text(errors="replace").startswith(_OURS)):
        raise ReportError(f"{table} is not a table of dpo-report; nothing was written", "give another folder with -o")


@contextmanager
def room(out: Path | None) -> Iterator[None]:
    """Have the folder that the reports go into, if one was given; it goes again where nothing came into it.

    Raises:
        ReportError: the disk refuses.
    """
    fresh = out is not None and not out.exists()
    if out is not None:
        make_folder(out)
    try:
        yield
    except BaseException:
        if out is not None and fresh:
            with suppress(OSError):
                out.rmdir()
        raise


def make_folder(path: Path) -> None:
    """Have the folder that the reports go into.

    Raises:
        ReportError: the disk refuses.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(f"cannot make {path}: {error.strerror}", "give another folder with -o") from None


def index(listed: Sequence[Listed], names: Sequence[str], results: dict[int, Made | many.Failure]) -> str:
    """The table of the runs, as Markdown."""
    settings = differing(listed)[:4]
    called = are_called(listed)
    head = ("run", *["name"] * called, "method", "status", "steps", "last training loss", *settings, "report")
    lines = [_OURS, "", f"# {len(listed)} runs", "", _row(head), _row(["---"] * len(head))]
    for place, (one, name) in enumerate(zip(listed, names, strict=True)):
        result = results[place]
        link = f"[{name}]({name}/)" if isinstance(result, Made) else f"none: {_cell(result.message)}"
        steps = "?" if one.step is None else f"{one.step:,}" + (f" of {one.planned:,}" if one.planned else "")
        loss = "" if one.loss is None else f"{one.loss:.4g}"
        told = [_cell(one.settings[key]) if key in one.settings else "" for key in settings]
        run = [_cell(one.path), *[_cell(one.name)] * called]
        lines.append(_row([*run, one.method or "?", one.status, steps, loss, *told, link]))
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    """A text that ends no cell and makes no markup."""
    plain = printable(value)[:120].replace("\\", "\\\\")
    for mark in "|<>[]*_`":
        plain = plain.replace(mark, f"\\{mark}")
    return plain
