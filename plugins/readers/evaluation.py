"""``evaluation/*.json``: what ``dpo-report evaluate`` found on held-out pairs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Datum, Problem, Series, Source, Witness
from dpo_report.core.slugs import slug

NAME = "evaluation"
KIND = b'"kind": "preference-evaluation"'
SCHEMA = 1
FOLDER = "evaluation"
MAX_BYTES = 16 << 20
FILES = (
    FileKind("*.pairs.jsonl", "metrics", "log-probabilities of every held-out pair, by dpo-report evaluate"),
    FileKind("*.generations.jsonl", "metrics", "answers of the model and of the one that it started from"),
)
SERIES = {"loss": "loss", "rewards/accuracies": "accuracy", "rewards/margins": "margin"}
"""Logged names, and ours, of what an evaluation tells at one step."""


def detect(folder: Folder) -> Match | None:
    """Whether there are results of ours; never the surest reader, as a trainer's files tell more."""
    found = next(_results(folder), None)
    return Match(0.3, found.path) if found else None


def read(folder: Folder) -> Iterator[Witness]:
    """One witness for each run folder that holds results."""
    homes: dict[str, list[Entry]] = {}
    for entry in _results(folder):
        homes.setdefault(entry.parent.rpartition("/")[0], []).append(entry)
    for home, entries in homes.items():
        yield _witness(folder, home, entries)


def _results(folder: Folder) -> Iterator[Entry]:
    for entry in folder.named("*.json"):
        if entry.parent.rpartition("/")[2] == FOLDER:
            try:
                if KIND in folder.read(entry, 400):
                    yield entry
            except OSError:
                continue


def _witness(folder: Folder, home: str, entries: list[Entry]) -> Witness:
    summary: dict[str, Datum] = {}
    series: list[Series] = []
    problems: list[Problem] = []
    step: int | None = None
    for entry in entries:
        path = entry.path[len(home) + 1 :] if home else entry.path
        content = _content(folder, entry, path, problems)
        if content is None:
            continue
        tag = slug(str(content.get("name") or path)) or "test"
        for key, value in _flat(content):
            summary[f"evaluation/{tag}/{key}"] = Datum(value, Source(path, key))
        at = content.get("step")
        if isinstance(at, int) and not isinstance(at, bool):
            step = at if step is None else max(step, at)
            series += _series(content, at, path, "test" if len(entries) == 1 else f"test:{tag}")
    files = tuple(entry.path[len(home) + 1 :] if home else entry.path for entry in entries)
    return Witness(
        NAME, "", files, summary=summary, series=tuple(series), problems=tuple(problems), precision=1, folder=home
    )


def _content(folder: Folder, entry: Entry, path: str, problems: list[Problem]) -> dict[str, Any] | None:
    try:
        data = folder.read(entry, MAX_BYTES + 1)
        content = json.loads(data) if len(data) <= MAX_BYTES else None
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        problems.append(Problem(path, "cannot be read as an evaluation, left out", "run `dpo-report evaluate` again"))
        return None
    if content.get("schema") != SCHEMA:
        problems.append(
            Problem(path, f"is of another schema than {SCHEMA}, left out", "run `dpo-report evaluate` again")
        )
        return None
    return content


def _flat(table: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, float | str]]:
    """Numbers and words of nested tables, joined by dots; the pairs that are shown stay in the file."""
    for key, value in table.items():
        if isinstance(value, dict) and depth < 4 and key != "shown":
            yield from _flat(value, f"{prefix}{key}.", depth + 1)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{key}", float(value)
        elif isinstance(value, str):
            yield f"{prefix}{key}", value


def _series(content: Mapping[str, Any], step: int, path: str, split: str) -> Iterator[Series]:
    values = content.get("values")
    for name, key in SERIES.items():
        told = values.get(key) if isinstance(values, dict) else None
        number = told.get("value") if isinstance(told, dict) else None
        if isinstance(number, int | float) and not isinstance(number, bool):
            where = (Source(path, f"values.{key}.value"),)
            steps, found = np.array([float(step)]), np.array([float(number)])
            yield Series(name, split, steps, found, where, np.zeros(1, dtype=np.int64))


READER = Reader(NAME, detect, read, "dpo-report evaluate", FILES)
