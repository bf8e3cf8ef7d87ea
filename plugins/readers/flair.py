"""Flair: ``loss.tsv``, and ``training.log`` for its parameters, versions and closing scores.

The table is tab separated, in upper case, with the time of day only; the rate has four decimals, so that the small
rates of fine-tuning stand there as 0.0000. Releases before 0.5 wrote one cell too many where a set was not scored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dpo_report.core.contract import FileKind
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Datum, Problem, Setting, Source
from dpo_report.plugins.readers.files import first_line, lines
from dpo_report.plugins.readers.layout import Found, Layout, first_of, renamed, without
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import flatten, from_text
from dpo_report.plugins.readers.tabular import Row, columns

_PARAMETER = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ +- (\w{1,60}): \"(.{0,200})\"\s*$")
_SCORE = re.compile(r"^- ([A-Za-z][\w() -]{0,40}?):? ([\d.]+)\s*$")
_RATE = "LEARNING_RATE"
_SMALL = 0.01
"""Smaller rates are cut by the four decimals."""


def _knows(name: str, start: bytes) -> float:
    header = columns(first_line(start))
    return 0.95 if header[:2] == ["EPOCH", "TIMESTAMP"] and "TRAIN_LOSS" in header else 0.0


def _rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    """The table's rows; the empty cells that are too many in rows of old releases are left out."""
    names: list[str] = []
    shifted = cut = 0
    for line, text, whole in lines(folder, entry, problems):
        cells = [cell.strip() for cell in text.split("\t")]
        if cells[0] == "EPOCH":
            names = cells
            continue
        if len(cells) > len(names):
            shifted = shifted or line
            cells = [cell for cell in cells if cell]
        if len(cells) != len(names) or (not whole and len(cells) < 2):
            cut = cut or line
            continue
        found = dict(zip(names, cells, strict=True))
        rate = number(found.get(_RATE))
        if rate is not None and rate < _SMALL:
            found.pop(_RATE)
        yield Row(line, found)
    if shifted:
        said = f"rows have more cells than the header (first in line {shifted}), as old releases of Flair write them"
        problems.append(Problem(entry.path, f"{said}; the empty ones were left out"))
    if cut:
        problems.append(Problem(entry.path, f"rows that do not fit the header (first in line {cut}) left out"))


def _complete(folder: Folder, found: Found) -> None:
    found.extra["trainer"] = "flair.trainers.ModelTrainer"
    log = next((entry for entry in folder.entries if entry.path == "training.log"), None)
    if log is None:
        return
    found.files.append(log.path)
    settings: dict[str, Any] = {}
    scores: dict[str, Datum] = {}
    closing = False
    for line, text, _ in lines(folder, log, found.problems):
        if match := _PARAMETER.match(text):
            settings.setdefault(match.group(1), from_text(match.group(2)))
        elif text.startswith("Results:"):
            closing = True
        elif closing and (match := _SCORE.match(text)):
            name = re.sub(r"\W+", "_", match.group(1).lower()).strip("_")
            scores[f"test_{name}"] = Datum(float(match.group(2)), Source(log.path, f"line {line}"))
    found.told.summary.update(scores)
    found.extra["settings"] = told = flatten(settings, log.path)
    found.extra["ended"] = "completed" if scores or _all_epochs(found, told) else "unknown"


def _all_epochs(found: Found, settings: dict[str, Setting]) -> bool:
    """Whether as many epochs were trained as were asked for."""
    planned = settings.get("max_epochs")
    return planned is not None and number(planned.value) == number(found.last.get("EPOCH"))


READER = Layout(
    "flair",
    "Flair",
    (".tsv", ".txt"),
    _knows,
    _rows,
    first_of("EPOCH"),
    cells=without("EPOCH", "TIMESTAMP", "BAD_EPOCHS"),
    namer=renamed(str.lower),
    counts="epoch",
    note="Flair logs by epoch and rounds to four digits",
    complete=_complete,
    files=(
        FileKind("loss.tsv", "log", "Flair's log: one row for each epoch"),
        FileKind("training.log", "log", "what Flair printed while training"),
    ),
).reader()
