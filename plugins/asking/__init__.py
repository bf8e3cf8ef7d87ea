"""``dpo-report ask``: what only the author knows, asked in the terminal and kept beside the run."""

from __future__ import annotations

import argparse
from pathlib import Path

from dpo_report.core.contract import Command
from dpo_report.core.hookspecs import hookimpl

_EXAMPLES = """\
examples:
  dpo-report ask outputs/dpo                    one question at a time; Enter skips, q ends
  dpo-report ask outputs/dpo --again            also those that are answered, to change an answer
  dpo-report ask outputs/dpo --checklist acl    also the items of a checklist that the run does not settle
  dpo-report ask outputs/dpo --answers my.toml  kept there, for a run folder that cannot be written

Every answer is saved at once, in [answers] of RUN/dpo-report.toml; whatever else stands there stays. What this
machine suggests is marked [guess] and taken only where you type = for it.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The words of the command line."""
    parser.epilog = _EXAMPLES
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="where answers are kept (RUN/dpo-report.toml)")
    parser.add_argument(
        "--checklist",
        choices=("neurips", "acl"),
        help="also what a checklist leaves to the author; yes, no or NA first",
    )
    parser.add_argument("--again", action="store_true", help="ask also what is answered")


def run(args: argparse.Namespace) -> int:
    """Do it; what it needs is imported now."""
    from dpo_report.plugins.asking.dialogue import ask

    return ask(args)


@hookimpl
def register_commands() -> tuple[Command, ...]:
    """``ask``"""
    return (Command("ask", "answer the questions that only the author can answer", configure, run),)
