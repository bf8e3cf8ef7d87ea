"""Calling what a plugin brought: exceptions become problems, output stays off stdout, what hangs is named."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar, cast

from dpo_report.core.errors import ReportError
from dpo_report.core.host.watchdog import watched

if TYPE_CHECKING:
    from dpo_report.core.model import Problem

T = TypeVar("T")

_OURS = Path(__file__).parent
_LIBRARY = Path(os.__file__).parent / "importlib"
TRACE = "DPO_REPORT_TRACE_PLUGINS"


class PluginError(Exception):
    """What a plugin did wrong, as a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def guarded(plugin: str, what: str, function: Callable[[], T], *, answers: tuple[type[Exception], ...] = ()) -> T:
    """Call a function of a plugin.

    An iterator is used up inside the guard (a tuple comes back). What the function prints goes to stderr, for
    the whole process, so this is not for several threads at once.

    Args:
        plugin: name and version.
        what: what is called, for the problem and the trace: ``metric loss.train.mean``.
        function: called without arguments.
        answers: exceptions that are no failure and pass through.

    Raises:
        PluginError: the function raised anything else.
    """
    trace = os.environ.get(TRACE, "") not in ("", "0")
    start = time.perf_counter()
    try:
        with _aside(), watched(f"plugin {plugin}: {what}"):
            result = function()
            if isinstance(result, Iterator):
                result = cast("T", tuple(result))
    except answers:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # libraries in Rust panic with exceptions that are no Exception
        if trace:
            import traceback

            sys.stderr.write("".join(traceback.format_exception(error)))
        raise PluginError(_told(plugin, what, error)) from None
    if trace:
        count = f" gave {len(result)} objects" if isinstance(result, list | tuple) else ""
        took = 1000 * (time.perf_counter() - start)
        sys.stderr.write(f"dpo-report trace: {plugin}: {what}{count} in {took:.1f} ms\n")
    return result


class _Stderr:
    """stderr in the place of stdout; it cannot be closed by who thinks that it is his."""

    def __getattr__(self, name: str) -> object:
        return getattr(sys.stderr, name)

    def close(self) -> None:
        """Leave it open."""


@contextmanager
def _aside() -> Iterator[None]:
    """Send what is printed to stderr: by Python, by programs that are started, by libraries that know no Python."""
    kept = None
    with suppress(OSError):  # closed before we began
        kept = os.dup(1)
        os.dup2(2, 1)
    try:
        with redirect_stdout(cast("TextIO", _Stderr())):
            yield
    finally:
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)


def problem(where: str, message: str, hint: str = "") -> Problem:
    """A problem; the model is imported only where there is one, because ``--help`` can do without."""
    from dpo_report.core.model import Problem

    return Problem(where, message, hint)


def _told(plugin: str, what: str, error: BaseException) -> Problem:
    where, before = f"plugin {plugin}", f"{what} failed: "
    if isinstance(error, ReportError):
        return problem(where, before + error.message, error.hint)
    name = plugin.partition(" ")[0]
    return problem(where, before + cause(error), f"{TRACE}=1 shows the traceback; --no-plugin {name} leaves it out")


def cause(error: BaseException) -> str:
    """An exception on one line, with the innermost place that is not ours."""
    said = " ".join(str(error).split())
    text = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if isinstance(error, SyntaxError):
        return text  # tells its place itself
    place, trace = "", error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if not (_OURS in file.parents or _LIBRARY in file.parents or file.name.startswith("<")):
            place = f" ({file.name}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return text + place
