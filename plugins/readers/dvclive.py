"""DVCLive: a table for each metric (``dvclive/plots/metrics/**.tsv``), ``metrics.json``, ``params.yaml``.

``step`` counts the calls of ``next_step``. The Hugging Face callback calls it at every log, so that it is no optimizer
step there; the step is then worked out from the logged epoch and ``logging_steps``, and the report says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Setting, Source, Witness
from dpo_report.plugins.readers.collect import Log, as_logged, witness
from dpo_report.plugins.readers.files import subs
from dpo_report.plugins.readers.keys import mapping
from dpo_report.plugins.readers.llamafactory import settings_value
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import flatten, read_yaml
from dpo_report.plugins.readers.tabular import read_csv

NAME = "dvclive"
_PLOTS = "plots/metrics/"
_HF = frozenset({"train/runtime", "train/samples_per_second"})
_SUMMARY = {f"train/{name}": f"train_{name}" for name in ("loss", "runtime", "samples_per_second", "steps_per_second")}
FILES = (
    FileKind("dvc.yaml", "config", "which files DVC tracks as parameters, metrics and plots"),
    FileKind("params.yaml", "config", "the parameters that DVCLive was given"),
)


def _tables(folder: Folder) -> Iterator[tuple[Entry, str, str]]:
    """Every metric's table, the DVCLive folder that it is in, and its key."""
    for entry in folder.entries:
        if entry.path.endswith(".tsv"):
            where = f"/{entry.path}".find(f"/{_PLOTS}")
            if where >= 0:
                home, key = entry.path[:where].rstrip("/"), entry.path[where + len(_PLOTS) :].removesuffix(".tsv")
                yield entry, home, key


def _detect(folder: Folder) -> Match | None:
    found = next(_tables(folder), None)
    return Match(0.9, found[0].path) if found else None


def _read(folder: Folder) -> Iterator[Witness]:
    homes: dict[str, list[tuple[Entry, str]]] = {}
    for entry, live, key in _tables(folder):
        homes.setdefault(live, []).append((entry, key))
    above = {
        live: live.removesuffix("dvclive").rstrip("/") if f"/{live}".endswith("/dvclive") else live for live in homes
    }
    inside = subs(folder, set(above.values()))
    for live, tables in homes.items():
        home = above[live]
        yield _witness(inside[home], home, live[len(home) + 1 if home else 0 :], tables, len(home) + 1 if home else 0)


def _witness(folder: Folder, home: str, live: str, tables: list[tuple[Entry, str]], cut: int) -> Witness:
    problems: list[Problem] = []
    prefix = live + "/" if live else ""
    params = next((e for e in folder.entries if e.path == f"{prefix}params.yaml"), None)
    settings = flatten(read_yaml(folder, params, problems), params.path) if params else {}
    rows: dict[str, list[tuple[float, float, int]]] = {}
    places: dict[str, str] = {}
    for entry, key in tables:
        own = Entry(entry.path[cut:], entry.size)
        places[key] = own.path
        rows[key] = list(_points(folder, own, key, problems))
    from_zero = any(points and points[0][0] == 0 for points in rows.values())
    steps = _real_steps(rows, settings) if _HF & rows.keys() else None
    if steps:
        text = "DVCLive counts logs, not optimizer steps; steps are worked out from the logged epoch and logging_steps"
        problems.append(Problem(f"{prefix}plots", text))
    elif _HF & rows.keys():
        problems.append(Problem(f"{prefix}plots", "the steps are DVCLive's own count of logs, not optimizer steps"))
    elif from_zero:
        problems.append(Problem(f"{prefix}plots", "DVCLive counts steps from 0: step 3 is the fourth"))
    log = Log()
    for key, points in rows.items():
        own_key = _SUMMARY.get(key, key) if _HF & rows.keys() else key
        for at, value, line in points:
            log.add(own_key, steps.get(at, at) if steps else at, value, line, Source(places[key], "line {row}"))
    context = {"train_runtime"} if _HF & rows.keys() else set()
    told = log.told(lambda keys: {k: known for k, known in mapping([*keys, *context]).items() if k in log.keys})
    last = told.last_step() if steps or not _HF & rows.keys() else None
    return witness(
        NAME,
        told,
        [*places.values(), *([params.path] if params else [])],
        folder=home,
        **as_logged(told, settings),
        settings=settings,
        problems=problems,
        step=last + 1 if last is not None and from_zero and not _HF & rows.keys() else last,
        precision=4 if steps else 7,
    )


def _points(folder: Folder, entry: Entry, key: str, problems: list[Problem]) -> Iterator[tuple[float, float, int]]:
    """Step, value and line of each row of a metric's table."""
    for row in read_csv(folder, entry, problems, comments=""):
        values = {name: cell for name, cell in row.cells.items() if name not in ("step", "timestamp")}
        step = number(row.cells.get("step"))
        value = number(next(iter(values.values()), None))
        if step is not None and value is not None:
            yield step, value, row.line


def _real_steps(
    rows: Mapping[str, list[tuple[float, float, int]]], settings: Mapping[str, Setting]
) -> dict[float, float] | None:
    """The optimizer step of each log: training rows come every ``logging_steps``, and the epoch grows evenly."""
    epochs = {at: value for at, value, _ in rows.get("epoch", ())}
    every: Any = settings_value(settings, "logging_steps")
    trained = sorted(at for at, _, _ in rows.get("loss", ()) if at in epochs)
    if not isinstance(every, int) or isinstance(every, bool) or every < 1 or not trained or not epochs[trained[-1]] > 0:
        return None
    if settings_value(settings, "logging_first_step") is True and every > 1:
        trained = trained[1:]
    if not trained:
        return None
    pace = float(min(every, 1 << 53)) * len(trained) / epochs[trained[-1]]
    return {at: float(np.round(epoch * pace)) for at, epoch in epochs.items()}


READER = Reader(NAME, _detect, _read, "DVCLive", FILES)
