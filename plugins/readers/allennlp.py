"""AllenNLP: one ``metrics_epoch_<N>.json`` for each epoch, ``metrics.json`` at the end, ``config.json``.

Epochs count from 0: ``"training_epochs": 9`` means ten. ``training_*`` are means over the epoch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Datum, Problem, Source, Witness
from dpo_report.plugins.readers.collect import Log, witness
from dpo_report.plugins.readers.files import load_json, subs
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import from_json

NAME = "allennlp"
_EPOCH = re.compile(r"^metrics_epoch_(\d{1,9})\.json$")
_FACTS = re.compile(r"^(?:best_epoch|epoch|training_(?:start_epoch|epochs|duration)|peak_\w+|training_\w*memory_MB)$")


def _epochs(folder: Folder) -> Iterator[tuple[Entry, int]]:
    for entry in folder.entries:
        match = _EPOCH.match(entry.name)
        if match:
            yield entry, int(match.group(1))


def _detect(folder: Folder) -> Match | None:
    found = next(_epochs(folder), None)
    return Match(0.9, found[0].path) if found else None


def _read(folder: Folder) -> Iterator[Witness]:
    homes: dict[str, list[tuple[Entry, int]]] = {}
    for entry, epoch in _epochs(folder):
        homes.setdefault(entry.parent, []).append((entry, epoch))
    inside = subs(folder, homes)
    for home, epochs in homes.items():
        yield _witness(inside[home], home, sorted(epochs, key=lambda pair: pair[1]))


def _witness(folder: Folder, home: str, epochs: list[tuple[Entry, int]]) -> Witness:
    problems: list[Problem] = []
    log = Log()
    for entry, epoch in epochs:
        own = Entry(entry.name, entry.size)
        for key, value in (load_json(folder, own, problems) or {}).items():
            told = number(value)
            if told is not None and not _FACTS.match(key) and not key.startswith("best_"):
                log.add(key, epoch, told, 0, Source(own.path, key))
    told_all = log.told()
    final = next((entry for entry in folder.entries if entry.path == "metrics.json"), None)
    for key, value in ((load_json(folder, final, problems) or {}) if final else {}).items():
        told = number(value)
        if told is not None and (key.startswith(("best_", "test_")) or key == "training_epochs"):
            told_all.summary[key] = Datum(told, Source("metrics.json", key))
    config = next((entry for entry in folder.entries if entry.path == "config.json"), None)
    problems.append(Problem(epochs[0][0].name, "AllenNLP logs by epoch and counts from 0"))
    return witness(
        NAME,
        told_all,
        [*(entry.name for entry, _ in epochs), *([final.path] if final else []), *([config.path] if config else [])],
        folder=home,
        trainer="allennlp",
        settings=from_json(folder, config, problems) if config else {},
        problems=problems,
        epoch=epochs[-1][1] + 1,
        ended="completed" if final else "unknown",
        precision=7,
    )


FILES = (FileKind("metrics_epoch_*.json", "metrics", "AllenNLP's metrics of one epoch"),)
READER = Reader(NAME, _detect, _read, "AllenNLP", FILES)
