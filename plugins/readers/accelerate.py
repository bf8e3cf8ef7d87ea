"""Accelerate's TensorBoard tracker: the settings in ``<project>/<time>/hparams.yml``, the curves in event files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Witness
from dpo_report.plugins.readers.collect import Told, witness
from dpo_report.plugins.readers.files import named
from dpo_report.plugins.readers.settings import from_yaml
from dpo_report.plugins.readers.tensorboard.eventfile import is_event_file

NAME = "accelerate"
_TIME = re.compile(r"^\d{9,11}\.\d+$")


def _configs(folder: Folder) -> Iterator[Entry]:
    for entry in named(folder, "hparams.yml"):
        if _TIME.match(entry.parent.rpartition("/")[2]):
            yield entry


def _detect(folder: Folder) -> Match | None:
    found = next(_configs(folder), None)
    return Match(0.8, found.path) if found else None


def _read(folder: Folder) -> Iterator[Witness]:
    """The settings of each project; of several attempts in one project the newest are used, the others told."""
    projects: dict[str, list[Entry]] = {}
    for entry in _configs(folder):
        projects.setdefault(entry.parent.rpartition("/")[0], []).append(entry)
    for home, entries in projects.items():
        problems: list[Problem] = []
        sub, cut = folder.sub(home), len(home) + 1 if home else 0
        entries.sort(key=lambda entry: float(entry.parent.rpartition("/")[2]))
        newest = Entry(entries[-1].path[cut:], entries[-1].size)
        settings = from_yaml(sub, newest, problems)
        if len(entries) > 1:
            problems.append(
                Problem(newest.path, f"{len(entries)} attempts left their settings here; the newest are used")
            )
        logged = any(is_event_file(entry) for entry in sub.entries)
        yield witness(
            NAME,
            Told(),
            [newest.path],
            folder=home,
            settings=settings,
            problems=problems,
            ended="unknown" if logged else "no-metrics",
            precision=2,
        )


FILES = (FileKind("hparams.yml", "config", "the configuration that Accelerate's tracker was given"),)
READER = Reader(NAME, _detect, _read, "Accelerate trackers", FILES)
