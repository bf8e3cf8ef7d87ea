"""Hand-made runs for tests of rules: what a reader would give, without files."""

from __future__ import annotations

from typing import Any

from dpo_report.core.model import Run
from dpo_report.core.testing import analysed as analysis
from dpo_report.core.testing import finding
from dpo_report.core.testing import made_run as run
from dpo_report.core.testing import made_series as series
from dpo_report.core.testing import sentence as says

__all__ = ["FIRST_SUMMARY", "FIRST_USER", "OLD", "analysis", "finding", "first_user", "run", "says", "series"]

OLD = {"trl": "0.9.6", "transformers": "4.42.4", "torch": "2.13.0"}

FIRST_USER = {
    "num_train_epochs": 2.0,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 4,
    "learning_rate": 5e-6,
    "loss_type": "sigmoid",
    "beta": 0.1,
    "logging_steps": 10,
    "warmup_steps": 0,
    "seed": 42,
}
"""The settings of the first user's run."""

FIRST_SUMMARY = {
    "train_runtime": 19.619,
    "train_samples_per_second": 0.816,
    "train_steps_per_second": 0.204,
    "train_loss": 0.4595,
    "epoch": 2.0,
}
"""Its five numbers."""


def first_user(**changes: Any) -> Run:
    """The first user's run: no log rows at all, five numbers in the end."""
    given: dict[str, Any] = {"settings": FIRST_USER, "summary": FIRST_SUMMARY, "steps": 4, "epoch": 2.0, **changes}
    return run(**given)
