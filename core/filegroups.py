"""The files of a run directory as a report lists them: those that are alike together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dpo_report.core.folder import natural
from dpo_report.core.model import RunFile

_NUMBERED = re.compile(r"(?<![A-Za-z0-9])\d+(?![A-Za-z0-9])(?=[^/]*/)")
ALIKE = 6
"""More files than this of one folder and purpose are listed together."""


@dataclass(frozen=True, slots=True)
class FileGroup:
    """Files that differ only in the numbers of their path, or many of one purpose in one folder."""

    path: str
    """``checkpoint-*/optimizer.pt``, or the path itself where there is but one."""
    count: int
    """How many."""
    bytes: int
    """Size of all."""
    meaning: str
    """What they are for."""


def grouped(files: Iterable[RunFile]) -> list[FileGroup]:
    """Files of the run directory; those of several checkpoints together."""
    groups: dict[str, list[RunFile]] = {}
    for file in files:
        groups.setdefault(_NUMBERED.sub("*", file.path), []).append(file)
    alike: dict[tuple[str, str], list[str]] = {}
    for path, group in groups.items():
        alike.setdefault((path.rpartition("/")[0], group[0].meaning), []).append(path)
    for (parent, _), paths in alike.items():
        if len(paths) > ALIKE:  # a file for every metric, as some trackers write
            groups[f"{parent}/*".lstrip("/")] = [file for path in paths for file in groups.pop(path)]
    return [
        FileGroup(
            path if len(group) > 1 else group[0].path,
            len(group),
            sum(file.bytes for file in group),
            group[0].meaning,
        )
        for path, group in sorted(groups.items(), key=lambda item: natural(item[0]))
    ]


def size(count: int) -> str:
    """Bytes for people.

    >>> size(512), size(2048), size(5_400_000), size(7 * 10**9)
    ('512 B', '2.0 kB', '5.4 MB', '7.0 GB')
    """
    amount, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while amount >= 999.5 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if units[0] == "B" or amount >= 100 else f"{amount:.1f} {units[0]}"
