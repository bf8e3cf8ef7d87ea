"""Trackio: the SQLite file of a project (``trackio/<project>.db``), one row for each call of ``log``.

``step`` counts the calls; where the Trainer's callback logs ``train/global_step``, that is the step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Setting, Source, Witness
from dpo_report.core.slugs import path_part
from dpo_report.plugins.readers.collect import Log, Told, as_logged, witness
from dpo_report.plugins.readers.files import INVALID, parse_json, with_suffix
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import flatten
from dpo_report.plugins.readers.sqlitedb import SUFFIXES, Database, holds, opened, was

NAME = "trackio"
_STEPS = ("train/global_step", "global_step")
_DATABASES = 200
_TABLE = re.compile(rb"CREATE TABLE metrics\s*\([^)]*\brun_name\b")


def _databases(folder: Folder) -> Iterator[Entry]:
    for entry in with_suffix(folder, SUFFIXES)[:_DATABASES]:
        if holds(folder, entry, "metrics", "run_name", "step", "metrics") or was(
            folder, entry, _TABLE, entry.parent.rpartition("/")[2] == NAME
        ):
            yield entry


def _detect(folder: Folder) -> Match | None:
    found = next(_databases(folder), None)
    return Match(0.95, f"{found.path}, table metrics") if found else None


def _read(folder: Folder) -> Iterator[Witness]:
    for entry in _databases(folder):
        above, _, last = entry.parent.rpartition("/")
        home = above if last == "trackio" else entry.parent
        sub = folder.sub(home)
        problems: list[Problem] = []
        own = Entry(entry.path[len(home) + 1 if home else 0 :], entry.size)
        with opened(sub, own, problems) as database:
            runs = list(_runs(database, own, home, problems)) if database is not None else []
        if problems and not runs:  # nothing of it can be read, which is told
            runs = [witness(NAME, Told(), [own.path], folder=home, problems=problems)]
        yield from runs


def _runs(database: Database, entry: Entry, home: str, problems: list[Problem]) -> Iterator[Witness]:
    """The runs of a database, by their ids (by their names in older versions)."""
    known = "run_id" if "run_id" in database.columns("metrics") else "run_name"
    logs: dict[str, tuple[str, Log]] = {}
    bad = 0
    query = f"select rowid, {known}, run_name, step, metrics from metrics order by rowid"
    for row, run_id, name, step, blob in database.rows(query):
        cells = _object(blob)
        at = next((found for key in _STEPS if (found := number(cells.get(key))) is not None), number(step))
        if at is None or not cells:
            bad += 1
            continue
        _, log = logs.setdefault(str(run_id), (str(name), Log()))
        for key, cell in cells.items():
            value = number(cell)
            if value is not None:
                log.add(key, at, value, int(row), Source(entry.path, f"table metrics, id {{row}}, key {key}"))
    if bad:
        problems.append(Problem(entry.path, f"{bad:,} rows of the table metrics hold no metrics or no step, left out"))
    configs = _configs(database, entry, known)
    for place, (run_id, (name, log)) in enumerate(logs.items(), 1):
        told = log.told()
        settings = configs.get(run_id, {})
        plain = path_part(name)
        suffix = path_part(run_id[:8]) if known == "run_id" else str(place)
        unique = plain and sum(path_part(other) == plain for other, _ in logs.values()) == 1
        yield witness(
            NAME,
            told,
            [entry.path],
            identity="" if len(logs) == 1 else plain if unique else f"{plain or 'run'}-{suffix}",
            folder=home,
            name=name,
            **as_logged(told, settings),
            settings=settings,
            problems=problems,
            step=told.last_step(),
            precision=8,
        )


def _configs(database: Database, entry: Entry, known: str) -> dict[str, dict[str, Setting]]:
    columns = database.columns("configs")
    if known not in columns or "config" not in columns:
        return {}
    found = {}
    for run_id, config in database.rows(f"select {known}, config from configs"):
        values = {key: value for key, value in _object(config).items() if not key.startswith("_")}
        found[str(run_id)] = flatten(values, entry.path, "table configs, ")
    return found


def _object(blob: Any) -> dict[str, Any]:
    """The JSON object in a cell; empty where there is none."""
    value = parse_json(blob) if isinstance(blob, str | bytes) else INVALID
    return value if isinstance(value, dict) else {}


READER = Reader(NAME, _detect, _read, "Trackio", (FileKind("*.lock", "other", "keeps two writers apart"),))
