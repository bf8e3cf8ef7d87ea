"""Which event files of one folder tell of one run: its start, what it was resumed to, an evaluation afterwards.

A log begins at the latest after one logging interval. So a file whose training curve begins there is a new attempt, and
one that begins later was resumed from a checkpoint of an attempt before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dpo_report.core.model import Problem
from dpo_report.plugins.readers.points import Part
from dpo_report.plugins.readers.tensorboard.eventfile import EventFile
from dpo_report.plugins.readers.tensorboard.scalars import Floats

REGULAR = 0.6
"""Share of equal distances between the points of a log by a fixed number of steps; the ends of epochs may differ."""


@dataclass(slots=True)
class Attempt:
    """The files of one run in the order in which they were written."""

    files: list[EventFile] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    """Where the training curve of each file begins; NaN where it has none."""
    last: float = -1.0
    """The last training step."""
    interval: float = 0.0
    """Steps between two training points; 0 where that is not known."""
    problems: list[Problem] = field(default_factory=list)

    def add(self, file: EventFile, steps: Floats) -> None:
        """Add a file with its training steps."""
        self.files.append(file)
        self.starts.append(float(steps[0]) if len(steps) else float("nan"))
        if len(steps):
            self.last = max(self.last, float(steps[-1]))
            self.interval = _interval(steps, self.interval)

    def has(self, writer: str) -> bool:
        """Whether a process wrote one of its files."""
        return bool(writer) and any(file.writer == writer for file in self.files)

    def parts(self) -> list[Part]:
        """What the files tell; what was done again after a resumption is taken from the later file."""
        found: list[Part] = []
        for number, file in enumerate(self.files):
            part = file.part()
            again = [start for start in self.starts[number + 1 :] if start == start]
            found.append(part.before(min(again)) if again else part)
        return found


def attempts(files: list[EventFile]) -> list[Attempt]:
    """Sort the files of one folder into runs, the first one first."""
    found: list[Attempt] = []
    for file in sorted(files, key=lambda file: (file.helps and not file.writer, file.order)):
        steps = file.training_steps() if not file.helps else np.zeros(0)
        home = _resumed(found, steps) if len(steps) else _beside(found, file)
        if home is None and len(steps) and found and found[-1].last < 0 and found[-1].has(file.writer):
            home = found[-1]  # its hyper-parameters were written to a file of their own
        if home is None:
            home = Attempt()
            found.append(home)
        if len(steps):
            home.problems += _told(home, file, steps)
        home.add(file, steps)
    return found


def _resumed(found: list[Attempt], steps: Floats) -> Attempt | None:
    """The attempt that a file goes on with: the latest that reached the step before; None for a new one."""
    first = float(steps[0])
    for attempt in reversed(found):
        interval = _interval(steps, attempt.interval)
        if attempt.last >= 0 and interval < first <= attempt.last + interval:
            return attempt
    return None


def _beside(found: list[Attempt], file: EventFile) -> Attempt | None:
    """The attempt that a file without a training curve belongs to: its process's, or the latest one that got as far."""
    for attempt in reversed(found):
        named_by_time = file.helps and not file.writer and attempt.files[0].time <= file.time
        if named_by_time or attempt.has(file.writer):
            return attempt
    last = file.last_step()
    return next((a for a in reversed(found) if 0 < last <= a.last + a.interval), None)


def _interval(steps: Floats, otherwise: float) -> float:
    """Steps between two points; of a single point ``otherwise``, or as if it were the first of a run.

    Where they are irregular, as of a log by episodes, the most steps that lie between two.
    """
    if len(steps) < 2:
        return otherwise or float(steps[0])
    apart = np.diff(steps)
    usual = float(np.median(apart))
    return usual if np.mean(apart == usual) >= REGULAR else float(apart.max())


def _told(attempt: Attempt, file: EventFile, steps: Floats) -> list[Problem]:
    """What must be said of a file that does not begin at the start of its run."""
    first = float(steps[0])
    if first <= _interval(steps, attempt.interval):
        return []
    if attempt.last < 0:
        return [Problem(file.path, f"begins at step {first:g}: a resumed run, whose beginning is not in this folder")]
    before = attempt.files[-1].path
    told = f"goes on with {before} from step {first:g} (a resumed run)"
    if first <= attempt.last:
        which = f"step {first:g}" if first == attempt.last else f"steps {first:g} to {attempt.last:g}"
        told += f"; what {before} has of {which} is not used"
    return [Problem(file.path, told)]
