"""Names that one program has for what is called otherwise everywhere else, told by the keys that it logs beside them.

OpenRLHF (its trainers for DPO, KTO, rewards, SFT and PPO, releases 0.3 to 0.11): ``acc`` is the share of pairs whose
chosen response had the higher reward, of the last batch of an update in training (``acc_mean`` beside it is a running
mean) and of the whole set in an evaluation; ``entropy_loss`` is the entropy itself. Ludwig's event files have its
combined loss under a name of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple


class Dialect(NamedTuple):
    """What one kind of training logs."""

    marks: frozenset[str]
    """Keys that are all there, without the split."""
    names: Mapping[str, str]
    """The name that each key has everywhere."""
    held_out: Mapping[str, str] = {}
    """The same for held-out data only."""
    without: str = ""
    """A piece that every other key has and that no other log of the program's has; empty for none."""


_LOSS = {"eval_loss": "loss", "eval gpt_loss": "loss"}
DIALECTS = (
    Dialect(
        frozenset({"chosen_reward", "reject_reward"}),
        {
            "chosen_reward": "rewards/chosen",
            "reject_reward": "rewards/rejected",
            "acc": "rewards/accuracies",
            "kto_loss": "loss",
        },
        {"acc_mean": "rewards/accuracies", **_LOSS},
    ),
    Dialect(
        frozenset({"combined/step_training_loss", "combined/epoch_loss"}),
        {"combined/epoch_loss": "loss"},
        without="epoch_",
    ),
    Dialect(frozenset({"gpt_loss", "loss_mean"}), {"gpt_loss": "loss"}, _LOSS),
    Dialect(
        frozenset({"policy_loss", "actor_lr", "response_length"}),
        {
            "actor_lr": "learning_rate",
            "actor_grad_norm": "grad_norm",
            "response_length": "completions/mean_length",
            "entropy_loss": "entropy",
        },
    ),
)


def names(keys: Collection[str], split: str) -> Mapping[str, str]:
    """Common names by key, of a log with these keys (without the split); empty where no dialect is known by them.

    >>> names({"chosen_reward", "reject_reward", "acc_mean"}, "eval")["acc_mean"]
    'rewards/accuracies'
    """
    held_out = split.startswith("eval")
    spoken = [dialect for dialect in DIALECTS if dialect.marks <= set(keys)]
    found: dict[str, str] = {}
    for one in spoken:
        found |= {key: key.replace(one.without, "") for key in keys if one.without and one.without in key}
        found |= {**one.names, **(one.held_out if held_out else {})}
    return found
