"""``*_results.json``: the metrics that a script saved, flat and without rows."""

from __future__ import annotations

import re
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Datum, Problem, Source
from dpo_report.plugins.readers.hf.jsonfile import read_object

NAMES = ("train_results.json", "eval_results.json", "test_results.json", "predict_results.json", "all_results.json")
_PREFIXED = re.compile(r"^(train|eval|test|predict)_")
_ALSO = frozenset({"epoch", "total_flos", "perplexity", "num_input_tokens_seen"})


def is_summary(value: dict[str, Any]) -> bool:
    """Whether an object is what ``Trainer.save_metrics`` writes: flat numbers under prefixed keys."""
    return any(_PREFIXED.match(key) and _number(item) is not None for key, item in value.items())


def read_results(folder: Folder, entry: Entry, problems: list[Problem]) -> dict[str, Datum]:
    """The numbers of one results file; empty, with a problem, where it holds something else."""
    value = read_object(folder, entry, problems)
    if value is None:
        return {}
    if not is_summary(value):
        problems.append(Problem(entry.path, "holds no metrics of the trainer (another program's results?), left out"))
        return {}
    return {
        key: Datum(number, Source(entry.path, key))
        for key, item in value.items()
        if (_PREFIXED.match(key) or key in _ALSO) and (number := _number(item)) is not None
    }


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
