"""OpenRLHF's console: a line for every global step of PPO, and the progress bars of its other trainers.

DPO, reward modelling and SFT print nothing but a bar for each epoch, with the last batch's values behind it, rounded to
three digits. A bar is drawn before its batch is counted and once more after it: what stands behind ``n`` batches is of
batch ``n + 1``, the last time it is drawn so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.layout import Found, without
from dpo_report.plugins.readers.tabular import Row
from dpo_report.plugins.readers.textlogs import STEP, pairs, printed, rows_of

_STEP = re.compile(r"Global step (\d{1,12})(?: \[\w+\])?: (?=\{)")
_EVALUATED = re.compile(
    r"(?:Evaluation completed in [\w :,]{1,40}, global_step|Eval at step) (\d{1,12})(?:, eval_metrics)?: (?=\{)"
)
_BAR = re.compile(r"Train step of epoch (\d{1,6}):.*?\| (\d{1,12})/(\d{1,12}) \[[^\]]*?, (?=\w+=)")
_EVAL_BAR = re.compile(r"Eval stage of (?:global_step|steps) (\d{1,12}):.*?\[[^\]]*?, (?=\w+=)")
_REWARDS = ("rewards/chosen", "rewards/rejected")
_BATCHES, _EVALUATION, _UPDATE = "\x00batches", "\x00evaluation", "\x00update"
_NAMES = {
    "chosen_reward": "rewards/chosen",
    "reject_reward": "rewards/rejected",
    "acc": "rewards/accuracies",
    "eval/acc_mean": "eval/rewards/accuracies",
    "eval/eval_loss": "eval/loss",
    "actor_lr": "learning_rate",
    "actor_grad_norm": "grad_norm",
}


def parse(line: str) -> dict[str, Any] | None:
    """The values of a line: of a global step, an evaluation or a progress bar."""
    if match := _STEP.search(line):
        return {STEP: match.group(1), **_cells(line[match.end() :])}
    if match := _EVALUATED.search(line) or _EVAL_BAR.search(line):
        return {STEP: match.group(1), _EVALUATION: True, **_cells(line[match.end() :], "eval/")}
    if match := _BAR.search(line):
        epoch, done, batches = (int(count) for count in match.groups())
        at = epoch * batches + min(done + 1, batches)
        return {STEP: at, _BATCHES: batches, **_cells(line[match.end() :])}
    return None


def _cells(text: str, split: str = "") -> dict[str, str]:
    return {split + key: cell for key, cell in pairs(text).items() if not key.startswith("timing/")}


def _rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    """Every batch and evaluation as it was drawn last; of an update the last batch, where its batches are known.

    An evaluation tells after how many updates it came, and so how many batches an update takes. OpenRLHF's own trackers
    get the values of the last one, too.
    """
    found = list(rows_of(parse)(folder, entry, problems))
    batches = _batches_of_an_update(found)
    drawn: dict[bool, Row] = {}
    done: dict[bool, Row] = {}
    for row in found:
        kind = _EVALUATION in row.cells
        if _BATCHES in row.cells and batches:
            if row.cells[STEP] % batches:
                continue
            row = Row(row.line, {**row.cells, STEP: row.cells[STEP] // batches, _UPDATE: True})
        before = drawn.get(kind)
        if before is not None and before.cells[STEP] != row.cells[STEP]:
            done[kind] = before
            yield before
        if not kind and True in drawn:
            yield drawn.pop(True)
        drawn[kind] = row
    for kind, row in drawn.items():
        if _BATCHES not in row.cells or kind not in done or _values(row) != _values(done[kind]):
            yield row  # else the bar of a run that was killed, drawn once more after its last batch


def _values(row: Row) -> dict[str, Any]:
    return {key: cell for key, cell in row.cells.items() if key != STEP}


def _batches_of_an_update(rows: Sequence[Row]) -> int | None:
    """How many batches a bar counts for an optimizer update; None where nothing tells."""
    done, known = 0, None
    for row in rows:
        done = row.cells[STEP] if _BATCHES in row.cells else done
        updates = int(row.cells[STEP]) if _EVALUATION in row.cells else 0
        if done and updates:
            known = max(1, done // updates)
    return known


def _complete(folder: Folder, found: Found) -> None:
    found.extra["trainer"] = "OpenRLHF"
    if _BATCHES not in found.last:
        found.extra["step"] = found.told.last_step()
        return
    first = [one.values[0] for one in found.told.series if one.split == "train" and one.name in _REWARDS]
    if len(first) == 2 and not any(first):
        found.extra["method"] = "dpo", "the first batch's rewards are 0: the model began as its own reference", 0.9
    if _UPDATE in found.last:
        found.extra["step"] = found.told.last_step()
    else:
        text = "OpenRLHF's bar counts batches; how many an optimizer update takes, it does not tell"
        found.problems.append(Problem(found.file, text))


READER = replace(
    printed(
        "openrlhf",
        "OpenRLHF console",
        parse,
        own=lambda key: _NAMES.get(key, key),
        note="read from OpenRLHF's console, whose progress bars round to three digits",
        complete=_complete,
        rows=_rows,
    ),
    cells=without(STEP, _BATCHES, _EVALUATION, _UPDATE),
    counts="batch",
).reader()
