"""What stands beside a ``.wandb`` file, or was downloaded without it: ``config.yaml``, summary and metadata."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Datum, Problem, Setting, Source
from dpo_report.plugins.readers.files import load_json
from dpo_report.plugins.readers.keys import canonical
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import flatten, read_yaml
from dpo_report.plugins.readers.wandb.store import Store

CONFIG, SUMMARY, METADATA = "config.yaml", "wandb-summary.json", "wandb-metadata.json"
NAMES = (SUMMARY, CONFIG, METADATA)
_HIDDEN = re.compile(r"^<[A-Z_]+>$")
"""What the Trainer writes in place of tokens and secrets."""
_MACHINE = ("os", "gpu", "gpu_count", "cpu_count", "cuda", "cudaVersion")
_VERSIONS = {"cli_version": "wandb", "python_version": "python"}
_VALUE = re.compile(rb"^\w+:\n +(?:desc:.*\n +)?value:")


@dataclass(slots=True)
class Beside:
    """Settings, versions and last values of a run."""

    settings: dict[str, Setting] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    """Last values by key."""
    sources: dict[str, Source] = field(default_factory=dict)
    """Where each last value stands."""
    files: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, store: Store) -> None:
        """Add what the file with the history tells, which goes before the files beside it."""
        for key, (value, record) in store.config.items():
            self.settings |= _settings({key: value}, store.path, f"record {record}, ")
        for key, (last, record) in store.summary.items():
            self.numbers[key], self.sources[key] = last, Source(store.path, f"record {record}, {key}")
        self.versions |= store.versions

    def summary(self, logged: Container[str]) -> dict[str, Datum]:
        """What only the summary tells: the Trainer's closing row, and last values of which no curve was ``logged``.

        Those are named like the Trainer's results: ``eval_loss``, ``test_accuracy``.
        """
        found: dict[str, Datum] = {}
        for key, last in self.numbers.items():
            known = canonical(key, self.numbers)
            if known.role == "summary":
                found[known.name] = Datum(last, self.sources[key])
            elif known.role == "series" and key not in logged and not key.startswith("_"):
                name = key if known.split == "train" else f"{known.split.partition(':')[0]}_{known.name}"
                found.setdefault(name, Datum(last, self.sources[key]))
        return found


def read(folder: Folder, entries: Iterable[Entry]) -> Beside:
    """Read the files beside a run's history. Never raises for what they hold."""
    found = Beside()
    for entry in entries:
        found.files.append(entry.path)
        if entry.name == CONFIG:
            _config(folder, entry, found)
            continue
        told = load_json(folder, entry, found.problems) or {}
        if entry.name == METADATA:
            _machine(told, entry.path, found)
            continue
        for key, item in told.items():
            told_number = _number(item)
            if told_number is not None:
                found.numbers[key], found.sources[key] = told_number, Source(entry.path, key)
    return found


def home_of(path: str) -> str:
    """The run's folder: that of the file, or the one above ``files``."""
    parent = path.rpartition("/")[0]
    above, _, last = parent.rpartition("/")
    return above if last == "files" else parent


def is_config(head: bytes) -> bool:
    """Whether a ``config.yaml`` begins like one of W&B's."""
    return b"wandb_version:" in head or b"_wandb:" in head or _VALUE.search(head) is not None


def _settings(config: Mapping[str, Any], file: str, where: str = "") -> dict[str, Setting]:
    """Settings from a configuration; without W&B's own part and without what the Trainer hid."""
    own = {key: item for key, item in config.items() if key not in ("_wandb", "wandb_version")}
    found = flatten(own, file, where)
    return {k: one for k, one in found.items() if not (isinstance(one.value, str) and _HIDDEN.match(one.value))}


def _config(folder: Folder, entry: Entry, found: Beside) -> None:
    """``config.yaml``: each value stands under ``value``; under ``_wandb`` the versions."""
    config = read_yaml(folder, entry, found.problems)
    plain = {k: v.get("value") if isinstance(v, dict) and "value" in v else v for k, v in config.items()}
    own = plain.get("_wandb")
    if isinstance(own, dict):
        found.versions |= {package: str(own[key]) for key, package in _VERSIONS.items() if own.get(key)}
        telemetry = own.get("t")
        if isinstance(telemetry, dict) and isinstance(telemetry.get("6"), str):
            found.versions["transformers"] = telemetry["6"]
    found.settings |= _settings(plain, entry.path)


def _machine(told: Mapping[str, Any], file: str, found: Beside) -> None:
    """The machine and Python's version; no names of people or hosts, and no paths."""
    for key in _MACHINE:
        if isinstance(told.get(key), str | int):
            found.settings[f"machine.{key}"] = Setting(f"machine.{key}", told[key], Source(file, key))
    python = told.get("python")
    if isinstance(python, str):
        found.versions["python"] = python.removeprefix("CPython ")


def _number(item: Any) -> float | None:
    """A JSON value as a number; W&B writes those that are none as text."""
    if isinstance(item, str):
        return float(item) if item in ("NaN", "Infinity", "-Infinity") else None
    return number(item)
