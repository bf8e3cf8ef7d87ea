"""Held-out values that count epochs in a file whose training counts steps.

A file's records stand in the order in which they were written. Where each evaluation is numbered one more than the one
before, while the training step logged before it is far ahead, the two do not count the same: the evaluations belong
to those training steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from dpo_report.core.model import Problem
from dpo_report.plugins.readers.keys import Key
from dpo_report.plugins.readers.points import Part, Points

FEWEST = 2
"""Evaluations that show how they are numbered."""
_NOT_TRAINING = frozenset({"epoch", "learning_rate"})


def placed(part: Part, keys: Mapping[str, Key], problems: list[Problem]) -> Part:
    """A file's points with every evaluation at the training step that was logged before it."""
    curves = {key: points for key, points in part.columns.items() if keys[key].role == "series"}
    training = [p for k, p in curves.items() if keys[k].split == "train" and keys[k].name not in _NOT_TRAINING]
    longest = max(training, key=lambda points: len(points.steps), default=None)
    if longest is None or len(longest.steps) < FEWEST:
        return part
    moved: dict[str, Points] = {}
    for key, points in curves.items():
        steps = _training_steps(points, longest) if keys[key].split != "train" else None
        if steps is not None:
            moved[key] = points._replace(steps=steps)
    if moved:
        listed = ", ".join(list(moved)[:3]) + (", ..." if len(moved) > 3 else "")
        text = (
            f"{listed}: numbered one by one (by epochs?) while training counts to {longest.steps.max():g}; each value "
            "is placed at the training step that was logged before it"
        )
        problems.append(Problem(part.file, text))
    return replace(part, columns={**part.columns, **moved})


def _training_steps(points: Points, training: Points) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """The last training step before each point; None where the points may count the same steps."""
    if len(points.steps) < FEWEST or not np.all(np.diff(points.steps) == 1):
        return None
    before = np.searchsorted(training.rows, points.rows) - 1
    if before[0] < 0:
        return None
    steps = training.steps[before]
    apart = float(np.median(np.abs(np.diff(training.steps))))
    ahead = steps - points.steps > max(apart, 1.0)
    return steps if bool(ahead.all()) and bool(np.all(np.diff(steps) > 1)) else None
