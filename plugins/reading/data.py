"""Dataset rows: told, or implied by rounded rates and step counts (rule B3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dpo_report.core.model import Run, Source
from dpo_report.plugins.reading.batch import accumulation, devices, per_device_batch
from dpo_report.plugins.reading.resumption import resumed_from
from dpo_report.plugins.reading.rows import planned_epochs, total_steps
from dpo_report.plugins.reading.told import at_least, fact, setting_source, whole

MOST_ROWS = 10**12
"""Rates that imply more rows than this imply none."""


@dataclass(frozen=True, slots=True)
class Band:
    """Whole numbers that a rounded rate allows."""

    low: int
    high: int
    formula: str
    sources: tuple[Source, ...]

    @property
    def value(self) -> int | None:
        """The number, where only one is possible."""
        return self.low if self.low == self.high else None


def implied_rows(run: Run) -> Band | None:
    """Dataset rows implied by the nominal throughput (rule B3): N = samples/s × runtime / E.

    transformers ``speed_metrics``: the rate is N·E / runtime rounded to three decimals, the runtime to four. Not
    under ``max_steps`` and not for resumed or interrupted runs, whose rates mean something else.
    """
    epochs = planned_epochs(run)
    runtime, rate = run.number("train_runtime"), run.number("train_samples_per_second")
    if not epochs or not runtime or not rate or run.status not in ("completed", "unknown", "diverged"):
        return None
    if run.status != "unknown" and resumed_from(run):
        return None
    least, most = (rate - 5e-4) * (runtime - 5e-5) / epochs - 1e-9, (rate + 5e-4) * (runtime + 5e-5) / epochs + 1e-9
    if not (abs(least) < MOST_ROWS and most < MOST_ROWS):
        return None
    low, high = math.ceil(least), math.floor(most)
    if high < max(low, 1):
        return None
    sources = tuple(run.summary[key].source for key in ("train_samples_per_second", "train_runtime"))
    formula = f"({rate:g} ± 0.0005) × {runtime:g} / {epochs:g}"
    return Band(max(low, 1), high, formula, sources + setting_source(run, "num_train_epochs"))


def rows_from_steps(run: Run) -> Band | None:
    """Dataset rows implied by updates per epoch: U = ⌈⌈N/(b·D)⌉/A⌉, for one device and whole epochs.

    The band is (b·A·(U−1), b·A·U]; the ceiling over accumulation windows is transformers 4.53 and newer.
    """
    epochs, total, size = planned_epochs(run), total_steps(run), per_device_batch(run)
    if not epochs or not total or not size or run.status != "completed" or total % epochs:
        return None
    if at_least(run, "transformers", 4, 53, 3) is not True or devices(run) != 1:
        return None
    updates = int(total / epochs)
    batch = size * accumulation(run)
    return Band(
        batch * (updates - 1) + 1,
        batch * updates,
        f"{updates:,} updates per epoch × {batch}",
        setting_source(run, "num_train_epochs", "per_device_train_batch_size"),
    )


def dataset_rows(run: Run) -> int | None:
    """Training rows: as told in the run's facts, else the only number that its throughput allows."""
    told = fact(run, "train_pairs", "train_rows")
    if told is not None:
        return whole(told)
    band = implied_rows(run)
    return band.value if band else None


def implied_eval_rows(run: Run, split: str = "eval") -> Band | None:
    """Held-out rows: eval samples/s × eval runtime, one number that all evaluations allow (as rule B3)."""
    rate, runtime = run.get("samples_per_second", split), run.get("runtime", split)
    if rate is None or runtime is None:
        return None
    low, high = 1, MOST_ROWS
    for step, value in zip(rate.steps, rate.values, strict=True):
        at = np.flatnonzero(runtime.steps == step)
        if not len(at):
            continue
        seconds = float(runtime.values[at[0]])
        least, most = (value - 5e-4) * (seconds - 5e-5) - 1e-9, (value + 5e-4) * (seconds + 5e-5) + 1e-9
        if not (abs(least) < MOST_ROWS and abs(most) < MOST_ROWS):
            continue
        low, high = max(low, math.ceil(least)), min(high, math.floor(most))
    if high < low or high >= MOST_ROWS:
        return None
    return Band(low, high, "eval samples/s × eval runtime", (rate.source, runtime.source))
