"""All that SwanLab's folders tell: a witness for each run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, RunStatus, Setting, Witness
from dpo_report.plugins.readers import method
from dpo_report.plugins.readers.collect import Told, witness
from dpo_report.plugins.readers.files import head, subs
from dpo_report.plugins.readers.keys import mapping
from dpo_report.plugins.readers.points import Part, Points, told
from dpo_report.plugins.readers.swanlab.folder import CONFIG, METADATA, is_log, read_logs, settings, versions
from dpo_report.plugins.readers.swanlab.store import MAGIC, Store
from dpo_report.plugins.readers.swanlab.store import read as read_store

NAME = "swanlab"
TITLE = "SwanLab, offline and local runs"
PRECISION = 6
FILES = (
    FileKind("*.swanlab", "log", "everything that SwanLab logged of the run"),
    FileKind("swanlab-metadata.json", "other", "the machine and the program, as SwanLab saw them"),
)
_INDEX = "runs.swanlab"
"""The local dashboard's database, for all runs."""


def detect(folder: Folder) -> Match | None:
    """Whether there are ``.swanlab`` files or the logs of SwanLab's local dashboard."""
    found = next((entry for entry in folder.entries if _is_store(folder, entry)), None)
    if found is not None:
        return Match(0.7, found.path)
    logs = next((entry for entry in folder.entries if is_log(entry.path) and _is_run(folder, entry)), None)
    return Match(0.5, logs.path) if logs is not None else None


def read(folder: Folder, *, ends: bool = False) -> Iterator[Witness]:
    """A witness for every run in a folder; with ``ends`` of its first and last records only."""
    stores = {entry.parent: entry for entry in folder.entries if _is_store(folder, entry)}
    logs: dict[str, list[Entry]] = {}
    for entry in folder.entries:
        if is_log(entry.path) and _is_run(folder, entry):
            logs.setdefault("/".join(entry.path.split("/")[:-3]), []).append(entry)
    homes = dict.fromkeys((*stores, *logs))
    inside = subs(folder, homes)
    for home in homes:
        own = inside[home]
        cut = len(home) + 1 if home else 0
        if home in stores:
            found = [read_store(own, Entry(stores[home].path[cut:], stores[home].size), ends=ends)]
        else:
            found = read_logs(own, [Entry(entry.path[cut:], entry.size) for entry in logs[home]])
        yield _witness(own, home, found)


def _is_store(folder: Folder, entry: Entry) -> bool:
    if entry.name.endswith(".swanlab") and entry.name != _INDEX:
        return True
    return folder.only is not None and head(folder, entry)[:4] == MAGIC


def _is_run(folder: Folder, entry: Entry) -> bool:
    """Whether a log stands in a run's folder: SwanLab's files are beside it, or the line is SwanLab's."""
    home = "/".join(entry.path.split("/")[:-3])
    if f"{home}/{METADATA}".lstrip("/") in folder:
        return True
    return head(folder, entry).startswith(b'{"index":')


def _witness(folder: Folder, home: str, stores: list[Store]) -> Witness:
    problems = [problem for store in stores for problem in store.problems]
    parts: list[Part] = []
    for store in stores:
        arrays = {k: Points(np.array(s), np.array(v), np.array(r, np.int64)) for k, (s, v, r) in store.columns.items()}
        word = "line" if store.path.endswith(".log") else "record"
        parts.append(Part(store.path, arrays, (word + " {{row}}, {}").format))
    log = told(parts, mapping(key for part in parts for key in part.columns)) if parts else Told()
    config: dict[str, Setting] = {}
    known: dict[str, str] = {}
    files = [store.path for store in stores]
    for entry in folder.entries:
        if entry.path == CONFIG:
            config = settings(folder, entry, problems)
            files.append(entry.path)
        elif entry.path == METADATA:
            known = versions(folder, entry, problems)
            files.append(entry.path)
    ended: RunStatus = "unknown"
    finished = stores[0].finished if stores else None
    if {"train_loss", "train_runtime"} & log.summary.keys():
        ended = "completed"
    elif finished is not None:
        ended = "completed" if finished else "incomplete"
    elif log.series and stores[0].path.endswith(".swanlab"):
        problems.append(
            Problem(stores[0].path, "SwanLab never recorded that this run ended: it was killed, or still runs")
        )
    trained = method.tell({one.name for one in log.series if one.split == "train"}, config)
    return witness(
        NAME,
        log,
        files,
        folder=home,
        name=stores[0].name if stores else "",
        trainer=trained.trainer,
        method=trained.said,
        settings=config,
        versions=known,
        problems=problems,
        step=log.last_step(),
        ended=ended,
        precision=PRECISION,
    )


READER = Reader(NAME, detect, read, TITLE, FILES, partial(read, ends=True))
