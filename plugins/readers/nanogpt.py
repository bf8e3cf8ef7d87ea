"""nanoGPT and its kin: the console of ``train.py``, and build-nanogpt's ``log.txt`` of ``step kind value`` lines.

Steps count from 0: the line of step 0 is printed after the first update, an evaluation's before the update of its step.
"""

from __future__ import annotations

import re
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.layout import Found, Layout, first_of, without
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.textlogs import NUMBER, STEP, SUFFIXES, knows, pairs, rows_of

WHOLE = 64 << 20
"""Larger logs are read line by line."""
_PLAIN = re.compile(rf"^(\d{{1,12}}) ([A-Za-z][\w/-]{{0,40}}) ({NUMBER})$", re.IGNORECASE | re.MULTILINE)
_ITER = re.compile(rf"^iter (\d{{1,12}}): loss ({NUMBER})", re.IGNORECASE)
_EVAL = re.compile(rf"^step (\d{{1,12}}): train loss ({NUMBER}), val loss ({NUMBER})", re.IGNORECASE)
_TABLE = re.compile(r"^step\s+(\d{1,12}) \| (?=loss)")


def _parse(line: str) -> dict[str, Any] | None:
    """Lines of nanoGPT's console, and ``step kind value`` lines of build-nanogpt's log.txt."""
    if match := _PLAIN.match(line):
        return {STEP: match.group(1), _kind(match.group(2)): match.group(3)}
    if match := _ITER.match(line):
        return {STEP: match.group(1), "train/loss": match.group(2)}
    if match := _EVAL.match(line):
        return {STEP: match.group(1), "eval/train_split_loss": match.group(2), "val/loss": match.group(3)}
    if match := _TABLE.match(line):
        return {STEP: match.group(1), **pairs(line)}
    return None


def _kind(word: str) -> str:
    """The key of a ``step kind value`` line."""
    return f"{word}/loss" if word in ("train", "val") else "eval/hellaswag_accuracy" if word == "hella" else word


def _whole(folder: Folder, entry: Entry) -> dict[str, list[tuple[int, float, float]]] | None:
    """A log.txt of which every line is ``step kind value`` and whose steps never fall back; None for any other."""
    if entry.size > WHOLE:
        return None
    try:
        text = folder.read(entry, WHOLE).decode("ascii")
    except (OSError, UnicodeDecodeError):
        return None
    found = _PLAIN.findall(text)
    if len(found) != len(text.splitlines()):
        return None
    keys = {word: _kind(word) for _, word, _ in found}
    columns: dict[str, list[tuple[int, float, float]]] = {key: [] for key in keys.values()}
    before = 0.0
    for line, (step, word, value) in enumerate(found, 1):
        at, logged = float(step), number(value)
        if at < before or logged is None:
            return None
        columns[keys[word]].append((line, at, logged))
        before = at
    return columns


def _complete(_folder: Folder, found: Found) -> None:
    """The updates that were made: a line is printed after the update, and the first one has the number 0."""
    trained = next((one.steps for one in found.told.series if (one.name, one.split) == ("loss", "train")), None)
    found.extra["trainer"] = "nanoGPT"
    if trained is None or not len(trained):
        return
    interval = float(trained[1] - trained[0]) if len(trained) > 1 else 1.0
    if not 0 < trained[0] <= interval:  # such a log was written by a loop that counts from 1
        found.extra["step"] = int(trained[-1]) + 1
        found.problems.append(Problem(found.file, "nanoGPT counts steps from 0: step 3 is the fourth"))


LAYOUT = Layout(
    "nanogpt",
    "nanoGPT",
    SUFFIXES,
    knows(_parse),
    rows_of(_parse),
    first_of(STEP),
    cells=without(STEP),
    where="line {row}, {key}",
    note="nanoGPT's log tells no settings",
    complete=_complete,
    precision=3,
    whole=_whole,
    deep=SUFFIXES,
)
READER = LAYOUT.reader()
