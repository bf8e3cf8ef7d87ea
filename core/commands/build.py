"""``dpo-report build``: writes the reports and says what was wrong on the way."""

from __future__ import annotations

import argparse
import sys
from shlex import quote
from typing import TYPE_CHECKING

from dpo_report.core import numbers
from dpo_report.core.cli import tell
from dpo_report.core.errors import ReportError
from dpo_report.core.facts import elsewhere
from dpo_report.core.outline import Outline
from dpo_report.core.remote import is_url
from dpo_report.core.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dpo_report.core.manager import Host
    from dpo_report.core.model import Report


def run(args: argparse.Namespace, host: Host) -> int:
    """Build, then tell every problem once on stderr and every folder on stdout."""
    if args.all:
        from dpo_report.core.commands import all_runs

        return all_runs.run(args, host)
    reports = _built(args, host)
    analyses = [analysis for report in reports for analysis in report.analyses]
    for problem in dict.fromkeys(problem for analysis in analyses for problem in analysis.problems):
        tell(f"{problem.where}: {problem.message}", problem.hint)
    if not args.quiet:
        for place, report in zip(args.runs, reports, strict=True):
            sys.stdout.write(printable(_summary(place, report, args.format, host)) + "\n")
    return 0


def _summary(place: str | Path, report: Report, formats: Sequence[str], host: Host) -> str:
    """What to open, and what is left to answer: ``outputs/dpo/report/report.tex (18 files); 7 questions open: ...``."""
    chosen = [host.format(name).item for name in formats]
    mains = dict.fromkeys(item.main or f"report{item.suffix}" for item in chosen)
    there = [name for name in mains if report.directory / name in report.files]
    said = f"{report.directory / ', '.join(there)} ({len(report.files)} files)"
    if count := sum(len(Outline(analysis).open) for analysis in report.analyses):
        said += f"; {numbers.plural(count, 'question')} open"
        said += "" if is_url(place) else f": dpo-report ask {quote(str(place))}"
    return said


def options(args: argparse.Namespace) -> dict[str, str]:
    """What is asked of single formats and of sections."""
    asked = {"pdf-engine": args.pdf_engine, "section": ",".join(args.section)}
    return {name: told for name, told in asked.items() if told}


def _built(args: argparse.Namespace, host: Host) -> Sequence[Report]:
    from dpo_report.core.build import build_runs
    from dpo_report.core.listing import refuse_parent

    if args.with_files and len(args.runs) > 1:
        raise ReportError("--with tells of one run, and several were given", "build them one by one")
    for place in args.runs:
        refuse_parent(place, host)
    return build_runs(
        args.runs,
        formats=args.format,
        out=args.output,
        host=host,
        strict=args.strict,
        template_dirs=args.template_dir,
        style=args.style,
        options=options(args),
        in_place=args.in_place,
        with_files=args.with_files,
        seen=elsewhere(args.answers) if args.answers else None,
    )
