"""The command line's words: which commands there are, what each takes, and an example of each."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from dpo_report import __version__
from dpo_report.core.terminal import printable

COMMANDS = {
    "build": "write the report of one run, or of several",
    "inspect": "show in the terminal what a run's numbers mean",
    "explain": "explain a metric, a rule or a file",
    "plugins": "list what is installed and what it declares",
}
"""The tool's own commands, each with its line of help. Plugins may add others, but not of these names."""

_RUN = "a run folder, a checkpoint or a log file, or its URL"
_ABOUT = "From a training run directory to the paper section that the run supports."
_EXAMPLES = {
    "": """\
examples:
  dpo-report build outputs/dpo                  writes outputs/dpo/report/report.tex
  dpo-report inspect outputs/dpo                the same knowledge, in the terminal
  dpo-report ask outputs/dpo                    the questions that only you can answer
  dpo-report check paper.tex outputs/dpo        what in the paper the run does not carry
  dpo-report COMMAND --help                     what a command takes
""",
    "build": """\
examples:
  dpo-report build outputs/dpo                  LaTeX into outputs/dpo/report
  dpo-report build outputs/dpo -f latex,markdown -o paper/report
  dpo-report build runs/a runs/b -o reports     one report each: reports/a, reports/b
  dpo-report build sweep --all -o reports       one for each run below sweep, and a table of them
  dpo-report build s3://bucket/run -o report    only the files that are read are fetched

A report of ours in the folder is replaced, other files beside it stay; an empty folder is used, any other refused.
""",
    "inspect": """\
examples:
  dpo-report inspect outputs/dpo
  dpo-report inspect outputs/dpo --json > run.json
  dpo-report inspect outputs/dpo --why          which reader looked, and which file gave what
  dpo-report inspect sweep                      lists the runs below, and what distinguishes them
""",
    "explain": """\
examples:
  dpo-report explain train_loss                 what it means, and what it does not
  dpo-report explain train_loss outputs/dpo     also its value there, and where every part of it stands
  dpo-report explain C2                         a rule
  dpo-report explain training_args.bin          a file
  dpo-report explain --all                      every name that can be explained
""",
    "plugins": """\
examples:
  dpo-report plugins
  dpo-report plugins --all                      with the name of every object
  dpo-report plugins --json --plugin my.py      for programs, and with a local file
""",
}


class _Parser(argparse.ArgumentParser):
    """Ends a mistake with what to do about it."""

    def error(self, message: str) -> NoReturn:
        """One line of it and one of advice; status 2."""
        here = "RUN may be . (the folder that you are in); " if re.search(r"required: .*\bRUN$", message) else ""
        self.exit(2, f"{self.prog}: {printable(message)}\n  {here}`{self.prog} --help` has examples\n")


def meant(word: str, commands: Iterable[str]) -> str:
    """What to type in place of a command that there is not."""
    from dpo_report.core.host.candidates import resembling

    if "://" in word or Path(word).exists():
        return f"for a run: dpo-report inspect {shlex.quote(word)}, or dpo-report build {shlex.quote(word)}"
    return resembling(word, commands) or "`dpo-report --help` lists the commands"


def untaken(strange: Sequence[str], words: Sequence[str], command: argparse.ArgumentParser) -> str:
    """Words that a command does not take, and what may have been meant by the first of them."""
    first = strange[0]
    told = f"it does not take {' '.join(strange)}"
    before = words[max(words.index(first) - 2, 0)] if first in words else ""
    if before in {"-f", "--format", "--section"}:
        value = words[words.index(first) - 1]
        return f"{told}; names are joined by commas: {before} {value},{first}"
    from dpo_report.core.host.candidates import resembling

    close = resembling(first.split("=")[0], re.findall(r"--[a-z-]+", command.format_help()))
    return f"{told}; {close}" if first.startswith("-") and close else told


