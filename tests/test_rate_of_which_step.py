"""Rows show the rate of their own step or of the next one: neither is another schedule (rules G4 and G5)."""

from __future__ import annotations

import math

import made
from dpo_report.core.model import Run
from rules import BASE, big

COSINE = BASE | {"learning_rate": 1e-4, "lr_scheduler_type": "cosine", "warmup_steps": 0}


def cosine(shift: int, **changes: object) -> Run:
    """60 rows of a cosine schedule; ``shift`` 0 shows the rate used for a row's step, 1 that of the next."""
    rates = [1e-4 * 0.5 * (1 + math.cos(math.pi * (row + shift) / 60)) for row in range(60)]
    return big(settings=COSINE, learning_rate=rates, versions={"transformers": "5.9.0"}, **changes)


def test_a_trainer_that_logs_the_next_rate_keeps_its_stated_schedule() -> None:
    """ms-swift does so also where Transformers logs the rate that was used."""
    for shift in (0, 1):
        assert "differ from this schedule" not in made.says(cosine(shift), "G4")


def test_rates_of_another_schedule_are_still_told() -> None:
    halved = big(settings=COSINE, learning_rate=[5e-5] * 60, versions={"transformers": "5.9.0"})
    assert "the logged rates differ from this schedule by up to 5" in made.says(halved, "G4")


def test_a_next_rate_above_zero_is_no_warm_up_that_trained_at_once() -> None:
    settings = COSINE | {"lr_scheduler_type": "linear", "warmup_steps": 5}
    own = [min(k / 5, (60 - k) / 55) * 1e-4 for k in range(60)]
    later = [min(k / 5, (60 - k) / 55) * 1e-4 for k in range(1, 61)]
    for rates in (own, later):
        run = big(settings=settings, learning_rate=rates, versions={"transformers": "5.9.0"})
        assert made.says(run, "G5") == "Warm-up starts at 0, so the first update changed nothing."
