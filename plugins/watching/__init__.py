"""``dpo-report watch``: keeps the report of a run up to date while it trains."""

from __future__ import annotations

import argparse
from pathlib import Path

from dpo_report.core.contract import Command
from dpo_report.core.hookspecs import hookimpl

_EXAMPLES = """\
examples:
  dpo-report watch outputs/dpo                  outputs/dpo/report-live/report.html, anew whenever something was logged
  dpo-report watch outputs/dpo -f markdown -o live --every 10

It may be started before the run is. Of logs only what is new is read. While files change, the report calls the run
"running"; once nothing changed for an hour (--patience), what its files tell of its end.
A report that `build` made in RUN/report is left alone.
It stops when the run has taken all its steps, or told its end, and its files have come to rest; after that hour; or
with Ctrl-C (status 130). The last good report stays in any case.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The words of the command line."""
    parser.epilog = _EXAMPLES
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder or a log file; it may still be to come")
    parser.add_argument("-f", "--format", metavar="NAME[,NAME]", help="formats to write (html)")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder to write (RUN/report-live)")
    parser.add_argument(
        "--template-dir", type=Path, action="append", default=[], metavar="DIR", help="templates of your own"
    )
    parser.add_argument("--every", type=seconds, default=2.0, metavar="SECONDS", help="how often to look (2)")
    parser.add_argument(
        "--patience", type=seconds, default=60.0, metavar="MINUTES", help="stop when nothing changed for so long (60)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing unless something is wrong")


def seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise ValueError
    return value


def run(args: argparse.Namespace) -> int:
    """Do it; what it needs is imported now."""
    from dpo_report.plugins.watching.watch import watch

    return watch(args)


@hookimpl
def register_commands() -> tuple[Command, ...]:
    """``watch``"""
    return (Command("watch", "keep the report of a run up to date while it trains", configure, run),)
