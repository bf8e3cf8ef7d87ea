"""Ludwig: ``training_statistics.json``, lists with a value for each evaluation; ``description.json`` for the rest.

How many updates lie between two evaluations is told by the statistics themselves where these come every so many steps,
else by how many steps ``model/training_progress.json`` counted in all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Setting, Source, Witness
from dpo_report.plugins.readers.boosting import lists
from dpo_report.plugins.readers.collect import Log, witness
from dpo_report.plugins.readers.files import head, load_json, named, subs
from dpo_report.plugins.readers.keys import Key, split_of
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import also_named, flatten

NAME = "ludwig"
_STATISTICS, _PROGRESS, _DESCRIPTION = "training_statistics.json", "model/training_progress.json", "description.json"
_ALIASES = {"trainer.learning_rate": "learning_rate", "trainer.epochs": "num_train_epochs"}
_WHOLE = "combined"
"""What Ludwig calls the sum over all outputs."""


def _statistics(folder: Folder) -> list[Entry]:
    found = named(folder, _STATISTICS)
    return [entry for entry in found if any(mark in head(folder, entry) for mark in (b'"combined"', b'"training"'))]


def _detect(folder: Folder) -> Match | None:
    found = _statistics(folder)
    return Match(0.95, found[0].path) if found else None


def _read(folder: Folder) -> Iterator[Witness]:
    found = _statistics(folder)
    inside = subs(folder, {entry.parent for entry in found})
    for entry in found:
        yield _witness(inside[entry.parent], entry.parent)


def _witness(folder: Folder, home: str) -> Witness:
    problems: list[Problem] = []
    statistics = _json(folder, _STATISTICS, problems)
    about, progress = _json(folder, _DESCRIPTION, problems), _json(folder, _PROGRESS, problems)
    log = Log()
    names: dict[str, Key] = {}
    told = [(path, values) for path, values in lists(statistics) if len(path) > 1]
    evaluations = max((len(values) for _, values in told), default=0)
    apart = _updates(statistics, progress, evaluations)
    for path, values in told:
        key = ".".join(path)
        own = "/".join(part for part in path[1:] if part != _WHOLE)
        names[key] = Key(own, split_of(path[0]) or f"eval:{path[0]}", "series")
        for place, value in enumerate(values):
            if (logged := number(value)) is not None:
                log.add(key, (place + 1) * (apart or 1), logged, place, Source(_STATISTICS, f"{key}[{{row}}]"))
    if apart is None and told:
        text = "the place in each list is Ludwig's evaluation, counted from 1; after how many steps, nothing tells"
        problems.append(Problem(_STATISTICS, text))
    found = log.told(lambda keys: {key: names[key] for key in keys})
    return witness(
        NAME,
        found,
        [_STATISTICS, *([_DESCRIPTION] if about else []), *([_PROGRESS] if progress else [])],
        folder=home,
        trainer="ludwig",
        settings=_settings(about.get("config")),
        versions={part: str(about[f"{part}_version"]) for part in ("ludwig", "torch") if about.get(f"{part}_version")},
        problems=problems,
        step=found.last_step() if apart else None,
        epoch=number(progress.get("epoch")),
        precision=6,
    )


def _settings(config: Any) -> dict[str, Setting]:
    """The configuration, the trainer's settings also under the names that they have elsewhere."""
    settings = flatten(config, _DESCRIPTION, "config.") if isinstance(config, dict) else {}
    return also_named(settings, _ALIASES)


def _json(folder: Folder, path: str, problems: list[Problem]) -> dict[str, Any]:
    entry = next((one for one in folder.entries if one.path == path), None)
    return (load_json(folder, entry, problems) or {}) if entry else {}


def _updates(statistics: dict[str, Any], progress: dict[str, Any], evaluations: int) -> int | None:
    """Optimizer updates between two evaluations; None where nothing tells."""
    every = statistics.get("evaluation_frequency")
    if isinstance(every, dict) and every.get("period") == "step" and isinstance(every.get("frequency"), int):
        return int(every["frequency"])
    steps = progress.get("steps")
    return steps // evaluations if isinstance(steps, int) and evaluations and steps % evaluations == 0 else None


FILES = (
    FileKind(_STATISTICS, "log", "Ludwig's metrics of every evaluation"),
    FileKind(_DESCRIPTION, "config", "a Ludwig model's configuration, and the versions that trained it"),
    FileKind("training_progress.json", "other", "how far a Ludwig training came"),
)
READER = Reader(NAME, _detect, _read, "Ludwig", FILES)
