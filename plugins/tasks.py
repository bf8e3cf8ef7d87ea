"""Held-out sets as tasks: the accuracy that each seed of a recipe reached on each of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dpo_report.core.model import Run
from dpo_report.plugins import reading
from dpo_report.plugins.aggregate import Floats


def tasks(run: Run) -> list[str]:
    """The named held-out sets on which an accuracy was evaluated, as splits."""
    return sorted({split for (key, split) in run.series if key == "rewards/accuracies" and split.startswith("eval:")})


def scores(runs: Sequence[Run], splits: Sequence[str]) -> Floats | None:
    """The last accuracy of every run on every set, shape (runs, sets); None where one is missing."""
    table = []
    for run in runs:
        rows = [reading.finite(run.get("rewards/accuracies", split))[1] for split in splits]
        if not all(map(len, rows)):
            return None
        table.append([float(accuracies[-1]) for accuracies in rows])
    return np.array(table)
