"""Aim: its store (RocksDB) can only be read by Aim itself; the report says how to export it."""

from __future__ import annotations

from collections.abc import Iterator

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Folder
from dpo_report.core.model import Problem, Witness
from dpo_report.plugins.readers.collect import Told, witness

NAME = "aim"
EXPORT = (
    "python -c \"import aim; [runs.dataframe().to_csv(f'aim-{runs.run.hash}.csv') "
    "for runs in aim.Repo('.').query_metrics('True').iter_runs()]\""
)


def _stores(folder: Folder) -> list[str]:
    """The folders that hold an ``.aim`` folder."""
    homes = set()
    for entry in folder.entries:
        before, found, inside = f"/{entry.path}".partition("/.aim/")
        if found and inside:
            homes.add(before.lstrip("/"))
    return sorted(homes)


def _detect(folder: Folder) -> Match | None:
    homes = _stores(folder)
    return Match(0.3, f"{homes[0]}/.aim".lstrip("/")) if homes else None


def _read(folder: Folder) -> Iterator[Witness]:
    for home in _stores(folder):
        problem = Problem(
            ".aim",
            "an Aim store: its format (RocksDB) cannot be read without Aim",
            f"where Aim is installed, run in this folder: {EXPORT}",
        )
        yield witness(NAME, Told(), [".aim"], folder=home, problems=[problem], precision=0)


READER = Reader(NAME, _detect, _read, "Aim", (FileKind("VERSION", "other", "the version of a store"),))
