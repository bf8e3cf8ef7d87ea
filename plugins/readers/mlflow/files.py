"""MLflow's file store: ``mlruns/<experiment>/<run>`` with a file for each metric, parameter and tag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Source
from dpo_report.plugins.readers.files import head, lines
from dpo_report.plugins.readers.hf.state import is_pointer
from dpo_report.plugins.readers.mlflow.metrics import Metric, in_order, read_metric
from dpo_report.plugins.readers.mlflow.stored import StoredRun
from dpo_report.plugins.readers.settings import read_yaml

_STORE = frozenset({"metrics", "params", "tags"})
_DELETED = re.compile(rb"^lifecycle_stage: *deleted\s*$", re.MULTILINE)


def metas(folder: Folder) -> Iterator[Entry]:
    """``meta.yaml`` of runs that were not deleted: it has a ``metrics`` or ``params`` folder beside it."""
    with_values = set()
    for entry in folder.entries:
        for kind in ("metrics/", "params/"):
            before, found, _ = entry.path.partition("/" + kind) if not entry.path.startswith(kind) else ("", kind, "")
            if found:
                with_values.add(before)
    for entry in folder.entries:
        store = entry.path.rpartition("/")[2] == "meta.yaml" and entry.parent in with_values
        if store and ".trash" not in entry.path and not _DELETED.search(head(folder, entry)):
            yield entry


def home_of(meta: str) -> str:
    """The folder around the store that a run's ``meta.yaml`` is in."""
    store = "/".join(meta.split("/")[:-3])
    return store.rpartition("/")[0] if store.rpartition("/")[2] == "mlruns" else store


def owned(folder: Folder) -> dict[str, list[Entry]]:
    """The files of each run of the file store, by its ``meta.yaml``."""
    owned: dict[str, list[Entry]] = {meta.path: [] for meta in metas(folder)}
    for entry in folder.entries:
        home = entry.parent
        while True:
            meta = f"{home}/meta.yaml" if home else "meta.yaml"
            if meta in owned:
                owned[meta].append(entry)
            if meta in owned or not home:
                break
            home = home.rpartition("/")[0]
    return owned


def stored_run(folder: Folder, meta: str, entries: Iterable[Entry], ends: bool) -> StoredRun:
    """A run of the file store."""
    problems: list[Problem] = []
    known = read_yaml(folder, Entry(meta, 0), problems)
    home = meta.rpartition("/")[0]
    prefix = home + "/" if home else ""
    run_id = str(known.get("run_id") or known.get("run_uuid") or (home or folder.root.name).rpartition("/")[2])
    run = StoredRun(
        run_id,
        str(known.get("run_name") or known.get("name") or ""),
        str(known.get("status", "")),
        meta,
        problems=problems,
    )
    metrics: list[Metric] = []
    for entry in entries:
        kind, _, key = entry.path[len(prefix) :].partition("/")
        if kind == "metrics" and key:
            metrics.append(read_metric(folder, entry, key, run.problems, ends=ends))
        elif kind == "params" and key:
            run.params[key] = _text(folder, entry), Source(entry.path)
        elif (kind, key) == ("tags", "mlflow.runName") and not run.name:
            run.name = _text(folder, entry).partition("\n")[0]
        if kind in _STORE:
            run.files.append(entry.path)
    if ends:
        in_order(metrics)
    for one in metrics:
        if one.steps:
            run.log.extend(one.key, one.steps, one.values, one.lines, one.source)
    return run


def _text(folder: Folder, entry: Entry) -> str:
    """A parameter or a tag: mostly one short line without an end."""
    start = head(folder, entry)
    if len(start) == entry.size and start.isascii() and b"\r" not in start and not is_pointer(start):
        return start.decode().removesuffix("\n")
    return "\n".join(line for _, line, _ in lines(folder, entry, []))
