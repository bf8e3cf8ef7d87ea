"""ms-swift: ``logging.jsonl`` and ``args.json`` of a ``v0-<time>`` folder.

The step stands only in ``"global_step/max_steps": "10/438"``. The last line repeats the whole history, unrounded, and
is used for its closing facts only: the state beside it holds the same values, but may be older than the log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dpo_report.core.contract import FileKind
from dpo_report.core.folder import Folder
from dpo_report.core.model import Setting
from dpo_report.plugins.readers.collect import Method
from dpo_report.plugins.readers.hf.args import read_args
from dpo_report.plugins.readers.layout import Found, Layout
from dpo_report.plugins.readers.llamafactory import settings_value
from dpo_report.plugins.readers.settings import from_json
from dpo_report.plugins.readers.tabular import read_jsonl

_PROGRESS = "global_step/max_steps"
_COUNT = re.compile(r"^\s*(\d{1,15})\s*/\s*(\d{1,15})\s*$")
_NOT_LOGGED = frozenset({_PROGRESS, "percentage", "elapsed_time", "remaining_time"})
_SPEED = "train_speed("
_METHODS = {"rm": "reward"}


def _knows(name: str, start: bytes) -> float:
    return 0.95 if b'"global_step/max_steps"' in start else 0.0


def _count(cells: Mapping[str, Any]) -> tuple[int, int] | None:
    match = _COUNT.match(str(cells.get(_PROGRESS, "")))
    return (int(match.group(1)), int(match.group(2))) if match else None


def _step(cells: Mapping[str, Any]) -> float | None:
    count = _count(cells)
    if count is not None:
        return float(count[0])
    step = cells.get("global_step")
    return float(step) if isinstance(step, int) and not isinstance(step, bool) and 0 <= step < 1 << 50 else None


def _cells(cells: Mapping[str, Any]) -> dict[str, Any]:
    """What a line logs. The closing line gives what only it has, under the Trainer's own names."""
    if "log_history" in cells:
        return {key: cells[key] for key in ("best_metric",) if key in cells}
    return {key: cell for key, cell in cells.items() if key not in _NOT_LOGGED and not key.startswith(_SPEED)}


def _complete(folder: Folder, found: Found) -> None:
    settings = {}
    config = next((entry for entry in folder.entries if entry.path == "args.json"), None)
    if config:
        settings = from_json(folder, config, found.problems)
        found.files.append(config.path)
    count = _count(found.last)
    version = settings_value(settings, "swift_version")
    found.extra |= {
        "settings": _told_here_only(folder, settings),
        "method": _method(settings, config.path if config else ""),
        "trainer": "swift",
        "versions": {"ms-swift": str(version)} if version else {},
        "step": count[0] if count else None,
        "planned": (count[1] or None) if count else None,
    }


def _told_here_only(folder: Folder, settings: dict[str, Setting]) -> dict[str, Setting]:
    """The settings that ``training_args.bin`` lacks: it holds what was used, ``args.json`` what was asked for."""
    used = next((entry for entry in folder.entries if entry.name == "training_args.bin"), None)
    known = read_args(folder, used).values if used else {}
    return {name: setting for name, setting in settings.items() if name not in known}


def _method(settings: Mapping[str, Setting], file: str) -> Method | None:
    """``rlhf_type`` of the arguments; without one, a causal language model is trained by plain fine-tuning."""
    kind = settings_value(settings, "rlhf_type")
    if isinstance(kind, str) and kind:
        return _METHODS.get(kind, kind), f"{file} says rlhf_type: {kind}", 1.0
    task = settings_value(settings, "task_type")
    if task == "causal_lm":
        return "sft", f"{file} says task_type: causal_lm and names no rlhf_type", 0.9
    if task == "seq_cls":
        return "classification", f"{file} says task_type: seq_cls", 0.9
    return None


LAYOUT = Layout(
    "ms_swift",
    "ms-swift",
    (".jsonl",),
    _knows,
    read_jsonl,
    _step,
    cells=_cells,
    where="line {row}, key {key}",
    complete=_complete,
    precision=6,
    files=(
        FileKind("logging.jsonl", "log", "ms-swift's log: one line for each logged step, rounded to eight decimals"),
        FileKind("args.json", "config", "all arguments of the run"),
        FileKind("val_dataset.jsonl", "other", "the examples that were held out"),
    ),
)
READER = LAYOUT.reader()
