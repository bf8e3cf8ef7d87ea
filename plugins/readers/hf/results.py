"""``*_results.json``: the metrics that a script saved, flat and without rows."""

from __future__ import annotations

import math
import re
from typing import Any

from dpo_report.core.folder import Folder
from dpo_report.core.model import Datum, Problem, Source
from dpo_report.plugins.readers.hf.jsonfile import read_object

NAMES = (
    "train_results.json",
    "eval_results.json",
    "test_results.json",
    "predict_results.json",
    "all_results.json",
    "metrics.json",
)
PREFIX = "eval_"
"""What stands before the keys of an evaluation."""
_PREFIXED = re.compile(r"^(train|eval|test|predict)_")
_ALSO = frozenset({"epoch", "total_flos", "perplexity", "num_input_tokens_seen"})


def is_summary(value: dict[str, Any]) -> bool:
    """Whether an object is what ``Trainer.save_metrics`` writes: flat numbers under prefixed keys."""
    return any(_PREFIXED.match(key) and _number(item) is not None for key, item in value.items())


def read_results(folder: Folder, path: str, problems: list[Problem]) -> dict[str, Datum] | None:
    """One results file's numbers; empty, with a problem, where it holds something else; None where it is unreadable."""
    value = read_object(folder, path, problems)
    if value is None:
        return None
    if not is_summary(value):
        problems.append(Problem(path, "holds no metrics of the trainer (another program's results?), left out"))
        return {}
    return {
        key: Datum(number, Source(path, key))
        for key, item in value.items()
        if (_PREFIXED.match(key) or key in _ALSO) and (number := _number(item)) is not None
    }


def _number(value: Any) -> float | None:
    return None if isinstance(value, bool) or not isinstance(value, int | float) else as_float(value)


def as_float(value: float) -> float:
    """A number as a float, infinite where it is too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
