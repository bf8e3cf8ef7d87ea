"""MLflow's file of one metric: a line of ``timestamp value step`` for each point, in the order of logging.

Files as MLflow writes them are taken in at once; any other one line by line. For a list both ends suffice.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Source
from dpo_report.plugins.readers.files import lines
from dpo_report.plugins.readers.numbers import number

END = 768
"""Bytes of each end of a file that suffice for a list."""
WHOLE = 32 << 20
"""Larger files are read line by line."""
_FEWEST = 8
"""Points that every metric keeps."""
_LINES = re.compile(rb"(?:\d++ [^\s_]++ \d++\n)++")
_NEAR = 0.1
"""Share by which the length of what was not looked at may differ from that of so many lines like those that were."""


@dataclass(slots=True)
class Metric:
    """The points of one file."""

    key: str
    source: Source
    steps: list[float]
    values: list[float]
    lines: Sequence[int]
    count: int
    """How many points the file holds, also where only those of its ends were read."""

    def keep(self, most: int) -> None:
        """Leave out points of the middle."""
        if len(self.steps) > most:
            half = most // 2
            for part in (self.steps, self.values):
                part[half : len(part) - most + half] = []
            self.lines = range(1, most + 1)


def read_metric(folder: Folder, entry: Entry, key: str, problems: list[Problem], *, ends: bool) -> Metric:
    """The points of a file; with ``ends`` those of its beginning and its end, where these suffice."""
    source = Source(entry.path, "line {row}")
    found = _ends(folder, entry) if ends and entry.size > 2 * END else None
    if found := found or _whole(folder, entry):
        steps, values, count = found
        return Metric(key, source, steps, values, range(1, len(steps) + 1), count)
    read: list[tuple[float, float, int]] = []
    bad = 0
    for line, text, _ in lines(folder, entry, problems):
        cells = text.split()
        value = number(cells[1]) if len(cells) > 1 else None
        step = number(cells[2]) if len(cells) > 2 else 0.0  # very old ones lack the step
        if value is None or step is None:
            bad = bad or line
            continue
        read.append((step, unbounded(value), line))
    if bad:
        problems.append(Problem(entry.path, f"lines that are no `timestamp value step` (first: {bad}) left out"))
    told = [list(column) for column in zip(*read, strict=True)] or [[], [], []]
    return Metric(key, source, told[0], told[1], [line for _, _, line in read], len(read))


def in_order(metrics: Sequence[Metric]) -> None:
    """Leave out so many points that of two metrics of a run the longer one stays the longer one."""
    most = sys.maxsize
    for _, equal in groupby(sorted(metrics, key=lambda one: -one.count), key=lambda one: one.count):
        group = list(equal)
        for one in group:
            one.keep(most)
        most = max(_FEWEST, min(len(one.steps) for one in group) - 1)


def unbounded(value: float) -> float:
    """A value as it was logged: MLflow stores infinities as the largest float."""
    return math.copysign(math.inf, value) if abs(value) == sys.float_info.max else value


def _whole(folder: Folder, entry: Entry) -> tuple[list[float], list[float], int] | None:
    """Steps and values and their number of a file that holds nothing but whole lines; None of any other."""
    if not 0 < entry.size <= WHOLE:
        return None
    try:
        found = _points(folder.read(entry, WHOLE))
    except OSError:
        return None  # told where it is read line by line
    return (*found, len(found[0])) if found else None


def _ends(folder: Folder, entry: Entry) -> tuple[list[float], list[float], int] | None:
    """Steps and values of both ends of a file, and the number of all; None where the steps do not rise evenly."""
    try:
        with folder.stream(entry) as stream:
            start = stream.read(END)
            stream.seek(entry.size - END)
            end = stream.read(END)
    except OSError:
        return None
    start, end = start[: start.rfind(b"\n") + 1], end[end.find(b"\n") + 1 :]
    first, last = _points(start), _points(end)
    if first is None or last is None:
        return None
    missing = _missing(first[0], last[0], entry.size, len(start) + len(end))
    steps = first[0] + last[0]
    return None if missing is None else (steps, first[1] + last[1], len(steps) + missing)


def _missing(first: Sequence[float], last: Sequence[float], size: int, seen: int) -> int | None:
    """How many lines are missing between two ends of ``seen`` of a file's bytes, where all steps lie equally far apart;
    None where that is not so, or what is between them is not about as long as so many lines."""
    gaps = {after - before for steps in (first, last) for before, after in pairwise(steps)}
    if len(gaps) != 1 or min(gaps) <= 0:
        return None
    missing = (last[0] - first[-1]) / gaps.pop() - 1
    between = size - seen
    near = abs(between - missing * seen / (len(first) + len(last))) <= _NEAR * between
    return int(missing) if missing >= 0 and near else None


def _points(data: bytes) -> tuple[list[float], list[float]] | None:
    """Steps and values of some lines; None where one is not as MLflow writes them."""
    if not _LINES.fullmatch(data):
        return None
    cells = data.split()
    try:
        values = list(map(float, cells[1::3]))
    except ValueError:
        return None
    if b"308" in data:  # the largest float ends so
        values = list(map(unbounded, values))
    return list(map(float, cells[2::3])), values
