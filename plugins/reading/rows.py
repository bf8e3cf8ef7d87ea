"""Rows of the log: finite points, held-out series, step and epoch counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpo_report.core.contract import NotApplicable
from dpo_report.core.model import Run, Series
from dpo_report.plugins.readers.hf.results import NAMES, PREFIX
from dpo_report.plugins.reading.told import numeric, setting, whole

LEAST_EPOCHS, MOST_EPOCHS = 1e-9, 1e9
"""Outside of these, a number of epochs is a slip."""


def finite(series: Series | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Steps and values of the finite points, each of shape (m,)."""
    if series is None:
        return np.empty(0), np.empty(0)
    keep = np.isfinite(series.values)
    return series.steps[keep], series.values[keep]


def ends(series: Series | None) -> tuple[float, float]:
    """The first and the last finite value.

    Raises:
        NotApplicable: there are not two.
    """
    _, values = finite(series)
    if len(values) < 2:
        raise NotApplicable("fewer than two finite rows were logged")
    return float(values[0]), float(values[-1])


def held_out(run: Run, name: str) -> list[Series]:
    """The held-out series of that name: split ``eval`` first, named evaluation sets after it."""
    found = [s for (key, split), s in run.series.items() if key == name and split.split(":")[0] == "eval" and len(s)]
    return sorted(found, key=lambda s: (s.split != "eval", s.split))


def held_out_saved(run: Run) -> bool:
    """Whether results of held-out data were saved, be they in no curve."""
    return any(key.startswith((PREFIX, "test_", "predict_")) for key in run.summary)


def after_training(series: Series, index: int) -> str:
    """The results file that tells a held-out point, made once training had ended; empty for points of a log."""
    source = series.sources[0 if series.which is None else int(series.which[index])]
    saved = source.where.startswith(PREFIX) and "{row}" not in source.where
    return source.file if saved and source.file.rpartition("/")[2] in NAMES else ""


def row_steps(run: Run, name: str = "loss") -> NDArray[np.float64]:
    """Steps at which training rows with that key were logged."""
    series = run.get(name)
    return np.empty(0) if series is None else series.steps


def total_steps(run: Run) -> int | None:
    """Optimizer steps done, where the run counts them; its rows may count epochs, rounds or environment steps."""
    return run.global_step


def last_step(run: Run) -> int:
    """The last step known to be taken: a log may go on after the last saved state; 0 for none."""
    logged = (int(s.steps[-1]) for (_, split), s in run.series.items() if split == "train" and len(s))
    return max(run.global_step or 0, *logged, 0)


def ended(run: Run) -> bool:
    """Whether the trainer wrote its closing summary: it left its loop, be it early."""
    return "train_loss" in run.summary or "train_runtime" in run.summary


def cut_short(run: Run) -> bool:
    """Whether the run ended before its plan and without a closing summary: its log may go past its last state."""
    return run.status == "incomplete" and not ended(run)


def planned_epochs(run: Run) -> float | None:
    """The float argument ``num_train_epochs``; None where ``max_steps`` bounded the run, or it cannot be meant."""
    limit = whole(setting(run, "max_steps"))
    if limit is not None and limit > 0:
        return None
    epochs = numeric(setting(run, "num_train_epochs"))
    return epochs if epochs is not None and LEAST_EPOCHS < epochs < MOST_EPOCHS else None
