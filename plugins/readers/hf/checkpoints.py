"""Which files of a folder belong to which run: runs below runs, and checkpoints in numeric order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dpo_report.core.folder import Entry, Folder
from dpo_report.plugins.readers.hf.results import NAMES

STATE = "trainer_state.json"
_CHECKPOINT = re.compile(r"^(?:last-|best-)?checkpoint(?:[-_](\d{1,18}).*)?$|^(?:global_)?step[-_]?(\d{1,18})$")
_PART = re.compile(
    r"^(?:(?:final|best|last|latest|merged)(?:[-_](?:model|adapters?|checkpoint|merged|weights|state))?|adapters?|model|ref"
    r"|runs|logs|lora|weights|tokenizer|reward_model_adapter|policy|epoch[-_]?\d{1,9})$",
    re.IGNORECASE,
)
_WEAK = frozenset({"training_args.bin", "adapter_config.json"})
_SHARED = frozenset({"eval_results.json", "test_results.json", "predict_results.json", "metrics.json"})
"""Names that other programs use too, so that the content decides."""
_TELLING = _SHARED | {"README.md"}
_STRONG = frozenset(NAMES) - _SHARED
_METRIC = re.compile(rb'"(?:train|eval|test|predict)_[^"]+":\s*[-0-9N]')
_HEAD = 4096
_MOST_HEADS = 500
_CARD_MARKS = (b"generated_from_trainer", b"- trl", b"the Trainer had access to", b"library_name: peft")


@dataclass(frozen=True, slots=True)
class Place:
    """A run's folder with what belongs to it."""

    home: str
    """Path relative to the folder that was given; empty for that folder itself."""
    folder: Folder
    """Its files, without those of runs below it."""
    evidence: str
    """The file that shows that this is a run."""
    sure: float
    """How surely, as in :class:`~dpo_report.core.contract.Match`."""
    state: str = STATE
    """How its states are called."""


def step_of(path: str) -> int | None:
    """The step in a checkpoint folder's name (the last part of ``path``); -1 for a checkpoint without one."""
    match = _CHECKPOINT.match(path.rpartition("/")[2])
    return None if match is None else int(match.group(1) or match.group(2) or -1)


def find(folder: Folder) -> list[Place]:
    """Every run in a folder, those at the top first."""
    homes: dict[str, tuple[str, float]] = {}
    states = folder.named(STATE)
    loose = []
    for entry in states:
        if step_of(entry.parent) is not None and entry.parent:
            homes.setdefault(_above(entry.parent), (entry.path, 0.9))
        elif _PART.match(entry.parent.rpartition("/")[2]):
            loose.append(entry)
        else:
            homes.setdefault(entry.parent, (entry.path, 0.9))
    for entry in loose:
        if _above(entry.parent) not in homes:
            homes.setdefault(entry.parent, (entry.path, 0.9))
    renamed = {} if states else {entry.parent: entry for entry in _states_by_content(folder)}
    for home, entry in renamed.items():
        homes.setdefault(home, (entry.path, 0.8))
    for entry in folder.entries:
        if entry.name in _STRONG and step_of(entry.parent) is None:
            homes.setdefault(entry.parent, (entry.path, 0.7))
    _add_weak(folder, homes)
    parts = folder.parted(homes)
    ordered = sorted(homes, key=lambda home: home.count("/") if home else -1)
    return [
        Place(home, parts[home], *homes[home], state=renamed[home].name if home in renamed else STATE)
        for home in ordered
    ]


def _above(path: str) -> str:
    return path.rpartition("/")[0]


def _chain(path: str) -> Iterator[str]:
    """A folder and all those above it."""
    yield path
    while path:
        path = _above(path)
        yield path


def _add_weak(folder: Folder, homes: dict[str, tuple[str, float]]) -> None:
    """Runs without any metrics: arguments, adapters and trainers' model cards, where no run is known around them."""
    strong = set(homes)
    above_strong = {above for home in strong for above in _chain(home)}
    weak: dict[str, tuple[str, float]] = {}
    for entry in folder.entries:
        if entry.name not in _WEAK and entry.name not in _TELLING:
            continue
        home = entry.parent
        while home and (step_of(home) is not None or _PART.match(home.rpartition("/")[2])):
            home = _above(home)
        if home in above_strong or not strong.isdisjoint(_chain(home)):
            continue
        if entry.name in _WEAK or _tells(folder, entry):
            weak.setdefault(home, (entry.path, 0.5 if entry.name == "training_args.bin" else 0.3))
    topmost = [home for home in weak if weak.keys().isdisjoint(list(_chain(home))[1:])]
    homes |= {home: weak[home] for home in topmost}


def _tells(folder: Folder, entry: Entry) -> bool:
    """Whether a card or a metrics file was written by a trainer, or stands in for one that was not downloaded."""
    try:
        head = folder.read(entry, _HEAD)
    except OSError:
        return False
    if entry.name == "README.md":
        return any(mark in head for mark in _CARD_MARKS)
    return _METRIC.search(head) is not None


def _states_by_content(folder: Folder) -> list[Entry]:
    """States saved under another name (``training_logs.json``), told by their first bytes."""
    found = []
    for entry in [e for e in folder.entries if e.name.endswith(".json")][:_MOST_HEADS]:
        try:
            head = folder.read(entry, _HEAD)
        except OSError:
            continue
        if b'"log_history"' in head and head.lstrip()[:1] == b"{":
            found.append(entry)
    return found
