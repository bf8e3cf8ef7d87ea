"""Aim: its store (RocksDB) can only be read by Aim itself; the report says how to export it, and reads what comes out.

The export is Aim's own ``dataframe()`` as CSV: a row for each point, with the metric's name and context, and with the
run's hash and parameters in every row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Source, Witness
from dpo_report.plugins.readers.collect import Log, Told, as_logged, witness
from dpo_report.plugins.readers.files import first_line, head, with_suffix
from dpo_report.plugins.readers.layout import renamed
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import flatten, from_text
from dpo_report.plugins.readers.tabular import columns, read_csv

NAME = "aim"
EXPORT = (
    "aim storage reindex -y && python -c \"import aim; [r.dataframe().to_csv(f'aim-{r.run.hash}.csv') "
    "for r in aim.Repo('.').query_metrics('True').iter_runs()]\""
)
_COLUMNS = frozenset({"step", "value", "run.hash", "metric.name"})
_CONTEXT, _RUN = "metric.context.", "run."
_OWN = ("run.hash", "run.__system")
_SUBSET = "subset"


@dataclass(slots=True)
class _Exported:
    """One run of an export."""

    log: Log = field(default_factory=Log)
    names: dict[str, str] = field(default_factory=dict)
    """The name that each key has everywhere."""
    settings: dict[str, Any] = field(default_factory=dict)


def _stores(folder: Folder) -> list[str]:
    """The folders that hold an ``.aim`` folder."""
    homes = set()
    for entry in folder.entries:
        before, found, inside = f"/{entry.path}".partition("/.aim/")
        if found and inside:
            homes.add(before.lstrip("/"))
    return sorted(homes)


def _exports(folder: Folder) -> list[Entry]:
    """Tables that Aim exported."""
    tables = with_suffix(folder, (".csv",))
    return [entry for entry in tables if _COLUMNS.issubset(columns(first_line(head(folder, entry))))]


def _detect(folder: Folder) -> Match | None:
    exports = _exports(folder)
    if exports:
        return Match(0.9, exports[0].path)
    homes = _stores(folder)
    return Match(0.3, f"{homes[0]}/.aim".lstrip("/")) if homes else None


def _read(folder: Folder) -> Iterator[Witness]:
    exports = _exports(folder)
    homes: dict[str, list[Witness]] = {}
    for entry in exports:
        found = _exported(folder.sub(entry.parent), Entry(entry.name, entry.size), entry.parent)
        homes.setdefault(entry.parent, []).extend(found)
    for runs in homes.values():
        yield from runs if len(runs) > 1 else [replace(run, identity="") for run in runs]
    for home in _stores(folder):
        if not any(entry.parent == home for entry in exports):
            problem = Problem(
                ".aim",
                "an Aim store: its format (RocksDB) cannot be read without Aim",
                f"where Aim and pandas are installed, run in this folder: {EXPORT}",
            )
            yield witness(NAME, Told(), [".aim"], folder=home, problems=[problem], precision=0)


def _exported(folder: Folder, entry: Entry, home: str) -> Iterator[Witness]:
    """The runs of one exported table."""
    problems: list[Problem] = []
    runs: dict[str, _Exported] = {}
    for row in read_csv(folder, entry, problems):
        run = runs.setdefault(str(row.cells.get("run.hash", "")), _Exported())
        if not run.settings:
            run.settings = {
                name.removeprefix(_RUN).removeprefix("hparams."): from_text(str(cell))
                for name, cell in row.cells.items()
                if name.startswith(_RUN) and not name.startswith(_OWN) and cell != ""
            }
        step, value = number(row.cells.get("step")), number(row.cells.get("value"))
        if step is not None and value is not None:
            key, name = _key(row.cells)
            run.names[key] = name
            run.log.add(key, step, value, row.line, Source(entry.path, f"line {{row}}, {key}"))
    for identity, run in runs.items():
        told = run.log.told(renamed(run.names.__getitem__))
        settings = flatten(run.settings, entry.path)
        yield witness(
            NAME,
            told,
            [entry.path],
            identity=identity,
            folder=home,
            settings=settings,
            problems=problems,
            step=told.last_step(),
            precision=9,
            **as_logged(told, settings),
        )


def _key(cells: Mapping[str, Any]) -> tuple[str, str]:
    """A metric with its context as Aim shows it, and its name as it is everywhere: ``train/loss``."""
    metric = str(cells.get("metric.name", ""))
    context = {
        name.removeprefix(_CONTEXT): str(cell) for name, cell in cells.items() if name.startswith(_CONTEXT) and cell
    }
    shown = ", ".join(f"{name}={value}" for name, value in sorted(context.items()))
    subset = context.pop(_SUBSET, "")
    more = "".join(f" [{name}={value}]" for name, value in sorted(context.items()))
    return f"{metric} {{{shown}}}" if shown else metric, f"{subset}/{metric}{more}".lstrip("/")


READER = Reader(NAME, _detect, _read, "Aim", (FileKind("VERSION", "other", "the version of a store"),))
