"""The command line: reads the words, calls the command, turns every outcome into an exit status.

====  ==============================================================
0     done
1     a problem that the user can solve: one line of it, one of advice
2     a word that the command line does not know
3     a bug, with a report to paste
130   interrupted
====  ==============================================================

Only the standard library is imported before a command is known: ``--help`` must not wait for matplotlib.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, TextIO

from dpo_report.core import arguments, collector
from dpo_report.core.errors import ReportError
from dpo_report.core.terminal import printable

if TYPE_CHECKING:
    from dpo_report.core.manager import Host

_BODIES = {
    "build": "dpo_report.core.commands.build",
    "inspect": "dpo_report.core.inspect",
    "explain": "dpo_report.core.explain",
    "plugins": "dpo_report.core.commands.plugins",
}
"""Modules with ``run(args, host) -> int``, imported when their command is called."""


def main(argv: list[str] | None = None) -> int:
    """Run one command line; gives the exit status and raises nothing."""
    if argv is None:  # the process is ours
        _stop_in_order()
        collector.rest()
    words = sys.argv[1:] if argv is None else list(argv)
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter must not stop a report
    try:
        return _status(words)
    except BrokenPipeError:  # the reader of our output has what it wanted
        _close_stdout()
        return 0
    except OSError as error:  # disk full, where the output goes
        _close_stdout()
        return tell(f"cannot write: {error.strerror}")


def _status(words: list[str]) -> int:
    try:
        status = _run(words)
        sys.stdout.flush()
        return status
    except ReportError as error:
        return tell(error.message, error.hint)
    except SystemExit as stop:  # argparse: --help, --version, a wrong word
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        tell("interrupted")
        return 130
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.ENOSPC, errno.EDQUOT):
            raise
        if isinstance(error, FileNotFoundError) and not _here():
            return tell("the current folder is gone", "change to one that exists")
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            return tell(f"{error.filename!s:.60}...: no disk holds a name of that length", "give a shorter one")
        return _bug(words, error)


def _here() -> bool:
    """Whether the folder that the command was given in still exists."""
    try:
        return bool(os.getcwd())  # noqa: PTH109 - core is not to import pathlib for this
    except FileNotFoundError:
        return False


def _nowhere() -> TextIO:
    """In place of an output that was closed before the program began."""
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open until the end


def _stop_in_order() -> None:
    """Let a scheduler or a closed terminal end the program as Ctrl-C does, so that nothing is left half-written."""
    for name in ("SIGTERM", "SIGHUP"):  # Windows knows no SIGHUP
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) == signal.SIG_DFL:
            signal.signal(getattr(signal, name), signal.default_int_handler)


def _close_stdout() -> None:
    """Let nothing that is still buffered raise again at exit."""
    with suppress(OSError):  # not a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(message: str, hint: str = "") -> int:
    """One line on stderr, and one of advice; gives the exit status of a known problem."""
    first, *listed = message.split("\n  ")  # an error may end in a list
    sys.stderr.write("\n  ".join([f"dpo-report: {printable(first)}", *map(printable, listed)]) + "\n")
    if hint:
        sys.stderr.write(f"  {printable(hint)}\n")
    return 1


def _run(words: list[str]) -> int:
    switches, rest = arguments.switches(words)
    command = next((word for word in rest if not word.startswith("-")), None)
    if command in arguments.COMMANDS:
        parser, parsers = arguments.parser_for({})
        args = _parsed(parser, words, switches, parsers[command])
        body = import_module(_BODIES[args.command])
        host = _host(switches)
        if args.command != "plugins":  # which tells the problems itself
            _refuse(host, switches)
        return int(body.run(args, host))
    if command is None and rest and not {"-h", "--help"} & set(rest):
        _parsed(arguments.parser_for({})[0], words, switches)  # --version, or a mistake
    return _run_of_plugin(words, command, switches)


def _run_of_plugin(words: list[str], command: str | None, switches: argparse.Namespace) -> int:
    """Run a command that a plugin brings; without one, tell which commands there are."""
    from dpo_report.core.manager import builtin

    host = _host(switches, builtin("COMMANDS"))
    brought = {provided.item.name: provided for provided in host.commands}
    broken = [str(plugin) for plugin in host.plugins if plugin.problems]
    if broken:
        tell(f"plugins with problems: {', '.join(broken)}", "`dpo-report plugins` tells them")
    parser, parsers = arguments.parser_for({name: printable(p.item.help) for name, p in brought.items()})
    if command not in brought:
        if not words:
            parser.print_help(sys.stderr)
            return 2
        if command is not None:
            tell(f"there is no command {command}", arguments.meant(command, parsers))
            return 2
        _parsed(parser, words, switches)
        return 2
    from dpo_report.core.model import Problem

    _refuse(host, switches)
    provided = brought[command]
    outcome = host.guard(provided, provided.item.configure, parsers[command])
    if isinstance(outcome, Problem):
        raise ReportError(f"{outcome.where}: {outcome.message}", outcome.hint)
    args = _parsed(parser, words, switches, parsers[command])
    collector.resume()
    try:
        return int(provided.item.run(args) or 0)
    except Exception as error:
        error.add_note(f"The command {command} comes from the plugin {provided.plugin}.")
        raise


def _parsed(
    parser: argparse.ArgumentParser,
    words: list[str],
    switches: argparse.Namespace,
    command: argparse.ArgumentParser | None = None,
) -> argparse.Namespace:
    """What the words say; a mistake after a command is told by that ``command``'s parser."""
    args, strange = parser.parse_known_args(words)
    if strange:
        (command or parser).error(arguments.untaken(strange, words, command or parser))
    vars(args).update(vars(switches))  # the switches count wherever they stand
    return args


def _host(switches: argparse.Namespace, modules: tuple[str, ...] | None = None) -> Host:
    from dpo_report.core.manager import Host

    return Host(files=switches.plugin, disabled=switches.no_plugin, modules=modules, reserved=arguments.COMMANDS)


def _refuse(host: Host, switches: argparse.Namespace) -> None:
    """With ``--strict``, stop at a plugin problem before anything is written."""
    if switches.strict and host.problems:
        first = host.problems[0]
        count = len(host.problems)
        more = f" (and {count - 1} more: `dpo-report plugins`)" if count > 1 else ""
        raise ReportError(f"{first.where}: {first.message}{more}", first.hint)


def _bug(words: list[str], error: Exception) -> int:
    """Everything that a bug report needs, ready to paste."""
    import platform
    import shlex
    import traceback

    from dpo_report import __version__

    lines = [
        "dpo-report: unexpected error. This is a bug; please report it with the lines below.",
        "",
        f"dpo-report {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"command: dpo-report {shlex.join(words)}",
        *"".join(traceback.format_exception(error)).splitlines(),
    ]
    sys.stderr.write("\n".join(map(printable, lines)) + "\n")
    return 3
