"""MLflow 1 to 3: runs of file stores and of databases, in any folder.

Infinities are stored as the largest float, NaN as a flag, parameters as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Witness
from dpo_report.plugins.readers.files import subs
from dpo_report.plugins.readers.mlflow.database import MAIN, databases, last_points, stored_runs
from dpo_report.plugins.readers.mlflow.files import home_of, metas, owned, stored_run
from dpo_report.plugins.readers.mlflow.stored import NAME, StoredRun, witness_of

FILES = (
    FileKind(MAIN, "log", "MLflow's database: runs, metrics and parameters"),
    FileKind("meta.yaml", "other", "when and how an MLflow run or experiment was made"),
)


def _detect(folder: Folder) -> Match | None:
    store = next(metas(folder), None)
    if store is not None:
        return Match(0.95, store.path)
    database = next(databases(folder), None)
    return Match(0.95, f"{database.path}, table metrics") if database else None


def _read(folder: Folder, *, ends: bool = False) -> Iterator[Witness]:
    """A witness for each run; with ``ends`` of its metrics what suffices for a list, and no run of a folder of which
    only reading whole tells."""
    homes: dict[str, list[StoredRun]] = {}
    own = owned(folder)
    above = {meta: home_of(meta) for meta in own}
    inside = subs(folder, set(above.values()))
    for meta, kept in own.items():
        home = above[meta]
        cut = len(home) + 1 if home else 0
        files = [Entry(entry.path[cut:], entry.size) for entry in kept]
        homes.setdefault(home, []).append(stored_run(inside[home], meta[cut:], files, ends))
    for entry in databases(folder):
        sub, file = folder.sub(entry.parent), Entry(entry.name, entry.size)
        runs = last_points(sub, file) if ends else stored_runs(sub, file)
        if runs or not ends:
            homes.setdefault(entry.parent, []).extend(runs)
        else:
            homes.pop(entry.parent, None)
    for home, runs in homes.items():
        for run in runs:
            name = run.name or run.id
            identity = "" if len(runs) == 1 else f"{name}-{run.id[:8]}" if run.name else run.id
            told = witness_of(run, home, identity)
            yield replace(told, files=tuple(dict.fromkeys((run.file, *run.files)))) if ends else told


READER = Reader(NAME, _detect, _read, "MLflow", FILES, partial(_read, ends=True))
