"""Comet offline experiments: a zip archive with ``experiment.json`` and ``messages.json``, one message a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Setting, Source, Witness
from dpo_report.plugins.readers.archive import Archive, members, opened, torn
from dpo_report.plugins.readers.collect import Log, as_logged, witness
from dpo_report.plugins.readers.files import INVALID, parse_json
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import flatten, from_text

NAME = "comet"
_EXPERIMENT = "experiment.json"
_MESSAGES = ("messages.json", "messages.jsonl")
_SYSTEM = ("sys.", "curr_", "process ")
_FOLDERS = frozenset({"comet", ".cometml-runs", "cometml-runs", "comet_offline"})
_PACKAGES = frozenset(
    {"torch", "transformers", "trl", "peft", "accelerate", "datasets", "comet_ml", "lightning", "keras"}
)
_ARCHIVES = 500


def _experiments(folder: Folder) -> Iterator[Entry]:
    for entry in [e for e in folder.entries if e.path.endswith(".zip")][:_ARCHIVES]:
        names = members(folder, entry)
        if (_EXPERIMENT in names and set(_MESSAGES) & set(names)) or torn(folder, entry, _EXPERIMENT, *_MESSAGES):
            yield entry


def _detect(folder: Folder) -> Match | None:
    found = next(_experiments(folder), None)
    return Match(0.9, f"{found.path}, {_EXPERIMENT}") if found else None


def _read(folder: Folder) -> Iterator[Witness]:
    homes: dict[str, list[Entry]] = {}
    for entry in _experiments(folder):
        above, _, last = entry.parent.rpartition("/")
        homes.setdefault(above if last in _FOLDERS else entry.parent, []).append(entry)
    for home, entries in homes.items():
        sub, cut = folder.sub(home), len(home) + 1 if home else 0
        for entry in entries:
            identity = "" if len(entries) == 1 else entry.name.removesuffix(".zip")
            yield _experiment(sub, Entry(entry.path[cut:], entry.size), home, identity)


def _experiment(folder: Folder, entry: Entry, home: str, identity: str) -> Witness:
    problems: list[Problem] = []
    log, settings, versions = Log(), {}, {}  # type: Log, dict[str, Setting], dict[str, str]
    about: Any = {}
    with opened(folder, entry, problems) as archive:
        if archive is not None:
            about = parse_json(archive.read(_EXPERIMENT))
            name = next(name for name in _MESSAGES if name in archive.names)
            bad = _messages(archive, entry.path, name, log, settings, versions)
            if bad:
                problems.append(Problem(entry.path, f"{name}: lines that are no message (first: {bad}) left out"))
    about = about if isinstance(about, dict) else {}
    told = log.told()
    empty = not (told.series or told.summary or problems)
    if empty:
        problems.append(Problem(entry.path, "the experiment logged no metrics with a step"))
    return witness(
        NAME,
        told,
        [entry.path],
        identity=identity,
        folder=home,
        name=str(about.get("experiment_name") or about.get("project_name") or ""),
        **as_logged(told, settings) | {"versions": versions},
        settings=settings,
        problems=problems,
        step=told.last_step(),
        precision=8,
        ended="no-metrics" if empty else "unknown",
    )


def _messages(
    archive: Archive, file: str, member: str, log: Log, settings: dict[str, Setting], versions: dict[str, str]
) -> int:
    """Sort the messages of an experiment; gives the first line that is none, or 0."""
    bad = 0
    for line, text in archive.lines(member):
        message = parse_json(text)
        payload = message.get("payload") if isinstance(message, dict) else None
        if message is INVALID or not isinstance(payload, dict):
            bad = bad or line
            continue
        source = Source(file, f"{member} line {{row}}")
        if isinstance(payload.get("metric"), dict):
            _metric(payload["metric"], line, source, log)
        elif isinstance(payload.get("param"), dict):
            name, value = str(payload["param"].get("paramName")), payload["param"].get("paramValue")
            if not name.startswith(_SYSTEM):
                value = from_text(value) if isinstance(value, str) else value
                told = flatten({name: value}, file)
                settings |= {
                    key: Setting(key, one.value, Source(file, f"{member} line {line}")) for key, one in told.items()
                }
        elif isinstance(payload.get("installed_packages"), list):
            versions |= _versions(payload["installed_packages"])
    return bad


def _metric(metric: Mapping[str, Any], line: int, source: Source, log: Log) -> None:
    key, value, step = str(metric.get("metricName")), number(metric.get("metricValue")), number(metric.get("step"))
    if value is not None and step is not None and not key.startswith(_SYSTEM):
        log.add(key, step, value, line, Source(source.file, f"{source.where}, {key}"))


def _versions(packages: list[Any]) -> dict[str, str]:
    """The versions of the libraries that train, of all that were installed."""
    pairs = (str(package).partition("==") for package in packages)
    return {name: version for name, _, version in pairs if name in _PACKAGES and version}


READER = Reader(
    NAME,
    _detect,
    _read,
    "Comet offline",
    (FileKind("*.zip", "other", "an archive; Comet and ClearML keep what waits to be uploaded in such"),),
)
