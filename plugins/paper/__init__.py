"""``dpo-report check``: the numbers and sentences of a paper against the run that they speak of."""

from __future__ import annotations

import argparse
from pathlib import Path

from dpo_report.core.arguments import add_answers
from dpo_report.core.contract import Command
from dpo_report.core.hookspecs import hookimpl

_EXAMPLES = """\
examples:
  dpo-report check paper.tex outputs/dpo        what no longer matches, and what the run does not carry
  dpo-report check paper/ runs/a runs/b         a folder of .tex and .md files that speaks of two runs
  dpo-report check -q paper.tex outputs/dpo     nothing where nothing is wrong, for make and latexmk
  dpo-report check paper.md outputs/dpo --format sarif > check.sarif

A number is known by its macro (\\DpoLossTrainMean), by a remark on its line (% dpo: loss.train.mean, in
Markdown <!-- dpo: ... -->), or by its value and the words around it. `dpo: ignore` leaves a line out.

exit status: 0 nothing falls short, 1 something does, 2 the paper or a run could not be read.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The words of the command line."""
    parser.epilog = _EXAMPLES
    parser.add_argument("paper", type=Path, metavar="PAPER", help="a .tex or .md file, or a folder of them")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="every run that the paper speaks of")
    parser.add_argument(
        "-f", "--format", choices=("text", "json", "sarif"), default="text", help="what to write on stdout (text)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing unless something is wrong")
    add_answers(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; what it needs is imported now."""
    from dpo_report.plugins.paper.command import check_paper

    return check_paper(args)


@hookimpl
def register_commands() -> tuple[Command, ...]:
    """``check``"""
    return (Command("check", "compare a paper's numbers and sentences with the run", configure, run),)
