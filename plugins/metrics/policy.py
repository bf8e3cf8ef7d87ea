"""What policy-gradient runs (GRPO, RLOO, PPO, online DPO) log instead of a telling loss: the mean reward (L4)."""

from __future__ import annotations

from collections.abc import Iterator

from dpo_report.core.contract import Metric, NotApplicable
from dpo_report.core.model import Run, Value
from dpo_report.plugins import conventions, reading

REWARD_KEYS = ("reward", "objective/scores", "objective/rlhf_reward", "env/reward_mean")


def _reward(run: Run) -> Iterator[Value]:
    return _ends(run, REWARD_KEYS, "policy.reward", "mean training reward")


def _episodes(run: Run) -> Iterator[Value]:
    return _ends(run, reading.EPISODE_REWARDS, "episodes.reward", "mean episode reward")


def _ends(run: Run, keys: tuple[str, ...], name: str, label: str) -> Iterator[Value]:
    series = next((s for s in map(run.get, keys) if s is not None and len(s)), None)
    if series is None:
        raise NotApplicable("no mean reward was logged")
    _, values = reading.finite(series)
    windows = conventions.windows(run, values)
    if windows is not None:
        first, last, note = windows.first, windows.last, f"median of {windows.size} rows"
    elif len(values):
        first, last, note = float(values[0]), float(values[-1]), "one row"
    else:
        raise NotApplicable("the mean reward is never finite")
    for end, value in (("first", first), ("last", last)):
        yield Value(
            f"{name}.{end}",
            value,
            tuple(series.origins),
            label=f"{label}, {end} rows",
            kind="number",
            better="higher",
            formula="as logged",
            note=note,
        )


METRICS = (
    Metric(
        "policy.reward.last",
        "mean training reward",
        _reward,
        needs=("method:grpo,rloo,ppo,online_dpo",),
        better="higher",
        keys=REWARD_KEYS,
        meaning="Mean of the reward function over the completions sampled for the training prompts.",
        paper="The mean training reward was {value} over the last rows.",
        context="The optimised quantity itself, on training prompts: quality needs an independent measure.",
        compare="The same reward function on held-out prompts.",
        source="TRL GRPOTrainer / RLOOTrainer logged metrics",
    ),
    Metric(
        "episodes.reward.last",
        "mean episode reward",
        _episodes,
        better="higher",
        keys=reading.EPISODE_REWARDS,
        meaning="Reward summed over an episode, averaged over the last training episodes.",
        paper="The mean episode reward of training was {value} over the last rows.",
        context="Episodes of training, played with exploration; a policy is judged on episodes of its own.",
        compare="Evaluation episodes; a random policy in the same environment; other seeds.",
        source="Stable-Baselines3 rollout/ep_rew_mean (mean over 100 episodes)",
    ),
)
