"""XGBoost and LightGBM: a dumped ``evals_result`` (data set, metric, one value for each round); Ludwig's statistics.

These have no step in the file: the place in the list is the round, counted from 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Source, Witness
from dpo_report.plugins.readers.collect import Log, witness
from dpo_report.plugins.readers.files import head, load_json, subs, with_suffix
from dpo_report.plugins.readers.keys import Key, split_of
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import from_json

_NESTED = re.compile(rb'^\s*\{\s*"[^"{}\[\]]{1,80}"\s*:\s*\{\s*"[^"{}\[\]]{1,80}"\s*:\s*\[\s*(?:-?[\d.]|NaN)')
_NAMED = re.compile(r"evals?_?(?:result|log|history)", re.IGNORECASE)
_TRAINED_ON = frozenset({"learn", "validation_0"})
_SETTINGS = ("params.json", "hyperparams.json")
_PARTS = ("combined",)
DEPTH = 6


def _is_evals(folder: Folder, entry: Entry) -> float:
    start = head(folder, entry)
    if not _NESTED.match(start) or b'"timestamps"' in start:
        return 0.0  # lists with times of day are a tracker's
    return 0.9 if _NAMED.search(entry.name) else 0.5


def _is_ludwig(folder: Folder, entry: Entry) -> float:
    start = head(folder, entry)
    shaped = b'"training"' in start or b'"combined"' in start
    return 0.95 if entry.name == "training_statistics.json" and shaped else 0.0


def _split(word: str) -> str:
    """The split that a data set's name means; one that means none keeps its name."""
    if word in _TRAINED_ON:
        return "train"
    known = split_of(re.sub(r"_\d+$", "", word))
    return known or f"eval:{word}"


def _lists(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    if isinstance(value, Mapping) and len(path) < DEPTH:
        for key, item in value.items():
            yield from _lists(item, (*path, str(key)))
    elif isinstance(value, list):
        yield path, value


def _reader(name: str, title: str, note: str, sure: Callable[[Folder, Entry], float], *kinds: FileKind) -> Reader:
    def found(folder: Folder) -> Iterator[tuple[Entry, float]]:
        for entry in with_suffix(folder, (".json",)):
            certain = sure(folder, entry)
            if certain:
                yield entry, certain

    def detect(folder: Folder) -> Match | None:
        best = next(found(folder), None)
        return Match(best[1], best[0].path) if best else None

    def read(folder: Folder) -> Iterator[Witness]:
        homes: dict[str, list[Entry]] = {}
        for entry, _ in found(folder):
            homes.setdefault(entry.parent, []).append(entry)
        inside = subs(folder, homes)
        for home, entries in homes.items():
            for entry in entries:
                identity = "" if len(entries) == 1 else entry.name.removesuffix(".json")
                yield _witness(name, note, inside[home], Entry(entry.name, entry.size), home, identity)

    return Reader(name, detect, read, title, kinds)


def _witness(name: str, note: str, folder: Folder, entry: Entry, home: str, identity: str) -> Witness:
    problems: list[Problem] = [Problem(entry.path, note)]
    log = Log()
    names: dict[str, Key] = {}
    for path, values in _lists(load_json(folder, entry, problems) or {}):
        if len(path) < 2:
            continue
        split = _split(path[0])
        own = "/".join(part for part in path[1:] if part not in _PARTS)
        key = ".".join(path)
        names[key] = Key(own, split, "series")
        for place, value in enumerate(values):
            told = number(value[-1] if isinstance(value, list) and value else value)
            if told is not None:
                log.add(key, place + 1, told, place, Source(entry.path, f"{key}[{{row}}]"))
    config = next((one for one in folder.entries if one.path in _SETTINGS), None)
    told_all = log.told(lambda keys: {key: names[key] for key in keys})
    return witness(
        name,
        told_all,
        [entry.path, *([config.path] if config else [])],
        identity=identity,
        folder=home,
        settings=from_json(folder, config, problems) if config else {},
        problems=problems,
        step=told_all.last_step(),
        precision=6,
    )


READERS = (
    _reader(
        "boosting",
        "XGBoost and LightGBM",
        "the place in each list is the boosting round, counted from 1",
        lambda folder, entry: 0.0 if _is_ludwig(folder, entry) else _is_evals(folder, entry),
        FileKind("evals_result.json", "metrics", "metrics of every boosting round"),
    ),
    _reader(
        "ludwig",
        "Ludwig",
        "the place in each list is Ludwig's evaluation (an epoch, or a number of steps), counted from 1",
        _is_ludwig,
        FileKind("training_statistics.json", "log", "Ludwig's metrics of every evaluation"),
    ),
)
