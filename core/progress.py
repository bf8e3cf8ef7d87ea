"""How far a long piece of work is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from dpo_report.core.cli import tell
from dpo_report.core.terminal import printable


class Say(Protocol):
    """Prints a line without disturbing the bar."""

    def __call__(self, line: str, error: bool = False) -> None:
        """Print; what went wrong goes to stderr."""


@contextmanager
def progress(total: int, quiet: bool = False, done: str = "") -> Iterator[tuple[Callable[[], None], Say]]:
    """A bar on a terminal, plain lines elsewhere; gives what advances it and what prints a line.

    ``done`` says in a word what has been done to those that are counted.
    """
    if quiet or not sys.stderr.isatty() or total < 2:

        def plain(line: str, error: bool = False) -> None:
            if error:
                tell(line)
            else:
                sys.stdout.write(printable(line) + "\n")
                sys.stdout.flush()

        yield (lambda: None), plain
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    counted = MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn()
    bar = Progress(BarColumn(), *counted, console=Console(stderr=True))
    with bar:
        task = bar.add_task(done, total=total)

        def above(line: str, error: bool = False) -> None:
            bar.console.print(printable(line), style="red" if error else None, markup=False, highlight=False)

        yield (lambda: bar.advance(task)), above
