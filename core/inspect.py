"""``dpo-report inspect``: the verdict on a run, its findings, numbers and files, in one look at the terminal."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from shlex import quote
from typing import TYPE_CHECKING

from dpo_report.core.many import Where
from dpo_report.core.model import Analysis
from dpo_report.core.terminal import printable
from dpo_report.core.unreached import without_password

if TYPE_CHECKING:
    from dpo_report.core.manager import Host


def run(args: argparse.Namespace, host: Host) -> int:
    """Load, analyse and print; with ``--json`` the record of report.json."""
    from dpo_report.core.listing import hint, spread_over, survey
    from dpo_report.core.listtext import as_json, text
    from dpo_report.core.loader import one_of

    if args.why:
        from dpo_report.core.why import account

        sys.stdout.write(account(args.run, host, args.with_files))
        return 0
    where = Where(args.backend, args.scheduler, args.jobs)
    found = survey(args.run, host, args.with_files, partial(spread_over, host=host, where=where))
    if found.listed:
        told = as_json(found.listed) if args.json else f"{text(found.listed)}\n"
        sys.stdout.write(told)
        if not args.json:
            sys.stderr.write(printable(hint(args.run, found.listed)) + "\n")
            for one in found.listed:
                if one.goes_on_with:
                    first, then = (quote(f"{args.run}/{path}") for path in (one.goes_on_with, one.file))
                    together = f"dpo-report build {first} --with {then}"
                    sys.stderr.write(
                        printable(f"to report {one.goes_on_with} and {one.path} as one: {together}") + "\n"
                    )
        return 0
    from dpo_report.core.analysis import analyse
    from dpo_report.core.facts import elsewhere

    chosen = one_of(found.runs, args.run, found.root)
    analysis = analyse(elsewhere(args.answers)(chosen) if args.answers else chosen, host)
    if args.json:
        from dpo_report import __version__
        from dpo_report.core import export

        sys.stdout.write(export.dumps(export.report((analysis,), __version__)).decode())
        return 0
    from rich.console import Console

    from dpo_report.core.overview import view

    console = Console(highlight=False, soft_wrap=False)
    blind = not (chosen.series or chosen.summary)  # what could not be read is then the first thing to know
    if blind:
        _tell_problems(analysis)
    for part in view(analysis, host, args.all, without_password(args.run) if isinstance(args.run, str) else ""):
        console.print(part)
    if not blind:
        _tell_problems(analysis)
    if any(run.directory != chosen.directory for run in found.runs):
        each = f"dpo-report build {quote(without_password(args.run))} --all -o DIR"
        sys.stderr.write(printable(f"to report this run and each below it: {each}") + "\n")
    return 0


def _tell_problems(analysis: Analysis) -> None:
    from rich.console import Console
    from rich.text import Text as Styled

    stderr = Console(stderr=True, highlight=False)
    for problem in analysis.problems:
        hint = f" ({problem.hint})" if problem.hint else ""
        stderr.print(Styled(printable(f"problem: {problem.where}: {problem.message}{hint}"), style="yellow"))
