"""``dpo-report templates``: which templates a report is written with, where each lies, and copies to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

from dpo_report.core.contract import Command
from dpo_report.core.hookspecs import hookimpl

_EXAMPLES = """\
examples:
  dpo-report templates                                  every template and where it lies
  dpo-report templates --template-dir mine              with your own folder, as `build` would search it
  dpo-report templates --copy latex/discussion.tex mine a copy to change: mine/latex/discussion.tex
  dpo-report templates --copy latex/wording/C2.tex mine to say rule C2 in other words
  dpo-report templates --sentences outputs/dpo          the sentences of a run by rule, and what fills them
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The words of the command line."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "--template-dir",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="templates of your own, searched first; may be given several times",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--copy", nargs=2, metavar=("NAME", "DIR"), help="copy one into a folder of yours")
    what.add_argument("--sentences", type=Path, metavar="RUN", help="what the rules say of a run, to be worded anew")


def run(args: argparse.Namespace) -> int:
    """Do it; what it needs is imported now."""
    from dpo_report.plugins.templating.command import templates

    return templates(args)


@hookimpl
def register_commands() -> tuple[Command, ...]:
    """``templates``"""
    return (Command("templates", "list the templates and where each lies; copy one to change it", configure, run),)
