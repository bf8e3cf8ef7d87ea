"""MLflow's SQLite store: one database for all runs.

For a list the table of the latest values suffices, with the first points of each metric where an index has them.
"""

from __future__ import annotations

import math
import re
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Source
from dpo_report.plugins.readers.files import with_suffix
from dpo_report.plugins.readers.mlflow.metrics import unbounded
from dpo_report.plugins.readers.mlflow.stored import StoredRun
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.sqlitedb import SUFFIXES, Database, damaged, holds, opened, was

MAIN = "mlflow.db"
_METRICS = ("key", "value", "run_uuid", "step")
_DATABASES = 200
_TABLE = re.compile(rb"CREATE TABLE metrics\s*\([^;]*?\brun_uuid\b")
_INDEX = ["run_uuid", "key", "step"]
_FIRST = 4
"""Points of each metric that a list has before the last one."""
_NO_FLAG = "0"


def databases(folder: Folder) -> list[Entry]:
    """MLflow's databases in a folder, also what is left of one."""
    return [
        entry
        for entry in with_suffix(folder, SUFFIXES)[:_DATABASES]
        if holds(folder, entry, "metrics", *_METRICS) or was(folder, entry, _TABLE, entry.name == MAIN)
    ]


def stored_runs(folder: Folder, entry: Entry, only: str = "") -> list[StoredRun]:
    """The runs of a database that were not deleted, or only that of one identity; of a damaged one without any a run of
    which that alone is told."""
    problems: list[Problem] = []
    with opened(folder, entry, problems) as database:
        if database is None:
            return [StoredRun("", "", "", entry.path, problems=problems)]
        runs, gone = _runs(database, entry)
        nan = "is_nan" if "is_nan" in database.columns("metrics") else _NO_FLAG
        runs = {name: run for name, run in runs.items() if not only or run.identity == only}
        which, values = ("where run_uuid = ?", tuple(runs)) if only and len(runs) == 1 else ("", ())
        query = f"select run_uuid, key, value, step, {nan} from metrics {which} order by run_uuid, timestamp, step"
        for run_id, *point in database.rows(query, values):
            _add(runs.get(str(run_id)), *point)
        if not runs and damaged(folder, entry):
            return [StoredRun("", "", "", entry.path, problems=problems)]
    for run in runs.values():
        run.problems.extend(problems)
    for run in list(runs.values())[:1]:  # what was deleted is no matter of every other run
        run.problems += [Problem(entry.path, f"run {name} was deleted in MLflow; left out") for name in gone]
    return list(runs.values())


def last_points(folder: Folder, entry: Entry) -> list[StoredRun]:
    """The runs with the ends of their metrics; none where the database does not keep these by themselves."""
    problems: list[Problem] = []
    with opened(folder, entry, problems) as database:
        if database is None or not {*_METRICS, "is_nan"} <= set(database.columns("latest_metrics")):
            return []
        runs, _ = _runs(database, entry)
        last = list(database.rows("select run_uuid, key, value, step, is_nan from latest_metrics"))
        indexed = _INDEX in database.indexes("metrics")
        first = "select value, step, is_nan from metrics where run_uuid = ? and key = ? order by step limit ?"
        for run_id, key, value, step, is_nan in last:
            run = runs.get(str(run_id))
            for point in database.rows(first, (run_id, key, _FIRST)) if indexed and run else ():
                _add(run, key, *point)
            _add(run, key, value, step, is_nan)
    return list(runs.values()) if last and not problems else []


def _runs(database: Database, entry: Entry) -> tuple[dict[str, StoredRun], list[str]]:
    """The runs with their parameters, by their names in the database; and which were deleted."""
    runs: dict[str, StoredRun] = {}
    gone: list[str] = []
    columns = database.columns("runs")
    wanted = [name if name in columns else "null" for name in ("run_uuid", "name", "status", "lifecycle_stage")]
    for run_id, name, state, stage in database.rows(f"select {', '.join(wanted)} from runs"):
        if stage == "deleted":
            gone.append(str(name or run_id))
        else:
            runs[str(run_id)] = StoredRun(str(run_id), str(name or ""), str(state or ""), entry.path)
    if database.columns("params"):
        for run_id, key, value in database.rows("select run_uuid, key, value from params"):
            if str(run_id) in runs:
                place = Source(entry.path, f"table params, run {str(run_id)[:8]}, key {key}")
                runs[str(run_id)].params[str(key)] = str(value), place
    return runs, gone


def _add(run: StoredRun | None, key: Any, value: Any, step: Any, is_nan: Any) -> None:
    """One point of a metric."""
    at, told = number(step), number(value)
    if run is not None and at is not None and told is not None and abs(at) < 1 << 53:
        source = Source(run.file, f"table metrics, run {run.id[:8]}, key {key}, step {{row}}")
        run.log.add(str(key), at, math.nan if is_nan else unbounded(told), int(at), source)
