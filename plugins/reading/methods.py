"""What the methods are called and what their rows are."""

from __future__ import annotations

from dpo_report.core.model import Run

PAIRED = frozenset({"dpo", "orpo", "cpo", "simpo", "reward"})
"""Methods whose dataset row is a pair of responses."""
POLICY_GRADIENT = frozenset({"grpo", "rloo", "ppo"})
EPISODE_REWARDS = ("rollout/ep_rew_mean", "episode/reward")
"""Rewards of whole episodes, of agents in an environment (Stable-Baselines3)."""
"""Methods whose ``loss`` is no measure of progress (rule L4)."""
IMPLICIT_REWARD = frozenset({"dpo", "kto", "online_dpo", "bco"})
"""Methods whose ``rewards/*`` are β times a log-ratio to a reference."""
_SAMPLE = dict.fromkeys(PAIRED, "pair") | {"kto": "completion", "bco": "completion"}
_SAMPLE |= {"grpo": "prompt", "rloo": "prompt", "ppo": "prompt", "online_dpo": "prompt"}


def sample_word(run: Run) -> str:
    """What one dataset row is: a pair, a completion, a prompt, or an example where that is not known."""
    return _SAMPLE.get(run.method or "", "example")


def batch_word(run: Run) -> str:
    """What the trainer counts in a batch: completions for the methods that sample them, dataset rows otherwise."""
    return "completion" if run.method in ("grpo", "rloo") else sample_word(run)


def pair_word(run: Run) -> str:
    """As :func:`sample_word`, in full: ``preference pair``."""
    word = sample_word(run)
    return "preference pair" if word == "pair" else word
