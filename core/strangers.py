"""What stands in and beside an older report: files of somebody else, and what a killed process left."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from dpo_report.core.folder import TEMPORARY

STALE = 3600.0
"""Seconds after which a temporary folder is that of a process which was killed."""


def strangers(report: Path, new: Collection[str]) -> list[str]:
    """Files and links in a report that it does not list as its own, by path in it.

    Args:
        report: its folder.
        new: the files of the report that takes its place; where the old one lists nothing, those were in it too.
    """
    try:
        told = json.loads((report / "report.json").read_bytes())
        ours = {name for name in told["written"] if isinstance(name, str)}
    except (OSError, ValueError, RecursionError, LookupError, TypeError):
        ours = set(new)
    return [name for name in files_of(report) if name != "report.json" and name not in ours]


def files_of(folder: Path) -> list[str]:
    """Every file and every link in a folder, by path in it; links are not followed."""
    found = []
    for here, folders, files in os.walk(folder):
        base = Path(here)
        links = [name for name in folders if (base / name).is_symlink()]
        found += [(base / name).relative_to(folder).as_posix() for name in (*files, *links)]
    return found


def twin(path: Path, other: Path) -> None:
    """Have the same file or link a second time, without a copy where the disk can.

    Raises:
        OSError: the disk refuses.
    """
    try:
        os.link(path, other, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(path, other, follow_symlinks=False)


def tidy(parent: Path) -> None:
    """Take away what a process that was killed left in a folder, and put back a report that it had moved aside."""
    with suppress(OSError):
        for left in [item for item in parent.iterdir() if item.name.startswith(TEMPORARY)]:
            if left.is_symlink() or not left.is_dir() or time.time() - left.stat().st_mtime < STALE:
                continue
            for kept in left.iterdir():
                home = parent / kept.name
                if (kept / "report.json").is_file() and not os.path.lexists(home):
                    kept.rename(home)
            shutil.rmtree(left, ignore_errors=True)
