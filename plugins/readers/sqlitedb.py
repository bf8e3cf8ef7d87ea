"""SQLite files of a run, read without changing it: opened immutable, or as a copy where changes wait beside them.

A reader that opens a database in WAL mode the usual way leaves ``-shm`` and ``-wal`` files behind. ``immutable=1`` does
not, but overlooks what still stands in a ``-wal`` or ``-journal`` file; then the database is copied, with them, to a
temporary folder.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.files import head
from dpo_report.plugins.readers.hf.state import LFS_HINT, LFS_PROBLEM, is_pointer

MAGIC = b"SQLite format 3\x00"
SUFFIXES = (".db", ".sqlite", ".sqlite3", ".db3")
COPY = 4 << 30
"""Larger databases are not copied: what waits beside them is left out, and told."""
SECONDS = 60.0
"""Longer queries are stopped: a table may be a view that never ends."""
_WAITING = ("-wal", "-journal")
_SCHEMA = 1 << 20
"""The schema of a damaged database is looked for in so many bytes."""
_COPY = "copy it again from where it was written"
HINT = f"{_COPY}; `sqlite3 FILE .recover` may save more of it"


class Database:
    """An open database; every failure becomes a problem and an end of rows."""

    def __init__(self, connection: sqlite3.Connection, file: str, problems: list[Problem], told: bool) -> None:
        self._connection = connection
        self._file = file
        self._problems = problems
        self._told = told
        """Whether its damage is among the problems already."""

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of a query, up to the first that is damaged."""
        ends = time.monotonic() + SECONDS
        self._connection.set_progress_handler(lambda: time.monotonic() > ends, 100_000)
        count = 0
        try:
            for row in self._connection.execute(query, values):
                count += 1
                yield row
        except (sqlite3.Error, OverflowError, ValueError) as error:
            if self._told:
                return
            kept = f"; the {count:,} rows before that are used" if count else ""
            self._problems.append(Problem(self._file, f"is damaged or no whole database ({error}){kept}", HINT))

    def columns(self, table: str) -> list[str]:
        """Names of a table's columns; empty where there is no such table (a view is none)."""
        tables = self.rows("select name from sqlite_master where type = 'table' and name = ?", (table,))
        if not list(tables):
            return []
        return [str(row[1]) for row in self.rows(f'pragma table_info("{table}")')]

    def indexes(self, table: str) -> list[list[str]]:
        """The columns of each index of a table."""
        names = [str(row[1]) for row in self.rows(f'pragma index_list("{table}")')]
        return [[str(row[2]) for row in self.rows(f'pragma index_info("{name}")')] for name in names]


@contextlib.contextmanager
def opened(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Database | None]:
    """The database in a file; None, with a problem, where it is none."""
    start = head(folder, entry)
    if not start.startswith(MAGIC):
        pointer = is_pointer(start)
        message = LFS_PROBLEM if pointer else "is no SQLite database" if start else "is empty or cannot be read"
        problems.append(Problem(entry.path, message, LFS_HINT if pointer else _COPY))
        yield None
        return
    with contextlib.ExitStack() as stack:
        path, mode = folder.path(entry), "mode=ro&immutable=1"
        waiting = [other for other in folder.entries if other.size and _waits(other.path, entry.path)]
        if waiting and entry.size > COPY:
            problems.append(Problem(entry.path, f"is too large to copy; what waits in {waiting[0].name} is left out"))
        elif waiting:
            try:
                home = stack.enter_context(tempfile.TemporaryDirectory(prefix="dpo-report-"))
                for one in (entry, *waiting):
                    shutil.copyfile(folder.path(one), Path(home) / one.name)
                path, mode = Path(home) / entry.name, "mode=rw"
            except OSError as error:
                problems.append(
                    Problem(entry.path, f"{waiting[0].name} is left out: no copy could be made ({error.strerror})")
                )
        try:
            connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?{mode}", uri=True)
            stack.enter_context(contextlib.closing(connection))
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            connection.execute("pragma trusted_schema = off")
            if damage := _damage(connection):
                connection.execute("pragma writable_schema = on")  # else not even the pages that are left are read
                said = f"is damaged or no whole database ({damage}); what is left of it is read"
                problems.append(Problem(entry.path, said, HINT))
        except sqlite3.Error as error:
            problems.append(Problem(entry.path, f"cannot be opened ({error})", HINT))
            yield None
            return
        yield Database(connection, entry.path, problems, bool(damage))


def _damage(connection: sqlite3.Connection) -> str:
    """Why SQLite refuses the file at once, as it does where pages are missing at its end; empty where it does not."""
    try:
        connection.execute("select 1 from sqlite_master limit 1").fetchall()
    except (sqlite3.Error, ValueError) as error:
        return str(error) if isinstance(error, sqlite3.Error) else "its schema is no text"
    return ""


def _waits(path: str, database: str) -> bool:
    return any(path == database + ending for ending in _WAITING)


def holds(folder: Folder, entry: Entry, table: str, *needed: str) -> bool:
    """Whether a file is a database with that table and these columns."""
    if not head(folder, entry).startswith(MAGIC):
        return False
    with opened(folder, entry, []) as database:
        return database is not None and set(needed) <= set(database.columns(table)) and bool(needed)


def damaged(folder: Folder, entry: Entry) -> bool:
    """Whether not even the tables of what should be a database can be listed."""
    problems: list[Problem] = []
    with opened(folder, entry, problems) as database:
        if database is not None:
            list(database.rows("select name from sqlite_master"))
    return bool(problems)


def was(folder: Folder, entry: Entry, table: re.Pattern[bytes], placed: bool) -> bool:
    """Whether a file that is no whole database was a tracker's, by its place or by what is left of a table's schema."""
    if not damaged(folder, entry):
        return False
    with contextlib.suppress(OSError):
        return placed or table.search(folder.read(entry, _SCHEMA)) is not None
    return False
