"""A run that was killed: what its log tells after the last saved state counts, and is not called unknown."""

from __future__ import annotations

import made
from dpo_report.core.model import Run
from rules import big


def killed(rows: int) -> Run:
    """A state saved at step 60 of 100, and a log of so many rows."""
    return big(loss=[0.69 - 0.01 * row for row in range(rows)], steps=60, max_steps=100, status="incomplete")


def test_a_log_that_goes_on_is_told_with_its_last_step() -> None:
    run = killed(64)
    assert "state is that of step 60 of 100" in made.says(run, "A5")
    assert made.says(run, "A5").endswith("the log ends at step 64.")
    assert "Training took at least 64 optimizer steps." in made.says(run, "B2")
    assert made.says(run, "G8").startswith("Training comprised only 64 ")


def test_a_log_that_ends_with_the_state_leaves_the_rest_open() -> None:
    run = killed(60)
    assert made.says(run, "A5").endswith("what came after it is not told.")
    assert "Training took at least 60 optimizer steps." in made.says(run, "B2")


def test_a_run_that_stopped_early_has_its_exact_count() -> None:
    run = big(max_steps=100, status="incomplete", summary={"train_runtime": 5.0})
    assert made.says(run, "A5").startswith("Training stopped at step 60 of 100")
    assert "Training took 60 optimizer steps." in made.says(run, "B2")