def switches(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The plugin options, wherever they stand on the command line, and what remains without them.

    They decide which commands exist, so they are read before the rest can be understood. A mistake in them is
    left for the whole parser to tell.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    add_switches(parser)
    try:
        return parser.parse_known_args(argv)
    except argparse.ArgumentError:
        return parser.parse_known_args([])[0], argv


def add_switches(parser: argparse.ArgumentParser) -> None:
    """The options that every command has."""
    group = parser.add_argument_group("plugins")
    group.add_argument(
        "--plugin", type=Path, action="append", default=[], metavar="FILE", help="load a local plugin file"
    )
    group.add_argument(
        "--no-plugin",
        action="append",
        default=[],
        metavar="NAME",
        help="leave a plugin out; all: every installed one",
    )
    group.add_argument("--strict", action="store_true", help="a broken plugin is an error, not a remark")


def parser_for(
    extra: Mapping[str, str],
) -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """The whole parser, and those of its commands by name; ``extra`` are the plugins' commands."""
    parser = _Parser(
        "dpo-report",
        description=_ABOUT,
        epilog=_EXAMPLES[""],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"dpo-report {__version__}")
    add_switches(parser)
    group = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", required=True)
    commands = {
        name: group.add_parser(
            name,
            help=about.replace("%", "%%"),
            description=f"{about[:1].upper()}{about[1:]}.".replace("%", "%%"),
            epilog=_EXAMPLES.get(name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            conflict_handler="resolve",  # a plugin's command may have an option named like one of ours
        )
        for name, about in (*COMMANDS.items(), *extra.items())
    }
    _build(commands["build"])
    _inspect(commands["inspect"])
    _explain(commands["explain"])
    _plugins(commands["plugins"])
    for command in commands.values():
        add_switches(command)
    return parser, commands


def _build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", type=place, metavar="RUN", help=_RUN)
    parser.add_argument("--all", action="store_true", help="RUN is a folder of several runs: a report of each")
    parser.add_argument(
        "-f",
        "--format",
        type=_names,
        default=("latex",),
        metavar="NAME[,NAME]",
        help="formats to write (latex); `dpo-report plugins --all` lists them",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder to write (RUN/report)")
    parser.add_argument(
        "--template-dir",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="templates of your own, searched first; may be given several times",
    )
    parser.add_argument(
        "--style", metavar="NAME", help="measures of the paper: plain, neurips, iclr, icml, acl or ieee"
    )
    parser.add_argument(
        "--section",
        type=_names,
        default=(),
        metavar="NAME[,NAME]",
        help="sections that stand only where they are asked for; `dpo-report plugins --all` lists them",
    )
    parser.add_argument(
        "--pdf-engine", choices=("typst", "latex"), help="what sets PDF: built in (typst), or the TeX installed here"
    )
    parser.add_argument(
        "--in-place", action="store_true", help="also merge the model card into the run's own README.md"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing unless something is wrong")
    _with(parser)
    add_answers(parser)
    _workers(parser)


def _inspect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=place, metavar="RUN", help=f"{_RUN}; a folder of several runs is listed")
    parser.add_argument("--json", action="store_true", help="as report.json has it")
    parser.add_argument("--all", action="store_true", help="also the remarks that only describe")
    parser.add_argument("--why", action="store_true", help="which reader looked, and which file gave what")
    _with(parser)
    add_answers(parser)
    _workers(parser)


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="a metric, a rule or a file")
    parser.add_argument("run", nargs="?", type=place, metavar="RUN", help="the run whose value is explained")
    parser.add_argument("--all", action="store_true", help="list every name that can be explained")


def _plugins(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="everything, for programs")
    parser.add_argument("--all", action="store_true", help="also the hooks and the name of every object")


def _with(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--with",
        dest="with_files",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a file outside the folder that belongs to the run; may be given several times",
    )


def add_answers(parser: argparse.ArgumentParser) -> None:
    """``--answers``, which several commands take."""
    parser.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="a file with [answers] and [facts]; it is only read, and goes before the run's own dpo-report.toml",
    )


def _workers(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("many runs")
    group.add_argument("-j", "--jobs", type=_count, default=0, metavar="N", help="processes (one a core)")
    group.add_argument(
        "--backend", choices=("loky", "dask", "ray"), default="loky", help="where they run (loky: this machine)"
    )
    group.add_argument("--scheduler", default="", metavar="ADDRESS", help="of the Dask or Ray cluster")


def place(text: str) -> Path | str:
    """A path; a URL stays the text that it is."""
    return text if "://" in text else Path(text)


def _count(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 10_000:
        raise argparse.ArgumentTypeError("not a number of processes")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    """The words of a comma list, each once."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise argparse.ArgumentTypeError("no name given")
    return names
