"""One event file: who wrote it, when, and what it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.growing import followed, following
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.files import head
from dpo_report.plugins.readers.hf.state import LFS_HINT, LFS_PROBLEM, is_pointer
from dpo_report.plugins.readers.keys import canonical
from dpo_report.plugins.readers.points import Part, Points
from dpo_report.plugins.readers.tensorboard.scalars import Floats, Scalars
from dpo_report.plugins.readers.tfrecords import Records

_NAME = re.compile(r"tfevents\.(\d{1,18})\.(?:(.*?)\.(\d+)\.(\d+)(?:\.v2)?$)?")
_MARK = "train_runtime"
POINTER = 1 << 10
"""Bytes that a Git LFS pointer stays below, by its definition."""
_NOT_TRAINING = frozenset({"epoch", "learning_rate"})


@dataclass(frozen=True, slots=True)
class EventFile:
    """An event file that was read."""

    path: str
    """Relative to the run's folder."""
    time: int
    """When it was opened, in seconds since 1970, from its name; 0 where the name does not tell."""
    writer: str
    """Host and process; empty where the name does not tell."""
    number: int
    """Counts the files that one process has opened."""
    points: Mapping[str, Points] = field(default_factory=dict)
    """The points of each scalar by tag, in the order of their first records."""
    scalars: Scalars = field(default_factory=Scalars)
    """What else it holds."""
    before: str = ""
    """What the folder puts before every tag: ``validation/``."""
    behind: str = ""
    """What the folder puts behind the tag of a curve drawn with others: ``/val``."""
    problems: tuple[Problem, ...] = ()
    readable: bool = True

    @property
    def order(self) -> tuple[int, int, str]:
        """Sort key: as they were written."""
        return self.time, self.number, self.path

    @property
    def helps(self) -> bool:
        """Whether its writer made it beside another file, for one curve or for the hyper-parameters."""
        return "/" in self.path and not self.before

    def columns(self) -> dict[str, Points]:
        """The points by key: the tag, with what the folder adds to it."""
        return {f"{self.before}{tag}{self.behind}": points for tag, points in self.points.items()}

    def part(self) -> Part:
        """What it adds to a run."""

        def where(key: str) -> str:
            return f"tag {key.removeprefix(self.before).removesuffix(self.behind)}, record {{row}}"

        curves, closing = _parted(self.columns())
        return Part(self.path, curves, where, closing)

    def training_steps(self) -> Floats:
        """The steps of the training curve with the most points, rising, shape (n,)."""
        longest = np.zeros(0)
        for key, points in self.columns().items():
            known = canonical(key)
            if known.role == "series" and known.split == "train" and known.name not in _NOT_TRAINING:
                steps = points.steps if np.all(points.steps[1:] > points.steps[:-1]) else np.unique(points.steps)
                longest = steps if len(steps) > len(longest) else longest
        return longest

    def last_step(self) -> float:
        """The highest step of any scalar; -1 where there is none."""
        return max((float(points.steps.max()) for points in self.columns().values() if len(points.steps)), default=-1.0)

    def seen_from(self, path: str, before: str = "", behind: str = "") -> EventFile:
        """The same file as part of the folder to which ``path`` is relative."""
        problems = tuple(replace(problem, where=path) for problem in self.problems)
        return replace(self, path=path, before=before, behind=behind, problems=problems)


def is_event_file(entry: Entry) -> bool:
    """Whether a file is named like one of TensorBoard's."""
    return "tfevents" in entry.name and not entry.name.endswith(".profile-empty")


def brief(entry: Entry, scalars: Scalars) -> EventFile:
    """An event file of which something was read."""
    return EventFile(entry.path, *_named(entry.name), scalars.points(), scalars)


def read(folder: Folder, entry: Entry) -> EventFile:
    """Read an event file. Never raises for what it holds."""
    time, writer, number = _named(entry.name)
    if entry.size < POINTER and is_pointer(head(folder, entry)):
        problem = Problem(entry.path, LFS_PROBLEM, LFS_HINT)
        return EventFile(entry.path, time, writer, number, problems=(problem,), readable=False)
    content = _Content()
    problems: list[str] = []
    hint = ""
    try:
        path = folder.path(entry)
        content = followed(path, "tensorboard", entry.size, _Content, lambda known: known.read_on(path, entry.size))
        problems += content.damage()
        if not content.records.count:
            problems = ["is empty" if not entry.size else "holds no records of TensorBoard"]
        elif problems:
            hint = "the points before and after are used"
    except OSError as error:
        problems.append(f"cannot be read ({error.strerror or type(error).__name__})")
    for kind, (times, first) in content.scalars.odd.items():
        problems.append(f"record {first:,} {kind}, left out" + (f" ({times:,} such records)" if times > 1 else ""))
    told = tuple(Problem(entry.path, text, hint) for text in problems)
    return EventFile(entry.path, time, writer, number, content.scalars.points(), content.scalars, problems=told)


@dataclass(slots=True)
class _Content:
    """What was read of a file so far."""

    records: Records = field(default_factory=Records)
    scalars: Scalars = field(default_factory=Scalars)

    @property
    def offset(self) -> int:
        """Where the next record begins."""
        return self.records.offset

    @property
    def sound(self) -> bool:
        """Whether no record was damaged: one that is half-written may look so."""
        return not self.records.damage

    def read_on(self, path: Path, size: int) -> None:
        """Take in the records behind ``offset``."""
        with path.open("rb") as stream:
            for piece in self.records.pieces(stream, size):
                self.scalars.add(piece)

    def damage(self) -> list[str]:
        """What is wrong with the file; while it is watched, its end may stay open."""
        ending = "" if following() else self.records.ending
        return [*self.records.damage, *([ending] if ending else [])]


def _parted(columns: dict[str, Points]) -> tuple[dict[str, Points], dict[str, Points]]:
    """Curves, and the points that the Trainer wrote with its closing summary: behind ``train_runtime``, at its step.

    Without a last training row these hold means over the whole run, and are no points of a curve.
    """
    keys = {key: canonical(key) for key in columns}
    mark = next((columns[key] for key, known in keys.items() if known.name == _MARK and known.role == "summary"), None)
    if mark is None or not len(mark.rows):
        return columns, {}
    first, step = int(mark.rows[-1]), float(mark.steps[-1])
    others = [k for k, known in keys.items() if known.split != "train" or known.name == "loss"]
    later = [int(row) for key in others for row in columns[key].rows[columns[key].rows > first][:1]]
    end = min(later, default=1 << 62)
    curves, closing = dict(columns), {}
    for key, points in columns.items():
        if keys[key].role == "series" and keys[key].split == "train" and keys[key].name != "loss":
            mine = (points.rows > first) & (points.rows < end) & (points.steps == step)
            if mine.any():
                curves[key], closing[key] = points.where(~mine), points.where(mine)
    return curves, closing


def _named(name: str) -> tuple[int, str, int]:
    """Time, writer and number from ``events.out.tfevents.TIME.HOST.PROCESS.NUMBER``; old writers leave out the last."""
    match = _NAME.search(name)
    if match is None:
        return 0, "", 0
    if match.group(2) is None:
        return int(match.group(1)), "", 0
    return int(match.group(1)), f"{match.group(2)}.{match.group(3)}", int(match.group(4))
