"""MLflow's file of one metric: a line of ``timestamp value step`` for each point, in the order of logging.

Files as MLflow writes them are taken in at once; any other one line by line. For a list both ends suffice.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from itertools import pairwise

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Source
from dpo_report.plugins.readers.collect import Log
from dpo_report.plugins.readers.files import lines
from dpo_report.plugins.readers.numbers import number

END = 2 << 10
"""Bytes of each end of a file that suffice for a list."""
WHOLE = 32 << 20
"""Larger files are read line by line."""
_LINES = re.compile(rb"(?:\d{1,15} [-+.0-9A-Za-z]{1,40} \d{1,15}\n)+")
_NEAR = 0.2
"""Share by which the length of what was not looked at may differ from that of so many lines like those at the end."""


def read_metric(folder: Folder, entry: Entry, key: str, log: Log, problems: list[Problem], *, ends: bool) -> None:
    """Add the points of a file to a log; with ``ends`` those of its beginning and its end, where these suffice."""
    source = Source(entry.path, "line {row}")
    found = _ends(folder, entry) if ends and entry.size > 2 * END else None
    found = found or _whole(folder, entry)
    if found is not None:
        steps, values = found
        log.extend(key, steps, values, range(1, len(steps) + 1), source)
        return
    bad = 0
    for line, text, _ in lines(folder, entry, problems):
        cells = text.split()
        value = number(cells[1]) if len(cells) > 1 else None
        step = number(cells[2]) if len(cells) > 2 else 0.0  # very old ones lack the step
        if value is None or step is None:
            bad = bad or line
            continue
        log.add(key, step, unbounded(value), line, source)
    if bad:
        problems.append(Problem(entry.path, f"lines that are no `timestamp value step` (first: {bad}) left out"))


def unbounded(value: float) -> float:
    """A value as it was logged: MLflow stores infinities as the largest float."""
    return math.copysign(math.inf, value) if abs(value) == sys.float_info.max else value


def _whole(folder: Folder, entry: Entry) -> tuple[list[float], list[float]] | None:
    """Steps and values of a file that holds nothing but whole lines; None of any other."""
    if not 0 < entry.size <= WHOLE:
        return None
    try:
        return _points(folder.read(entry, WHOLE))
    except OSError:
        return None  # told where it is read line by line


def _ends(folder: Folder, entry: Entry) -> tuple[list[float], list[float]] | None:
    """Steps and values of both ends of a file; None where steps do not rise evenly from one to the other."""
    try:
        with folder.stream(entry) as stream:
            start = stream.read(END)
            stream.seek(entry.size - END)
            end = stream.read(END)
    except OSError:
        return None
    start, end = start[: start.rfind(b"\n") + 1], end[end.find(b"\n") + 1 :]
    first, last = _points(start), _points(end)
    if first is None or last is None or not _even(first[0], last[0], entry.size - len(start) - len(end), len(end)):
        return None
    return first[0] + last[0], first[1] + last[1]


def _even(first: Sequence[float], last: Sequence[float], between: int, length: int) -> bool:
    """Whether the steps of two ends are so far apart as ``between`` bytes hold lines like the last ones, of ``length``
    bytes, and none falls."""
    gaps = {after - before for steps in (first, last) for before, after in pairwise(steps)}
    if len(gaps) != 1 or min(gaps) <= 0:
        return False
    left_out = (last[0] - first[-1]) / gaps.pop() - 1
    return left_out >= 0 and abs(between - left_out * length / len(last)) <= _NEAR * between


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
