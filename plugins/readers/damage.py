"""Files that may have been a run's and cannot be read: told where nothing else in a folder tells of one."""

from __future__ import annotations

from collections.abc import Iterator

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers import archive, sqlitedb
from dpo_report.plugins.readers.files import glimpse
from dpo_report.plugins.readers.safeyaml import LIMIT, Unreadable, plain

_MOST = 30
"""In a folder of more files a broken one is not why it tells nothing."""
_FETCHED = 64 << 20
"""Larger files that are far away are not brought here for it."""


def damaged(folder: Folder) -> Iterator[Problem]:
    """What is wrong with archives, databases and YAML files that cannot be read at all."""
    for entry in folder.entries if len(folder.entries) <= _MOST else ():
        if folder.fetch is None or entry.size <= _FETCHED:
            yield from _damage(folder, entry)


def _damage(folder: Folder, entry: Entry) -> Iterator[Problem]:
    start = glimpse(folder, entry)
    if start.startswith(archive.FIRST):
        problems: list[Problem] = []
        with archive.opened(folder, entry, problems):
            yield from problems
    elif start.startswith(sqlitedb.MAGIC):
        if sqlitedb.damaged(folder, entry):
            yield Problem(entry.path, "is a damaged SQLite database, whose tables cannot be listed", sqlitedb.HINT)
    elif entry.name.lower().endswith((".yaml", ".yml")) and entry.size <= LIMIT:
        try:
            plain(folder.read(entry, LIMIT).decode("utf-8-sig", "replace"))
        except Unreadable as error:
            yield Problem(entry.path, str(error))
        except OSError:
            return
