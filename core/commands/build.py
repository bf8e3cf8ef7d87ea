"""``dpo-report build``: writes the reports and says what was wrong on the way."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from dpo_report.core.cli import tell
from dpo_report.core.errors import ReportError
from dpo_report.core.facts import elsewhere
from dpo_report.core.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        for report in reports:
            sys.stdout.write(printable(f"{report.directory} ({len(report.files)} files)") + "\n")
    return 0


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
