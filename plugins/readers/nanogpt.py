"""nanoGPT and its kin: the console of ``train.py``, and build-nanogpt's ``log.txt`` of ``step kind value`` lines.

Steps count from 0: the line of step 0 is printed after the first update, an evaluation's before the update of its step.
"""

from __future__ import annotations

import re
from typing import Any

from dpo_report.core.folder import Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.layout import Found, Layout, first_of, without
from dpo_report.plugins.readers.regular import Column, Table
from dpo_report.plugins.readers.textlogs import NUMBER, STEP, SUFFIXES, knows, pairs, rows_of

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


def _table(data: bytes) -> Table | None:
    """A log.txt of which every line is ``step kind value``."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        return None
    found = _PLAIN.findall(text)
    if len(found) != len(text.splitlines()):
        return None
    columns = {STEP: Column(range(len(found)), [step for step, _, _ in found])}
    for word in dict.fromkeys(word for _, word, _ in found):
        rows = [row for row, one in enumerate(found) if one[1] == word]
        columns[_kind(word)] = Column(rows, [found[row][2] for row in rows])
    return Table(1, len(found), columns)


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
    rows_of(_parse, _table),
    first_of(STEP),
    cells=without(STEP),
    where="line {row}, {key}",
    note="nanoGPT's log tells no settings",
    complete=_complete,
    precision=3,
    deep=SUFFIXES,
)
READER = LAYOUT.reader()
