"""``dpo-report new-plugin``: a package with one object of every kind and passing tests, to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

from dpo_report.core.contract import Command
from dpo_report.core.hookspecs import hookimpl

_EXAMPLES = """\
examples:
  dpo-report new-plugin edges                   writes the package dpo-report-edges into ./dpo-report-edges
  dpo-report new-plugin edges -o ../edges       elsewhere; the folder must be absent or empty

The package reads a file NAME.tsv beside a run and brings a metric, a curve, a rule, a section and a format.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The words of the command line."""
    parser.epilog = _EXAMPLES
    parser.add_argument("name", metavar="NAME", help="what the plugin is about, in one word: edges")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder to write (dpo-report-NAME)")


def run(args: argparse.Namespace) -> int:
    """Do it; what it needs is imported now."""
    from dpo_report.plugins.scaffold.package import new_plugin

    return new_plugin(args.name, args.output)


@hookimpl
def register_commands() -> tuple[Command, ...]:
    """``new-plugin``"""
    return (Command("new-plugin", "write a plugin package with passing tests, to start from", configure, run),)
