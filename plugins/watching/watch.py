"""Looks at the files of a run again and again, and builds its report when they have changed.

A file is read when it has come to rest, or after a while if it never does; what is half-written then is read right the
next time. Reports are written as everywhere, all or none, so whoever looks sees the old one or the new one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dpo_report.core import target
from dpo_report.core.build import FOLDER, build_runs
from dpo_report.core.cli import tell
from dpo_report.core.errors import ReportError
from dpo_report.core.folder import Folder
from dpo_report.core.manager import Host
from dpo_report.core.model import Problem, Report
from dpo_report.core.numbers import count
from dpo_report.core.terminal import printable

REST = 5
"""Looks without a change after which a complete run has ended."""
HURRY = 2
"""Looks that a build waits at most for files to come to rest."""
SHARE = 4.0
"""Between builds passes at least so many times what the last one took, so that watching costs a fifth of a core."""

Stamp = tuple[tuple[str, int, int], ...]
"""Path, size and time of change of every file."""


def watch(args: argparse.Namespace) -> int:
    """Build until the run has ended; gives the exit status.

    Raises:
        ReportError: a format is unknown, or the folder cannot be written.
    """
    host = Host(files=args.plugin, disabled=args.no_plugin)
    home = args.run if not args.run.is_file() else args.run.parent
    watcher = _Watcher(
        args.run, _formats(args.format, host), args.output or home / FOLDER, host, args.template_dir, quiet=args.quiet
    )
    target.check(watcher.out)
    last_change = time.monotonic()
    while time.monotonic() - last_change < 60 * args.patience:
        if watcher.look():
            last_change = time.monotonic()
        if watcher.ended:
            return 0
        time.sleep(args.every)
    tell(f"nothing changed for {args.patience:g} min; the report stands as it is")
    return 0


def stamp(path: Path) -> Stamp:
    """What a folder holds, apart from our own reports; empty where there is nothing yet."""
    try:
        folder = Folder.open(path)
    except ReportError:
        return ()
    found = []
    for entry in folder.entries:
        try:
            state = folder.path(entry).stat()
        except OSError:
            continue  # gone since: a checkpoint that was rotated out
        found.append((entry.path, state.st_size, state.st_mtime_ns))
    return tuple(found)


def _formats(given: str | None, host: Host) -> tuple[str, ...]:
    names = [name.strip() for name in (given or "html").split(",") if name.strip()]
    return tuple(host.format(name).item.name for name in names)


@dataclass
class _Watcher:
    run: Path
    formats: Sequence[str]
    out: Path
    host: Host
    template_dirs: Sequence[Path]
    quiet: bool
    ended: bool = False
    """Whether the run took all its steps and its files are at rest."""
    seen: Stamp = ()
    """At the last look."""
    built: Stamp | None = None
    """What the report was built from."""
    complete: bool = False
    """Whether the report tells of a completed run."""
    resting: int = 0
    """Looks since the last change."""
    waiting: int = 0
    """Looks since there was something to build."""
    not_before: float = 0.0
    """When the next build may be."""
    told: set[str | Problem] = field(default_factory=set)
    """What was said already."""

    def look(self) -> bool:
        """Look once, build where it is time to; gives whether something had changed."""
        now = stamp(self.run)
        changed = now != self.seen
        self.resting = 0 if changed else self.resting + 1
        self.seen = now
        if now and now != self.built:
            self.waiting += 1
            at_rest = not changed or self.waiting > HURRY
            if at_rest and time.monotonic() >= self.not_before:
                self._build(now)
        else:
            self.ended = self.complete and self.resting >= REST
        return changed

    def _build(self, now: Stamp) -> None:
        start = time.monotonic()
        self.waiting = 0
        self.built = now
        try:
            (report,) = build_runs(self.run, self.formats, self.out, self.host, template_dirs=self.template_dirs)
        except ReportError as error:
            self._tell(error.message, error.message, error.hint)
        else:
            self._tell_of(report)
        self.not_before = time.monotonic() + SHARE * (time.monotonic() - start)

    def _tell_of(self, report: Report) -> None:
        run = report.analyses[0].run
        self.complete = run.status == "completed"
        for problem in report.analyses[0].problems:
            self._tell(problem, f"{problem.where}: {problem.message}", problem.hint)
        if not self.quiet:
            done = "steps unknown" if run.global_step is None else f"step {count(run.global_step)}"
            of = f" of {count(run.max_steps)}" if run.max_steps and run.global_step is not None else ""
            sys.stdout.write(printable(f"{report.directory}: {done}{of}, {run.status}") + "\n")
            sys.stdout.flush()

    def _tell(self, key: str | Problem, message: str, hint: str) -> None:
        """On stderr, each thing once."""
        if key not in self.told:
            self.told.add(key)
            tell(message, hint)
