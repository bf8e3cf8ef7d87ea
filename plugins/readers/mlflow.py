"""MLflow: the file store (``mlruns/<experiment>/<run>``) and the SQLite store (``mlflow.db``), read as files.

Read as MLflow 1 to 3 write them. Infinities are stored as the largest float, NaN as a flag, parameters as text. Values
that were all logged once, without a step, are a closing summary, not curves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Datum, Problem, RunStatus, Setting, Source, Witness
from dpo_report.plugins.readers.collect import Log, Told, as_logged, witness
from dpo_report.plugins.readers.files import head, lines, subs, with_suffix
from dpo_report.plugins.readers.hf.state import is_pointer
from dpo_report.plugins.readers.mlflowmetrics import Metric, in_order, read_metric, unbounded
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import flatten, from_text, read_yaml
from dpo_report.plugins.readers.sqlitedb import SUFFIXES, damaged, holds, opened, was

NAME = "mlflow"
_STATUS: dict[str, RunStatus] = {"3": "completed", "FINISHED": "completed", "4": "incomplete", "FAILED": "incomplete"}
_STATUS |= {"5": "incomplete", "KILLED": "incomplete"}
_RUNNING = frozenset({"1", "2", "RUNNING", "SCHEDULED"})
_METRICS = ("key", "value", "run_uuid", "step")
_DATABASES = 200
_TABLE = re.compile(rb"CREATE TABLE metrics\s*\([^;]*?\brun_uuid\b")
_STORE = frozenset({"metrics", "params", "tags"})
FILES = (
    FileKind("mlflow.db", "log", "MLflow's database: runs, metrics and parameters"),
    FileKind("meta.yaml", "other", "when and how an MLflow run or experiment was made"),
)


@dataclass(slots=True)
class _Run:
    """One run of a store."""

    id: str
    name: str
    state: str
    """MLflow's own word or number for how it ended."""
    file: str
    log: Log = field(default_factory=Log)
    params: dict[str, tuple[str, Source]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    """What the file store keeps of it."""


def _detect(folder: Folder) -> Match | None:
    store = next(_metas(folder), None)
    if store is not None:
        return Match(0.95, store.path)
    database = next(_databases(folder), None)
    return Match(0.95, f"{database.path}, table metrics") if database else None


def _metas(folder: Folder) -> Iterator[Entry]:
    """``meta.yaml`` of runs: it has a ``metrics`` or ``params`` folder beside it."""
    with_values = set()
    for entry in folder.entries:
        for kind in ("metrics/", "params/"):
            before, found, _ = entry.path.partition("/" + kind) if not entry.path.startswith(kind) else ("", kind, "")
            if found:
                with_values.add(before)
    for entry in folder.entries:
        if entry.path.rpartition("/")[2] == "meta.yaml" and entry.parent in with_values and ".trash" not in entry.path:
            yield entry


def _databases(folder: Folder) -> Iterator[Entry]:
    for entry in with_suffix(folder, SUFFIXES)[:_DATABASES]:
        if holds(folder, entry, "metrics", *_METRICS) or was(folder, entry, _TABLE, entry.name == FILES[0].pattern):
            yield entry


def _read(folder: Folder, *, ends: bool = False) -> Iterator[Witness]:
    """A witness for each run; with ``ends`` of the file store only, and of its metrics what suffices for a list."""
    homes: dict[str, list[_Run]] = {}
    owned = _owned(folder)
    above = {meta: _home(meta) for meta in owned}
    inside = subs(folder, set(above.values()))
    for meta, own in owned.items():
        home = above[meta]
        cut = len(home) + 1 if home else 0
        files = [Entry(entry.path[cut:], entry.size) for entry in own]
        homes.setdefault(home, []).append(_from_files(inside[home], meta[cut:], files, ends))
    for entry in _databases(folder):
        if ends:
            homes.pop(entry.parent, None)  # its runs are told where all is read
            continue
        sub = folder.sub(entry.parent)
        homes.setdefault(entry.parent, []).extend(_from_database(sub, Entry(entry.name, entry.size)))
    for home, runs in homes.items():
        for run in runs:
            name = run.name or run.id
            identity = "" if len(runs) == 1 else f"{name}-{run.id[:8]}" if run.name else run.id
            told = _witness(run, home, identity)
            yield replace(told, files=tuple(dict.fromkeys((run.file, *run.files)))) if ends else told


def _home(meta: str) -> str:
    """The folder around the store that a run's ``meta.yaml`` is in."""
    store = "/".join(meta.split("/")[:-3])
    return store.rpartition("/")[0] if store.rpartition("/")[2] == "mlruns" else store


def _owned(folder: Folder) -> dict[str, list[Entry]]:
    """The files of each run of the file store, by its ``meta.yaml``."""
    owned: dict[str, list[Entry]] = {meta.path: [] for meta in _metas(folder)}
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


def _from_files(folder: Folder, meta: str, entries: Iterable[Entry], ends: bool) -> _Run:
    """A run of the file store."""
    problems: list[Problem] = []
    known = read_yaml(folder, Entry(meta, 0), problems)
    home = meta.rpartition("/")[0]
    prefix = home + "/" if home else ""
    run_id = str(known.get("run_id") or known.get("run_uuid") or home.rpartition("/")[2])
    run = _Run(
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


def _from_database(folder: Folder, entry: Entry) -> list[_Run]:
    """The runs of a database that were not deleted; of a damaged one without any a run of which that alone is told."""
    problems: list[Problem] = []
    runs: dict[str, _Run] = {}
    with opened(folder, entry, problems) as database:
        if database is None:
            return [_Run("", "", "", entry.path, problems=problems)]
        columns = database.columns("runs")
        wanted = [name if name in columns else "null" for name in ("run_uuid", "name", "status", "lifecycle_stage")]
        for run_id, name, state, stage in database.rows(f"select {', '.join(wanted)} from runs"):
            if stage == "deleted":
                problems.append(Problem(entry.path, f"run {name or run_id} was deleted in MLflow; left out"))
            else:
                runs[str(run_id)] = _Run(str(run_id), str(name or ""), str(state or ""), entry.path, problems=problems)
        nan = "is_nan" if "is_nan" in database.columns("metrics") else "0"
        query = f"select run_uuid, key, value, step, {nan} from metrics order by run_uuid, timestamp, step"
        for run_id, key, value, step, is_nan in database.rows(query):
            run = runs.get(str(run_id))
            at, told = number(step), number(value)
            if run is not None and at is not None and told is not None and abs(at) < 1 << 53:
                source = Source(entry.path, f"table metrics, run {run.id[:8]}, key {key}, step {{row}}")
                run.log.add(str(key), at, math.nan if is_nan else unbounded(told), int(at), source)
        if database.columns("params"):
            for run_id, key, value in database.rows("select run_uuid, key, value from params"):
                if str(run_id) in runs:
                    place = Source(entry.path, f"table params, run {str(run_id)[:8]}, key {key}")
                    runs[str(run_id)].params[str(key)] = str(value), place
        lost = not runs and damaged(folder, entry)
    return [_Run("", "", "", entry.path, problems=problems)] if lost else list(runs.values())


def _witness(run: _Run, home: str, identity: str) -> Witness:
    told = _without_steps(run.log.told(), run.problems)
    settings = flatten({key: from_text(text) for key, (text, _) in run.params.items()}, run.file)
    settings = {key: Setting(key, one.value, _place(run.params, key, one.source)) for key, one in settings.items()}
    if run.state in _RUNNING:
        run.problems.append(
            Problem(run.file, "MLflow never recorded that this run ended: it was killed, or still runs")
        )
    return witness(
        NAME,
        told,
        [run.file, *(source.file for series in told.series for source in series.sources)],
        identity=identity,
        folder=home,
        name=run.name,
        **as_logged(told, settings),
        settings=settings,
        problems=run.problems,
        step=told.last_step(),
        ended=_STATUS.get(run.state, "unknown"),
        precision=8,
    )


def _place(params: Mapping[str, tuple[str, Source]], key: str, otherwise: Source) -> Source:
    """Where a parameter stands; a part of a nested one stands where the whole does."""
    known = params.get(key) or params.get(key.partition(".")[0])
    return known[1] if known else otherwise


def _without_steps(told: Told, problems: list[Problem]) -> Told:
    """Where every quantity was logged once, at step 0, the log is a summary."""
    if told.series and all(len(one) == 1 and one.steps[0] == 0 for one in told.series):
        for one in told.series:
            key = one.name if one.split == "train" else f"{one.split}_{one.name}"
            told.summary.setdefault(key, Datum(float(one.values[0]), one.source_at(0)))
        problems.append(Problem(told.series[0].source.file, "every metric was logged once, without a step: no curves"))
        told.series = ()
    return told


READER = Reader(NAME, _detect, _read, "MLflow", FILES, partial(_read, ends=True))
