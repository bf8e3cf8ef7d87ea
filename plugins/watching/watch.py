"""Looks at the files of a run again and again, and builds its report when they have changed.

A file is read when it has come to rest, or after a while if it never does; what is half-written then is read right the
next time. What was read of a log that only grew is not read again, nor a file that stayed as it was. The report that is
left at the end, or when a log stops in the middle of a row, is made from all files anew, as ``build`` makes it.
Reports are written as everywhere, all or none, so whoever looks sees the old one or the new one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from dpo_report.core import target
from dpo_report.core.build import build_runs
from dpo_report.core.cli import tell
from dpo_report.core.errors import ReportError
from dpo_report.core.folder import Folder
from dpo_report.core.growing import Memory, remembering
from dpo_report.core.manager import Host
from dpo_report.core.merge import SAVED_LAST
from dpo_report.core.model import Problem, Report, Run
from dpo_report.core.numbers import count
from dpo_report.core.terminal import printable

FOLDER = "report-live"
"""Name of the report's folder in the run's: what `build` made there may be what a paper rests on."""
REST = 5
"""Looks without a change after which a run that told its end has ended."""
LONGER = 2.0
"""So many times the longest pause between two changes, at least: an evaluation may follow the last step."""
HURRY = 2
"""Looks that a build waits at most for files to come to rest."""
SHARE = 4.0
"""Between builds passes at least so many times what the last one took, so that watching costs a fifth of a core."""

CLOSING = 60 * 10**9
"""Nanoseconds in which a trainer that has ended writes its model and its closing words."""

Stamp = tuple[tuple[str, int, int], ...]
"""Path, size and time of change of every file."""


def watch(args: argparse.Namespace) -> int:
    """Build until the run has ended; gives the exit status.

    Raises:
        ReportError: a format is unknown, or the folder cannot be written.
    """
    host = Host(files=args.plugin, disabled=args.no_plugin)
    home = args.run if not args.run.is_file() else args.run.parent
    out = args.output or home / FOLDER
    patience = 60 * args.patience
    watcher = _Watcher(args.run, _formats(args.format, host), out, host, args.template_dir, args.quiet, patience)
    target.check(watcher.out)
    if not args.run.exists() and not args.quiet:
        tell(f"{args.run} is not there yet; waiting for it", "Ctrl-C ends")
    while time.monotonic() - watcher.last_change < patience:
        watcher.look()
        if watcher.ended:
            return 0
        time.sleep(args.every)
    watcher.finish()
    waited = f"nothing changed for {args.patience:g} min"
    if not watcher.made:
        raise ReportError(f"{waited}; no report was made", "give the output directory of a training run")
    tell(f"{waited}; the report stands as it is")
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
    patience: float
    """Seconds without a change after which nobody trains any more."""
    ended: bool = False
    """Whether the run told its end and its files are at rest."""
    seen: Stamp = ()
    """At the last look."""
    built: Stamp | None = None
    """What the report was built from."""
    over: bool = False
    """Whether the report tells of a run that came to its end: all steps taken, or closing words written."""
    memory: Memory = field(default_factory=Memory)
    """What was read so far."""
    anew: bool = False
    """Whether the report was made without that memory."""
    under_way: bool = False
    """Whether the report says that training goes on."""
    made: bool = False
    """Whether there ever was a report."""
    resting: int = 0
    """Looks since the last change."""
    last_change: float = field(default_factory=time.monotonic)
    """When something had changed at a look."""
    longest: float = 0.0
    """Seconds of the longest pause between two changes."""
    waiting: int = 0
    """Looks since there was something to build."""
    not_before: float = 0.0
    """When the next build may be."""
    told: set[str | Problem] = field(default_factory=set)
    """What was said already of what is wrong."""
    said: str = ""
    """The last line that was printed."""

    def look(self) -> None:
        """Look once, and build where it is time to."""
        now = stamp(self.run)
        changed = now != self.seen
        quiet = time.monotonic() - self.last_change
        if changed:
            if self.seen:
                self.longest = max(self.longest, quiet)
            self.last_change = time.monotonic()
        self.resting = 0 if changed else self.resting + 1
        self.seen = now
        if now and now != self.built:
            self.waiting += 1
            at_rest = not changed or self.waiting > HURRY
            if at_rest and time.monotonic() >= self.not_before:
                self._build(now)
        elif self.resting >= REST and quiet >= LONGER * self.longest:
            if now and not self.anew and (self.over or self.memory.loose):
                self.finish()
            self.ended = self.over

    def finish(self) -> None:
        """Build from all files anew."""
        self.memory.clear()
        if self.seen and (self.under_way or not self.anew):
            self._build(self.seen, anew=True)

    def _build(self, now: Stamp, *, anew: bool = False) -> None:
        start = time.monotonic()
        self.waiting = 0
        self.built = now
        self.anew = anew
        self.over = False
        youngest = max(changed for _, _, changed in now) / 1e9
        going_on = time.time() - youngest < self.patience

        def seen(run: Run) -> Run:
            self.over = run.status == "completed" or _told_its_end(run, now)
            self.under_way = going_on and not self.over and _may_go_on(run)
            return _running(run) if self.under_way else run

        try:
            with nullcontext() if anew else remembering(self.memory):
                (report,) = build_runs(
                    self.run, self.formats, self.out, self.host, template_dirs=self.template_dirs, seen=seen
                )
        except ReportError as error:
            self._tell(error.message, error.message, error.hint)
        else:
            self.made = True
            self._tell_of(report)
        self.not_before = time.monotonic() + SHARE * (time.monotonic() - start)

    def _tell_of(self, report: Report) -> None:
        run = report.analyses[0].run
        for problem in report.analyses[0].problems:
            self._tell(problem, f"{problem.where}: {problem.message}", problem.hint)
        if not self.quiet:
            done = "steps unknown" if run.global_step is None else f"step {count(run.global_step)}"
            of = f" of {count(run.max_steps)}" if run.max_steps and run.global_step is not None else ""
            line = printable(f"{report.directory}: {done}{of}, {run.status}")
            if line != self.said:
                self.said = line
                sys.stdout.write(line + "\n")
                sys.stdout.flush()

    def _tell(self, key: str | Problem, message: str, hint: str) -> None:
        """On stderr, each thing once."""
        if key not in self.told:
            self.told.add(key)
            tell(message, hint)


def _told_its_end(run: Run, now: Stamp) -> bool:
    """Whether the trainer's closing words are among the last that was written; older ones are of an attempt before."""
    words = run.summary.get("train_runtime") or run.summary.get("train_loss")
    if words is None:
        return False
    told = max((changed for path, _, changed in now if f"/{path}".endswith(f"/{words.source.file}")), default=0)
    return told >= max(changed for _, _, changed in now) - CLOSING


def _running(run: Run) -> Run:
    """A run that goes on: its log, not its last checkpoint, tells how far it is."""
    told = [witness.global_step for witness in run.witnesses if witness.global_step is not None]
    step = max((one for one in told if run.max_steps is None or one <= run.max_steps), default=run.global_step)
    logged = run.series.get(("epoch", "train"))
    epoch = run.epoch if step == run.global_step else None
    if epoch is None and logged is not None and len(logged) and logged.steps[-1] == step:
        epoch = float(logged.values[-1])
    problems = tuple(problem for problem in run.problems if SAVED_LAST not in problem.message)
    return replace(run, status="running", global_step=step, epoch=epoch, problems=problems)


def _may_go_on(run: Run) -> bool:
    """Whether nothing but time tells a run that goes on from one that was killed."""
    return run.status in ("incomplete", "unknown", "no-metrics")
