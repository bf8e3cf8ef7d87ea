"""``emissions.csv`` of CodeCarbon, where it lies in a run's folder: energy in kWh, CO₂e in kg.

The file is appended to by every tracker of its folder, and by one tracker at each flush with the sums so far; the last
row is that of the latest. In a folder without a run (the one that a script was started in) it belongs to no run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Datum, Problem, Source, Witness
from dpo_report.plugins.reading import numeric

NAME = "emissions"
FILE = "emissions.csv"
MAX_BYTES = 4 << 20
COLUMNS = {"energy_consumed": "energy_kwh", "emissions": "co2_kg", "duration": "seconds"}
"""Columns that are read, and what we call them (units as CodeCarbon documents its CSV)."""
RUNS = ("trainer_state.json", "training_args.bin", "train_results.json", "all_results.json", "config.json",
        "adapter_config.json")  # fmt: skip
"""A folder with one of these is a run's."""
FILES = (FileKind(FILE, "metrics", "energy and emissions of the run, as CodeCarbon recorded them"),)


def detect(folder: Folder) -> Match | None:
    """Whether a run's folder has such a file; never the surest reader."""
    found = next(_files(folder), None)
    return Match(0.25, found.path) if found else None


def read(folder: Folder) -> Iterator[Witness]:
    """One witness for each such file."""
    for entry in _files(folder):
        yield _witness(folder, entry)


def _files(folder: Folder) -> Iterator[Entry]:
    for entry in folder.named(FILE):
        if entry.name == FILE and any(f"{entry.parent}/{name}".lstrip("/") in folder for name in RUNS):
            yield entry


def _witness(folder: Folder, entry: Entry) -> Witness:
    summary: dict[str, Datum] = {}
    problems = []
    try:
        data = folder.read(entry, MAX_BYTES)
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig", "replace"))))
    except (OSError, csv.Error):
        rows = []
    last, line = (rows[-1], len(rows) + 1) if rows else ({}, 0)
    for column, name in COLUMNS.items():
        number = numeric(last.get(column))
        if number is not None and number >= 0:
            summary[f"emissions/{name}"] = Datum(number, Source(FILE, f"line {line}, {column}"))
    place = last.get("country_name") or ""
    if place.strip() and "emissions/co2_kg" in summary:
        summary["emissions/place"] = Datum(" ".join(place.split())[:80], Source(FILE, f"line {line}, country_name"))
    if "emissions/energy_kwh" not in summary:
        problems.append(Problem(FILE, "tells no energy in its last row, left out"))
        summary = {}
    elif len({row.get("run_id") for row in rows}) > 1:
        problems.append(Problem(FILE, "holds several trackers' rows; the last one is taken for this run's"))
    return Witness(NAME, "", (FILE,), summary=summary, problems=tuple(problems), precision=-1, folder=entry.parent)


READER = Reader(NAME, detect, read, "CodeCarbon", FILES)
