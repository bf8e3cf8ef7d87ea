"""Batch, accumulation and devices (rule B1)."""

from __future__ import annotations

import math

from dpo_report.core.model import Run
from dpo_report.plugins.reading.told import fact, setting, whole

MOST_DEVICES = 1_000_000
"""Rates that imply more devices than this imply none."""


def per_device_batch(run: Run) -> int | None:
    """Rows per device and forward pass."""
    return _positive(setting(run, "per_device_train_batch_size"))


def accumulation(run: Run) -> int:
    """Micro-batches per optimizer step (1 where the run does not tell)."""
    return _positive(setting(run, "gradient_accumulation_steps")) or 1


def devices(run: Run) -> int | None:
    """Data-parallel devices: as told, else from (samples/s ÷ steps/s) ÷ (b·A) where that is close to a whole number.

    The ratio is N·E/T, which equals the effective batch only when N divides evenly; a quarter either way is allowed.
    """
    told = _positive(fact(run, "world_size")) or _positive(setting(run, "world_size"))
    if told:
        return told
    size = per_device_batch(run)
    rate, steps = run.number("train_samples_per_second"), run.number("train_steps_per_second")
    if not size or not rate or not steps or steps < 0.01:
        return None
    ratio = rate / steps / (size * accumulation(run))
    if not ratio < MOST_DEVICES:
        return None
    nearest = max(1, math.ceil(ratio - 0.05))
    return nearest if 0.7 * nearest <= ratio <= 1.1 * nearest else None


def effective_batch(run: Run) -> int | None:
    """Rows per optimizer step: b × A × D (rule B1); None where the batch or the device count is not known."""
    size, count = per_device_batch(run), devices(run)
    return size * accumulation(run) * count if size and count else None


def _positive(value: object) -> int | None:
    """A count that a training run can have had."""
    number = whole(value)
    return number if number is not None and number > 0 else None
