"""Of an agent in an environment its algorithm and its episodes are told, not whether its loss fell (rules A3, L4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

import made
from dpo_report.core.model import Run
from rules import big


def agent(trainer: str = "stable_baselines3.PPO") -> Run:
    return replace(big(method=None, rollout__ep_rew_mean=[1.0] * 60), trainer=trainer)


@pytest.mark.parametrize("code", ["C3", "C4", "C6", "C7", "C13"])
def test_its_loss_is_not_interpreted(code: str) -> None:
    assert made.finding(agent(), code).status == "not_applicable"


def test_its_algorithm_is_told_where_the_trainer_is_named_after_it() -> None:
    assert "The model was trained by PPO" in made.says(agent(), "A3")
    assert "a method that the run does not tell" in made.says(agent("lightning.Trainer"), "A3")


def test_a_log_of_episodes_that_holds_no_finite_reward_tells_of_the_loss_only() -> None:
    nothing = big(method=None, rollout__ep_rew_mean=[float("nan")] * 60)
    assert made.says(nothing, "L4").endswith("is not interpreted.")
