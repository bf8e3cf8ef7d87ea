"""What a reviewer asks first of held-out values: worse than untrained, over-fitted, far from the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import made
from dpo_report.core.model import Run
from rules import big, evaluated, noise
from rules_basic import outgrown, over_fitted, rewards


def test_a_held_out_loss_above_the_untrained_one_is_told() -> None:
    assert made.says(evaluated([0.75, 0.74]), "F2").endswith(" and above the 0.693 of the untrained policy.")
    assert "untrained" not in made.says(evaluated([0.75, 0.6]), "F2")
    assert "untrained" not in made.says(evaluated([0.75, 0.6932]), "F2")


def test_a_held_out_loss_is_told_where_no_loss_was_logged_in_training() -> None:
    def run(loss: float, **more: Any) -> Run:
        return made.run(settings=made.FIRST_USER, steps=20, evaluations={"loss": ([10, 20], [0.69, loss])}, **more)

    unlogged = "no loss was logged in training up to there."
    assert made.says(run(0.6), "F2") == f"At step 20 the held-out loss was 0.600; {unlogged}"
    above = f"At step 20 the held-out loss was 0.800, above the 0.693 of the untrained policy; {unlogged}"
    assert made.says(run(0.8), "F2") == above
    assert made.says(run(float("nan")), "F2") == ""
    assert made.says(run(0.6, method="grpo"), "F2") == ""


def test_evaluations_that_never_beat_the_untrained_policy_are_told() -> None:
    rising = made.says(evaluated([0.74, 1.2, 1.5, 1.9]), "F3")
    assert rising.endswith("ended at 1.900, never below the 0.693 of the untrained policy.")
    assert "never below" not in made.says(evaluated([0.6, 1.2, 1.5, 1.9]), "F3")


def test_training_pairs_ranked_better_than_held_out_ones_are_told() -> None:
    assert made.says(over_fitted(0.7), "D5") == (
        "Training pairs are ranked correctly more often than held-out ones (95 % in the last logged window against "
        "70 %), a sign of over-fitting."
    )
    assert made.finding(over_fitted(0.9), "D5").status == "passed"
    assert made.finding(over_fitted(0.7, rows=20), "D5").status == "passed"


def test_the_distance_of_preferred_responses_counts_as_the_margin_does() -> None:
    """Both likelihoods fell by 80 nats and the margin is small: far from the reference all the same."""
    run = rewards(-8.0, -8.5)
    assert "On training pairs preferred responses moved 80.0 nats from the reference" in made.says(run, "D8")
    assert "too high a learning rate is one possible cause" in made.says(run, "D8")
    both = made.says(rewards(-8.0, -28.0), "D8")
    assert "the margin reached 200 nats and preferred responses moved 80.0 nats from the reference; that far" in both


def test_a_trend_of_margins_past_a_flat_accuracy_is_told_also_when_it_wavers() -> None:
    assert "grew over the last 12 evaluations while held-out accuracy did not" in made.says(outgrown(), "F9")
    assert made.finding(outgrown(0.75), "F9").status == "passed"


def test_likelier_preferred_responses_are_told_with_the_held_out_ones() -> None:
    held = {"rewards/chosen": ([60], [-0.03]), "rewards/rejected": ([60], [-1.0])}
    said = made.says(rewards(1.0, -1.0, evaluations=held), "E2")
    assert said.endswith(
        "; on held-out pairs (step 60) their log-probabilities differed from its by −0.300 nats and −10.0 nats per "
        "response."
    )


@pytest.mark.parametrize("code", ["C4", "D1"])
def test_a_change_within_its_scatter_has_no_direction(code: str) -> None:
    scatter = 0.01 * np.array(noise(60))
    run = big(
        loss=0.693 + scatter, rewards__margins=0.001 + scatter, rewards__chosen=scatter, rewards__rejected=scatter
    )
    said = made.says(run, code)
    assert " went from " in said
    assert "within its scatter" in said
