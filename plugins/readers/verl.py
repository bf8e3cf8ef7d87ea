"""verl: the JSON lines of its file logger, and its console, whose first pages print the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dpo_report.core.contract import FileKind
from dpo_report.core.folder import Entry, Folder
from dpo_report.plugins.readers.layout import Found, Layout, first_of, renamed
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.tabular import read_jsonl
from dpo_report.plugins.readers.textlogs import STEP, pairs, printed

_ROW = re.compile(rb'^\s*\{\s*"step"\s*:\s*\d+\s*,\s*"data"\s*:\s*\{')
_MARKS = (b'"actor/', b'"critic/', b'"val-core/', b'"val/', b'"training/', b'"train/')
_HELD_OUT = ("val-core/", "val-aux/")
_NO_CURVE = ("timing_", "timing/", "perf/", "training/global_step", "training/epoch", "train/total_tokens")
_UNIT = re.compile(r"^(.*\blr)\((1e-\d{1,2})\)$")
_NAMES = {
    "actor/lr": "learning_rate",
    "actor/grad_norm": "grad_norm",
    "actor/entropy": "entropy",
    "actor/kl_loss": "kl",
    "actor/reward_kl_penalty": "kl",
    "critic/score/mean": "reward",
    "response_length/mean": "completions/mean_length",
    "response_length/clip_ratio": "completions/clipped_ratio",
}
"""The same quantities under TRL's names: a score is a reward before any penalty, KL is that to the reference model."""
_STEP = re.compile(r"(?:^|\s)step:(\d{1,12}) - (?=\S)")
_ESTIMATOR = re.compile(rb"'adv_estimator': '(\w{1,40})'")
_METHODS = {"gae": "ppo", "grpo": "grpo", "grpo_vectorized": "grpo", "rloo": "rloo", "rloo_vectorized": "rloo"}
_CONFIGURATION = 1 << 20
"""Bytes of a console in which its configuration is looked for."""


def own_name(key: str) -> str:
    """A key under the name that it has everywhere; what is measured on held-out prompts gets the split's name.

    >>> own_name("val-core/gsm8k/acc/mean@1"), own_name("actor/lr(1e-4)")
    ('eval/gsm8k/acc/mean@1', 'learning_rate')
    """
    unit = _UNIT.match(key)
    key = unit.group(1) if unit else key
    return "eval/" + key.partition("/")[2] if key.startswith(_HELD_OUT) else _NAMES.get(key, key)


def curves(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a row logs, without times and rates; a value in units of its key (``lr(1e-4)``) as itself."""
    return {key: _value(key, value) for key, value in data.items() if not key.startswith(_NO_CURVE)}


def _value(key: str, value: Any) -> Any:
    unit, told = _UNIT.match(key), number(value)
    return told * float(unit.group(2)) if unit and told is not None else value


def _knows(name: str, start: bytes) -> float:
    return 0.95 if _ROW.match(start) and any(mark in start for mark in _MARKS) else 0.0


def _cells(cells: Mapping[str, Any]) -> Mapping[str, Any]:
    data = cells.get("data")
    return curves(data) if isinstance(data, dict) else {}


def parse(line: str) -> dict[str, Any] | None:
    """``step:1 - actor/pg_loss:0.1 - critic/score/mean:0.4`` of the console logger."""
    match = _STEP.search(line)
    found = curves(pairs(line[match.end() :])) if match else {}
    return {STEP: match.group(1), **found} if match and any("/" in key for key in found) else None


def _complete(folder: Folder, found: Found) -> None:
    found.extra["trainer"] = "verl"
    if any(series.name == "critic/vf_loss" for series in found.told.series):
        found.extra["method"] = "ppo", "a critic is trained (critic/vf_loss), which is PPO's", 0.9


def _complete_console(folder: Folder, found: Found) -> None:
    _complete(folder, found)
    entry = next(one for one in folder.entries if one.path == found.file)
    told = _ESTIMATOR.search(_start(folder, entry))
    method = _METHODS.get(told.group(1).decode()) if told else None
    if told and method:
        why = f"the printed configuration says adv_estimator: {told.group(1).decode()}"
        found.extra["method"] = method, why, 1.0


def _start(folder: Folder, entry: Entry) -> bytes:
    try:
        return folder.read(entry, _CONFIGURATION)
    except OSError:
        return b""


FILE = Layout(
    "verl",
    "verl",
    (".jsonl",),
    _knows,
    read_jsonl,
    first_of("step"),
    cells=_cells,
    namer=renamed(own_name),
    where="line {row}, data.{key}",
    complete=_complete,
    precision=7,
    files=(FileKind("latest_checkpointed_iteration.txt", "checkpoint", "which of verl's checkpoints is the newest"),),
).reader()
CONSOLE = printed(
    "verl_console", "verl console", parse, note="read from verl's console", complete=_complete_console, own=own_name
).reader()
READERS = (FILE, CONSOLE)
