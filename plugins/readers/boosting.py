"""XGBoost and LightGBM: a dumped ``evals_result`` (data set, metric, one value for each round).

These have no step in the file: the place in the list is the round, counted from 1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Source, Witness
from dpo_report.plugins.readers.collect import Log, witness
from dpo_report.plugins.readers.files import head, load_json, subs, with_suffix
from dpo_report.plugins.readers.keys import Key, split_of
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import from_json

NAME = "boosting"
_NESTED = re.compile(rb'^\s*\{\s*"[^"{}\[\]]{1,80}"\s*:\s*\{\s*"[^"{}\[\]]{1,80}"\s*:\s*\[\s*(?:-?[\d.]|NaN)')
_NAMED = re.compile(r"evals?_?(?:result|log|history)", re.IGNORECASE)
_METRICS = re.compile(
    rb'"(?:[a-z_]*(?:logloss|error|rmse|mae|mape|ndcg|map|auc|aucpr|l1|l2|deviance|nloglik)(?:@\d+-?)?'
    rb'|huber|fair|poisson|quantile|tweedie|gamma|Logloss|MultiClass|RMSE|AUC|Accuracy)"\s*:\s*\['
)
"""Metrics of XGBoost, LightGBM and CatBoost."""
_FIRST, _SECOND = "validation_0", "validation_1"
_SETTINGS = ("params.json", "hyperparams.json")
DEPTH = 6


def _is_evals(folder: Folder, entry: Entry) -> float:
    start = head(folder, entry)
    if not _NESTED.match(start) or b'"timestamps"' in start:
        return 0.0  # lists with times of day are a tracker's
    if _NAMED.search(entry.name):
        return 0.9
    return 0.5 if _METRICS.search(start) else 0.0  # objects of lists may be of anything: Keras, a script


def split(word: str, words: Collection[str]) -> str:
    """The split that a data set's name means; one that means none keeps its name.

    XGBoost numbers the sets that it is given: of several the first is, as everywhere, the training data.
    """
    if word == "learn" or (word == _FIRST and _SECOND in words):
        return "train"
    known = split_of(re.sub(r"_\d+$", "", word))
    return known or f"eval:{word}"


def lists(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """The lists in nested objects, each with its path."""
    if isinstance(value, Mapping) and len(path) < DEPTH:
        for key, item in value.items():
            yield from lists(item, (*path, str(key)))
    elif isinstance(value, list):
        yield path, value


def _found(folder: Folder) -> Iterator[tuple[Entry, float]]:
    for entry in with_suffix(folder, (".json",)):
        certain = _is_evals(folder, entry)
        if certain:
            yield entry, certain


def _detect(folder: Folder) -> Match | None:
    best = next(_found(folder), None)
    return Match(best[1], best[0].path) if best else None


def _read(folder: Folder) -> Iterator[Witness]:
    homes: dict[str, list[Entry]] = {}
    for entry, _ in _found(folder):
        homes.setdefault(entry.parent, []).append(entry)
    inside = subs(folder, homes)
    for home, entries in homes.items():
        for entry in entries:
            identity = "" if len(entries) == 1 else entry.name.removesuffix(".json")
            yield _witness(inside[home], Entry(entry.name, entry.size), home, identity)


def _witness(folder: Folder, entry: Entry, home: str, identity: str) -> Witness:
    problems = [Problem(entry.path, "the place in each list is the boosting round, counted from 1")]
    log = Log()
    names: dict[str, Key] = {}
    evals = load_json(folder, entry, problems) or {}
    for path, values in lists(evals):
        if len(path) < 2:
            continue
        key = ".".join(path)
        names[key] = Key("/".join(path[1:]), split(path[0], evals), "series")
        for place, value in enumerate(values):
            told = number(value[-1] if isinstance(value, list) and value else value)
            if told is not None:
                log.add(key, place + 1, told, place, Source(entry.path, f"{key}[{{row}}]"))
    if _SECOND in evals:
        said = f"{_FIRST} is taken for the training data, as the first of several sets is by custom"
        problems.append(Problem(entry.path, said))
    config = next((one for one in folder.entries if one.path in _SETTINGS), None)
    told_all = log.told(lambda keys: {key: names[key] for key in keys})
    return witness(
        NAME,
        told_all,
        [entry.path, *([config.path] if config else [])],
        identity=identity,
        folder=home,
        settings=from_json(folder, config, problems) if config else {},
        problems=problems,
        precision=6,
    )


READER = Reader(
    NAME,
    _detect,
    _read,
    "XGBoost and LightGBM",
    (FileKind("evals_result.json", "metrics", "metrics of every boosting round"),),
)
