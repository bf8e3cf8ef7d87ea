"""What ``dpo-report check`` does: reads, judges, tells; gives the exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dpo_report.core.analysis import analyse
from dpo_report.core.cli import tell
from dpo_report.core.errors import ReportError
from dpo_report.core.facts import elsewhere
from dpo_report.core.loader import load
from dpo_report.core.manager import Host
from dpo_report.core.model import Analysis
from dpo_report.core.siblings import with_siblings
from dpo_report.plugins.paper import output, sources
from dpo_report.plugins.paper.check import check
from dpo_report.plugins.paper.known import prefixes


def check_paper(args: argparse.Namespace) -> int:
    """0 where nothing falls short, 1 where something does, 2 where paper or run could not be read."""
    try:
        paper = sources.read(args.paper)
        analyses = analysed(args.runs, Host(files=args.plugin, disabled=args.no_plugin), args.answers)
    except ReportError as error:
        swapped = any(path.suffix.lower() in (".tex", ".md") for path in args.runs)
        tell(error.message, "PAPER comes first, the runs after it" if swapped else error.hint)
        return 2
    outcome = check(paper, analyses, prefixes([path.resolve().name for path in args.runs]))
    for note in outcome.notes:
        tell(note)
    if args.format == "json":
        sys.stdout.write(output.as_json(outcome))
    elif args.format == "sarif":
        sys.stdout.write(output.as_sarif(outcome))
    else:
        sys.stdout.write(output.text(outcome, args.quiet))
    return 1 if outcome.faults else 0


def analysed(paths: Sequence[Path], host: Host, answers: Path | None = None) -> list[Analysis]:
    """What may be said of each run beside the others, with the answers of a file.

    Raises:
        ReportError: a run cannot be read, or no rule could be applied, so that no sentence can be judged.
    """
    told = elsewhere(answers) if answers else (lambda run: run)
    analyses = [analyse(run, host) for run in with_siblings([told(load(path, host=host)) for path in paths])]
    if analyses and analyses[0].unjudged:
        why = analyses[0].unjudged
        raise ReportError(f"the rules could not be applied ({why})", "without them no paper is checked")
    return analyses
