"""Keras: the CSVLogger's table (any separator and name), and a dumped ``History`` (an object of equally long lists).

Epochs count from 0. ``loss`` is the running mean over the epoch, ``val_loss`` is measured at its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dpo_report.core.contract import FileKind
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.files import first_line, load_json
from dpo_report.plugins.readers.layout import Found, Layout, first_of, without
from dpo_report.plugins.readers.regular import csv_table
from dpo_report.plugins.readers.tabular import Row, columns, read_csv

_HISTORY = re.compile(rb'^\s*\{\s*"[^"{}\[\]]{1,80}"\s*:\s*\[\s*(?:-?[\d.]|NaN)')
_OTHERS = frozenset({"step", "batch", "time", "train_loss", "valid_loss", "iteration"})


def _knows(name: str, start: bytes) -> float:
    if _HISTORY.match(start):
        return 0.6 if b'"loss"' in start and (b'"val_loss"' in start or name.startswith("history")) else 0.0
    header = columns(first_line(start))
    rest = header[1:]
    if header[:1] != ["epoch"] or "loss" not in rest or _OTHERS & set(rest) or rest != sorted(rest):
        return 0.0
    second = start.split(b"\n", 2)[1] if start.count(b"\n") > 1 else b"0"
    return (0.8 if "val_loss" in rest else 0.6) if re.match(rb"^0\D", second + b"\n") else 0.0


def _rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    if entry.name.endswith(".json"):
        yield from history_rows(load_json(folder, entry, problems) or {}, 0)
    else:
        yield from read_csv(folder, entry, problems)


def history_rows(history: dict[str, Any], first: int) -> Iterator[Row]:
    """Rows of an object of lists, numbered from ``first``; the place in the list stands for the line."""
    lists = {key: value for key, value in history.items() if isinstance(value, list) and key != "epoch"}
    for place in range(max(map(len, lists.values()), default=0)):
        yield Row(
            place, {key: value[place] for key, value in lists.items() if place < len(value)} | {"epoch": place + first}
        )


def _complete(folder: Folder, found: Found) -> None:
    found.extra["trainer"] = "keras.Model"


READER = Layout(
    "keras",
    "Keras",
    (".csv", ".tsv", ".log", ".txt", ".json"),
    _knows,
    _rows,
    first_of("epoch"),
    cells=without("epoch"),
    where=lambda name: "{key}[{row}]" if name.endswith(".json") else "line {row}, column {key}",
    counts="epoch",
    note="Keras logs by epoch and counts from 0; loss is the running mean over the epoch",
    complete=_complete,
    precision=6,
    table=csv_table,
    files=(
        FileKind("*.keras", "weights", "a Keras model: architecture, weights and optimizer"),
        FileKind("*.h5", "weights", "weights in the HDF5 format"),
    ),
).reader()
