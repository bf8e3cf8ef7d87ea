"""The console of PaddleNLP's and PaddleFormers' trainer: what ``workerlog.0`` holds where Paddle's launcher was used.

Training rows tell their step, evaluations do not: they are of the step before them. The trainer's own
``trainer_state.json`` and results are the Hugging Face Trainer's, and so is their reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dpo_report.core.contract import FileKind
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.layout import Found
from dpo_report.plugins.readers.tabular import Row
from dpo_report.plugins.readers.textlogs import STEP, SUFFIXES, pairs, printed, rows_of

_TRAINED = re.compile(r"\bloss: .*\bglobal_step: (\d{1,12})\b")
_OTHER = re.compile(r" - (?:eval_\w+|train_runtime): .*\bprogress_or_epoch: ")
_NO_CURVE = re.compile(r"^(?:interval_|cpu_|gpu_|max_memory|current_memory|global_step$|eval_runtime$)|_per_second$")
_EPOCH = "progress_or_epoch"


def parse(line: str) -> dict[str, Any] | None:
    """The values of a training row (``loss: 0.5, learning_rate: 3e-05, global_step: 10, ...``) or of an evaluation."""
    match = _TRAINED.search(line)
    if not match and not _OTHER.search(line):
        return None
    kept = {"epoch" if k == _EPOCH else k: c for k, c in pairs(line).items() if not _NO_CURVE.search(k)}
    return {STEP: match.group(1), **kept} if match else kept


def _rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    """The rows, an evaluation's with the step before it."""
    step: str | None = None
    for row in rows_of(parse)(folder, entry, problems):
        step = row.cells.get(STEP, step)
        if step is not None:
            yield Row(row.line, {**row.cells, STEP: step})


def _complete(_folder: Folder, found: Found) -> None:
    found.extra["trainer"] = "paddle.Trainer"


READER = replace(
    printed(
        "paddle",
        "PaddleFormers",
        parse,
        note="read from the console, which rounds",
        rows=_rows,
        complete=_complete,
        files=(FileKind("workerlog.*", "log", "what a process printed that Paddle's launcher started"),),
    ),
    suffixes=(*SUFFIXES, ".0"),
    deep=(*SUFFIXES, ".0"),
).reader()
