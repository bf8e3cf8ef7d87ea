"""stable-baselines3: ``progress.csv``, ``progress.json`` (JSON lines) and ``monitor.csv``.

Rows are sparse, their columns in the order of first use. ``time/total_timesteps`` counts environment steps and is the
axis; ``train/*`` of an iteration stands one row later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from dpo_report.core.contract import FileKind, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.files import first_line
from dpo_report.plugins.readers.keys import Key, mapping
from dpo_report.plugins.readers.layout import Found, Layout, first_of
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.tabular import Row, columns, read_csv, read_jsonl

NAME = "stable_baselines3"
_AXIS = "time/total_timesteps"
_MARKS = ("rollout/", "train/", "eval/", "time/")
_ALGORITHMS = (("rollout/exploration_rate", "DQN"), ("train/clip_fraction", "PPO"), ("train/ent_coef", "SAC"))


def _knows(name: str, start: bytes) -> float:
    line = first_line(start)
    if line.startswith("{"):
        return 0.9 if '"time/total_timesteps"' in line else 0.0
    header = columns(line)
    return 0.95 if _AXIS in header and any(c.startswith(_MARKS) for c in header if c != _AXIS) else 0.0


def _rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    return (read_jsonl if entry.name.endswith((".json", ".jsonl")) else read_csv)(folder, entry, problems)


def _cells(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {key: cell for key, cell in cells.items() if not key.startswith("time/")}


def _complete(folder: Folder, found: Found) -> None:
    keys = {one.name for one in found.told.series} | set(found.last)
    algorithm = next((name for key, name in _ALGORITHMS if key in keys), None)
    if algorithm is None and "train/policy_loss" in keys:
        algorithm = "A2C"
    found.extra["trainer"] = f"stable_baselines3.{algorithm}" if algorithm else "stable_baselines3"


PROGRESS = Layout(
    NAME,
    "stable-baselines3",
    (".csv", ".json", ".jsonl"),
    _knows,
    _rows,
    first_of(_AXIS),
    cells=_cells,
    counts="environment step",
    note="the axis counts environment steps (time/total_timesteps), not optimizer steps",
    complete=_complete,
    precision=6,
)


def _knows_monitor(name: str, start: bytes) -> float:
    lines = start.decode("utf-8", "replace").splitlines()[:2]
    return 0.9 if len(lines) > 1 and lines[0].startswith("#{") and columns(lines[1])[:3] == ["r", "l", "t"] else 0.0


def _episodes(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    """Episodes, at the number of environment steps after each."""
    done = 0.0
    for row in read_csv(folder, entry, problems):
        done += number(row.cells.get("l")) or 0.0
        yield row._replace(cells={**row.cells, "steps": done})


def _episode(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {"r": cells.get("r"), "l": cells.get("l")}


_EPISODE = {"r": Key("episode/reward", "train", "series"), "l": Key("episode/length", "train", "series")}


def _episode_names(keys: Iterable[str]) -> dict[str, Key]:
    return {key: _EPISODE.get(key) or mapping([key])[key] for key in keys}


def _about(folder: Folder, found: Found) -> None:
    found.extra |= {"identity": found.extra.get("identity", ""), "trainer": "stable_baselines3"}


MONITOR = Layout(
    NAME,
    "stable-baselines3",
    (".csv",),
    _knows_monitor,
    _episodes,
    first_of("steps"),
    cells=_episode,
    namer=_episode_names,
    counts="environment step",
    complete=_about,
    precision=4,
)
_READERS = (PROGRESS.reader(), MONITOR.reader())
READER = Reader(
    NAME,
    lambda folder: next((match for reader in _READERS if (match := reader.detect(folder))), None),
    lambda folder: chain.from_iterable(reader.read(folder) for reader in _READERS),
    PROGRESS.title,
    (
        FileKind("progress.csv", "log", "stable-baselines3's log: sparse rows over environment steps"),
        FileKind("progress.json", "log", "stable-baselines3's log as JSON lines"),
        FileKind("*monitor.csv", "log", "reward, length and time of every training episode"),
        FileKind("evaluations.npz", "metrics", "rewards of every evaluation episode"),
    ),
)
