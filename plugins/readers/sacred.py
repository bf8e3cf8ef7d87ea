"""Sacred's file observer: ``run.json``, ``metrics.json`` and ``config.json`` in a numbered folder for each run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Datum, Problem, RunStatus, Source, Witness
from dpo_report.plugins.readers.collect import Log, witness
from dpo_report.plugins.readers.files import head, load_json, named, subs
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import from_json

NAME = "sacred"
_STATUS: dict[str, RunStatus] = {"COMPLETED": "completed", "FAILED": "incomplete", "INTERRUPTED": "incomplete"}


def _runs(folder: Folder) -> Iterator[Entry]:
    for entry in named(folder, "run.json"):
        start = head(folder, entry)
        if b'"artifacts"' in start or b'"experiment"' in start or b'"heartbeat"' in start:
            yield entry


def _detect(folder: Folder) -> Match | None:
    found = next(_runs(folder), None)
    return Match(0.9, found.path) if found else None


def _read(folder: Folder) -> Iterator[Witness]:
    runs = list(_runs(folder))
    inside = subs(folder, {entry.parent for entry in runs})
    for entry in runs:
        yield _witness(inside[entry.parent], Entry(entry.name, entry.size), entry.parent)


def _witness(folder: Folder, entry: Entry, home: str) -> Witness:
    problems: list[Problem] = []
    about: dict[str, Any] = load_json(folder, entry, problems) or {}
    own = {path: next((e for e in folder.entries if e.path == path), None) for path in ("metrics.json", "config.json")}
    metrics, config = own["metrics.json"], own["config.json"]
    log = Log()
    for key, series in ((load_json(folder, metrics, problems) or {}) if metrics else {}).items():
        steps, values = (series.get(part) for part in ("steps", "values")) if isinstance(series, dict) else (None, None)
        if not isinstance(steps, list) or not isinstance(values, list):
            problems.append(Problem("metrics.json", f"{key} has no steps and values, left out"))
            continue
        for place, (step, value) in enumerate(zip(steps, values, strict=False)):
            at, told = number(step), number(value)
            if at is not None and told is not None:
                log.add(key, at, told, place, Source("metrics.json", f"{key}.values[{{row}}]"))
    state = str(about.get("status", ""))
    told_all = log.told()
    if state in ("FAILED", "INTERRUPTED", "DIED", "TIMED_OUT"):
        said = f"the run ended as {state}{_error(about)}" + ("" if told_all.series else ", and logged no metrics")
        problems.append(Problem(entry.path, said))
    elif state == "RUNNING":
        problems.append(Problem(entry.path, "Sacred never recorded that this run ended: it was killed, or still runs"))
    if (result := number(about.get("result"))) is not None:
        told_all.summary["result"] = Datum(result, Source(entry.path, "result"))
    found = about.get("experiment")
    experiment: dict[str, Any] = found if isinstance(found, dict) else {}
    name = experiment.get("name")
    return witness(
        NAME,
        told_all,
        [entry.path, *(one.path for one in (metrics, config) if one)],
        folder=home,
        name=f"{name}-{home.rpartition('/')[2]}" if name and home else str(name or ""),
        settings={k: v for k, v in from_json(folder, config, problems).items() if not k.startswith("__")}
        if config
        else {},
        versions=_versions(experiment.get("dependencies")),
        problems=problems,
        step=told_all.last_step(),
        ended=_STATUS.get(state, "unknown"),
        precision=7,
    )


def _error(about: dict[str, Any]) -> str:
    """The last line of a failed run's trace: what was raised."""
    trace = about.get("fail_trace")
    last = trace[-1].strip() if isinstance(trace, list) and trace and isinstance(trace[-1], str) else ""
    return f" ({last[:200]})" if last else ""


def _versions(dependencies: Any) -> dict[str, str]:
    """Versions of the libraries that an experiment imports."""
    listed = dependencies if isinstance(dependencies, list) else []
    pairs = (str(one).partition("==") for one in listed[:100])
    return {name: version for name, _, version in pairs if version}


FILES = (
    FileKind("run.json", "log", "how a Sacred run was started, and how it ended"),
    FileKind("cout.txt", "log", "what a Sacred run printed"),
)
READER = Reader(NAME, _detect, _read, "Sacred", FILES)
