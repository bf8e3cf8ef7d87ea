"""MLflow 1 to 3: runs of file stores and of databases, in any folder.

Infinities are stored as the largest float, NaN as a flag, parameters as text.
"""

from __future__ import annotations

from collections import Counter
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
    database = next(iter(databases(folder)), None)
    return Match(0.95, f"{database.path}, table metrics") if database else None


def _read(folder: Folder, *, ends: bool = False) -> Iterator[Witness]:
    """A witness for each run; with ``ends`` of its metrics what suffices for a list, and no run of a folder of which
    only reading whole tells.

    Runs of a file store have folders of their own; a single one is the run of the folder around the store.
    """
    own = owned(folder)
    kept = databases(folder)
    around = Counter([*map(home_of, own), *(entry.parent for entry in kept)])
    homes = {meta: home_of(meta) if around[home_of(meta)] == 1 else meta.rpartition("/")[0] for meta in own}
    inside = subs(folder, set(homes.values()))
    for meta, home in homes.items():
        cut = len(home) + 1 if home else 0
        files = [Entry(entry.path[cut:], entry.size) for entry in own[meta]]
        run = stored_run(inside[home], meta[cut:], files, ends)
        told = witness_of(run, home, "")
        yield replace(told, files=tuple(dict.fromkeys((run.file, *run.files)))) if ends else told
    by_home: dict[str, list[StoredRun]] = {}
    for entry in kept:
        sub, file = folder.sub(entry.parent), Entry(entry.name, entry.size)
        by_home.setdefault(entry.parent, []).extend(last_points(sub, file) if ends else stored_runs(sub, file))
    for home, runs in by_home.items():
        for run in runs:
            yield witness_of(run, home, "" if len(runs) == 1 else run.identity)


def _one(folder: Folder, identity: str) -> Iterator[Witness]:
    """A run of a database at the top of a folder."""
    for entry in databases(folder.holding(entry for entry in folder.entries if not entry.parent)):
        for run in stored_runs(folder, entry, identity):
            if run.identity == identity:
                yield witness_of(run, "", identity)


READER = Reader(NAME, _detect, _read, "MLflow", FILES, partial(_read, ends=True), _one)
