"""ClearML offline sessions: ``offline-<id>`` folders and their zip archives (``task.json``, ``metrics.jsonl``).

Each line of ``metrics.jsonl`` is a list of events; ``iter`` is the step, ``metric`` the panel, ``variant`` the curve.
The archive holds the same as the folder and is read only where that is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Setting, Source, Witness
from dpo_report.plugins.readers.archive import Archive, members, opened, torn
from dpo_report.plugins.readers.collect import Log, as_logged, witness
from dpo_report.plugins.readers.files import INVALID, head, load_json, parse_json
from dpo_report.plugins.readers.keys import SINGLE
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import flatten, from_text
from dpo_report.plugins.readers.tabular import read_jsonl

NAME = "clearml"
_TASK, _METRICS = "task.json", "metrics.jsonl"
_INNER = ("cache/offline", "offline", ".clearml/cache/offline")
_SCALAR = "training_stats_scalar"
_NO_STEP = -(1 << 31)
"""The step of a value that was reported once."""


def _sessions(folder: Folder) -> Iterator[tuple[Entry, str]]:
    """Each session: its ``task.json`` or its archive, and its name."""
    seen = set()
    for entry in folder.entries:
        if entry.name == _TASK and (entry.parent.rpartition("/")[2].startswith("offline-") or _is_task(folder, entry)):
            seen.add(entry.parent.rpartition("/")[2])
            yield entry, entry.parent
    for entry in folder.entries:
        stem = entry.name.removesuffix(".zip")
        if stem == entry.name or stem in seen or not (stem.startswith("offline-") or folder.only is not None):
            continue
        if {_TASK, _METRICS} <= set(members(folder, entry)) or torn(folder, entry, _TASK, _METRICS):
            yield entry, entry.path.removesuffix(".zip")


def _is_task(folder: Folder, entry: Entry) -> bool:
    start = head(folder, entry)
    return b'"hyperparams"' in start and b'"execution"' in start


def _detect(folder: Folder) -> Match | None:
    found = next(_sessions(folder), None)
    return Match(0.9, found[0].path) if found else None


def _read(folder: Folder) -> Iterator[Witness]:
    homes: dict[str, list[tuple[Entry, str]]] = {}
    for entry, place in _sessions(folder):
        above = place.rpartition("/")[0]
        inner = next((part for part in _INNER if above == part or above.endswith("/" + part)), "")
        homes.setdefault(above[: len(above) - len(inner)].rstrip("/"), []).append((entry, place))
    for home, sessions in homes.items():
        sub, cut = folder.sub(home), len(home) + 1 if home else 0
        for entry, place in sessions:
            identity = "" if len(sessions) == 1 else place.rpartition("/")[2]
            yield _session(sub, Entry(entry.path[cut:], entry.size), home, identity)


def _session(folder: Folder, entry: Entry, home: str, identity: str) -> Witness:
    problems: list[Problem] = []
    if entry.name == _TASK:
        task = load_json(folder, entry, problems) or {}
        path = f"{entry.parent}/{_METRICS}".lstrip("/")
        own = next((other for other in folder.entries if other.path == path), None)
        events: Iterable[tuple[int, Any]] = (
            ((r.line, r.cells) for r in read_jsonl(folder, own, problems)) if own else ()
        )
        log, files, place = _log(events, path, ""), [entry.path, path], entry.path
        if own is None:
            problems.append(Problem(entry.path, f"no {_METRICS} beside it: the session logged no metrics"))
    else:
        with opened(folder, entry, problems) as archive:
            task = parse_json(archive.read(_TASK)) if archive else {}
            task = task if isinstance(task, dict) else {}
            log = _log(_events(archive), entry.path, f"{_METRICS} ") if archive else Log()
        files, place = [entry.path], entry.path
    told = log.told()
    settings = _settings(task, place)
    return witness(
        NAME,
        told,
        files,
        identity=identity,
        folder=home,
        name=str(task.get("name") or ""),
        **as_logged(told, settings),
        settings=settings,
        problems=problems,
        step=told.last_step(),
        precision=8,
    )


def _events(archive: Archive) -> Iterator[tuple[int, Any]]:
    for line, text in archive.lines(_METRICS):
        value = parse_json(text)
        if value is not INVALID:
            for item in value if isinstance(value, list) else [value]:
                yield line, item


def _log(events: Iterable[tuple[int, Any]], file: str, within: str) -> Log:
    """Scalars by ``metric/variant``; the panel ``Summary`` holds what belongs to no panel."""
    log = Log()
    for line, event in events:
        if not isinstance(event, dict) or event.get("type") != _SCALAR:
            continue
        step, value = number(event.get("iter")), number(event.get("value"))
        if step is None or value is None:
            continue
        panel, curve = str(event.get("metric", "")), str(event.get("variant", ""))
        if panel.startswith(":monitor"):
            continue
        key = curve if panel in ("Summary", "") else panel if panel == curve else f"{panel}/{curve}"
        if step == _NO_STEP:
            key = SINGLE + key
        log.add(key, step, value, line, Source(file, f"{within}line {{row}}, {panel}/{curve}"))
    return log


_ENUMS = frozenset({"eval_strategy", "evaluation_strategy", "hub_strategy", "logging_strategy", "lr_scheduler_type",
                    "optim", "save_strategy"})  # fmt: skip
"""Arguments of transformers that ClearML writes by the name of their enumeration's member (``LINEAR``)."""


def _settings(task: Mapping[str, Any], file: str) -> dict[str, Setting]:
    """Hyper-parameters of every section, without the section's name."""
    found: dict[str, Any] = {}
    sections = task.get("hyperparams")
    for section in sections.values() if isinstance(sections, dict) else ():
        for name, item in section.items() if isinstance(section, dict) else ():
            if isinstance(item, dict) and "value" in item and not name.startswith("_"):
                key, value = name.replace("/", "."), from_text(str(item["value"]))
                found.setdefault(key, value.lower() if key in _ENUMS and isinstance(value, str) else value)
    return flatten(found, file, "hyperparams.")


READER = Reader(
    NAME,
    _detect,
    _read,
    "ClearML offline",
    (
        FileKind("offline-*.zip", "log", "a ClearML session that waits to be uploaded"),
        FileKind("task.json", "config", "a ClearML session's name and hyper-parameters"),
    ),
)
