"""Which trainer and which method made a run: told by its arguments' class, its model card, or its logged keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dpo_report.core.methods import NO_GUESS
from dpo_report.core.model import Setting

_CONFIG = re.compile(r"^(?:Unsloth)?(\w+?)(?:[Vv]\d)?(?:Config|TrainingArguments|Arguments)$")
_METHODS = {
    "dpo": "DPOTrainer",
    "sft": "SFTTrainer",
    "kto": "KTOTrainer",
    "orpo": "ORPOTrainer",
    "cpo": "CPOTrainer",
    "reward": "RewardTrainer",
    "grpo": "GRPOTrainer",
    "rloo": "RLOOTrainer",
    "ppo": "PPOTrainer",
    "online_dpo": "OnlineDPOTrainer",
    "xpo": "XPOTrainer",
    "nash_md": "NashMDTrainer",
    "bco": "BCOTrainer",
    "gkd": "GKDTrainer",
    "prm": "PRMTrainer",
    "papo": "PAPOTrainer",
    "ddpo": "DDPOTrainer",
    "minillm": "MiniLLMTrainer",
}
_BY_CONFIG = {name.replace("_", ""): name for name in _METHODS}
_BY_TAG = {name.replace("_", "-"): name for name in _METHODS} | {"reward-trainer": "reward", "prm-trainer": "prm"}
_BY_CARD = {name.replace("_", ""): name for name in _METHODS}
_TRAINED_WITH = re.compile(r"This model was trained with ([\w -]+?)(?:, a method|\.)")
_CLASSIFIER = re.compile(r"For\w*Classification$")
_CLASSES = frozenset({"single_label_classification", "multi_label_classification"})
"""``problem_type`` of a model that was given classes as labels; a reward model's head is given none."""


BY_NAME, BY_CARD, BY_ONE, BY_KEYS, BY_CHANCE = 1.0, 0.9, 0.9, 0.7, 0.5
"""How sure a method is: named by the arguments' class; by the trainer's card; told by what one method alone has, by a
set of keys or a head that others may have too, by what others are known to have or what a person wrote."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of the method."""

    method: str | None = None
    trainer: str | None = None
    why: str = ""
    sure: float = BY_NAME
    other: Told | None = None
    """What tells another method, and is no guess either."""

    @property
    def said(self) -> tuple[str, str, float] | None:
        """The method, what tells it, and how sure that is; None where nothing tells it."""
        return (self.method, self.why, self.sure) if self.method else None


def tell(
    config: str,
    tags: Collection[str],
    card: str,
    keys: Collection[str],
    trl: bool,
    claimed: Collection[str] = (),
    settings: Mapping[str, Setting] | None = None,
) -> Told:
    """The method and trainer from the best evidence there is.

    ``config`` is the dotted class of the arguments, ``tags`` and ``card`` those of the model card that the trainer
    wrote, ``keys`` the logged series, ``trl`` whether anything says that TRL was used, ``claimed`` the tags of a card
    that a person wrote: the last resort. ``settings`` are the arguments and the model's configuration.
    """
    settings = settings or {}
    found = [one for one in _from_trainer(config, tags, card, keys, trl) if one.method]
    if found:
        other = next((one for one in found if one.method != found[0].method and one.sure >= NO_GUESS), None)
        return simpo(replace(found[0], other=other), settings)
    if not trl and not _graded(keys) and (classifier := _classifies(settings)).method:
        return classifier
    said = _tagged(claimed)
    if len(said) == 1 and not (said[0] == "sft" and _graded(keys)):
        return Told(said[0], None, f"a model card that the trainer did not write is tagged {said[0]}", BY_CHANCE)
    return Told()


def _from_trainer(
    config: str, tags: Collection[str], card: str, keys: Collection[str], trl: bool
) -> tuple[Told, Told, Told]:
    """What the trainer's arguments, its card and the logged keys tell."""
    return from_config(config), _from_card(tags, card, trl), from_keys(keys, trl)


def _from_card(tags: Collection[str], card: str, trl: bool) -> Told:
    """What a card tells that a trainer wrote."""
    tagged = _tagged(tags)
    sentence = _TRAINED_WITH.search(card)
    told = _BY_CARD.get(re.sub(r"[^a-z]", "", sentence.group(1).lower())) if sentence else None
    if told:
        return Told(told, _trainer(told, True), f"the model card says that it was trained with {told.upper()}", BY_CARD)
    if len(tagged) == 1:
        return Told(tagged[0], _trainer(tagged[0], trl), f"the model card is tagged {tagged[0]}", BY_CARD)
    return Told()


def simpo(told: Told, settings: Mapping[str, Setting]) -> Told:
    """TRL's CPO with ``loss_type`` simpo is SimPO (Meng et al. 2024), unless ``alpha`` makes it AlphaPO."""
    if told.method != "cpo" or _value(settings, "loss_type") != "simpo" or _value(settings, "alpha"):
        return told
    return replace(told, method="simpo", why=f"{told.why}, with loss_type simpo")


def _classifies(settings: Mapping[str, Setting]) -> Told:
    """What the configuration of a model or an adapter tells that was trained on classes."""
    architectures, kind = _value(settings, "model.architectures"), _value(settings, "model.problem_type")
    architecture = architectures[0] if isinstance(architectures, list) and architectures else None
    if _value(settings, "model.num_labels") == 1:  # a score, on a model that was a classifier before
        return Told()
    if isinstance(architecture, str) and _CLASSIFIER.search(architecture) and kind in _CLASSES:
        return Told("classification", None, f"the model is a {architecture} with problem_type {kind}", BY_KEYS)
    if architecture is None and any(one.value == "SEQ_CLS" for name, one in settings.items() if _is_task(name)):
        why = "the adapter's task_type is SEQ_CLS, which a reward model's is too"
        return Told("classification", None, why, BY_CHANCE)
    return Told()


def _is_task(name: str) -> bool:
    """Whether a setting is an adapter's task: ``lora.task_type``."""
    return name.endswith(".task_type")


def _value(settings: Mapping[str, Setting], name: str) -> Any:
    """A setting's value; trackers log the model's configuration among the arguments."""
    known = settings.get(name) or settings.get(name.removeprefix("model."))
    return known.value if known else None


def _tagged(tags: Collection[str]) -> list[str]:
    return sorted({_BY_TAG[tag] for tag in tags if tag in _BY_TAG})


def _graded(keys: Collection[str]) -> bool:
    """Whether anything logged judges answers, which plain fine-tuning does not."""
    return any(key.startswith(("reward", "logps")) for key in keys)


def from_config(config: str) -> Told:
    """What the arguments' dotted class tells by itself."""
    module, _, name = config.rpartition(".")
    match = _CONFIG.match(name)
    if not match:
        return Told()
    method = _BY_CONFIG.get(match.group(1).lower())
    root = module.split(".")[0]
    if method is None:
        return Told()  # TrainingArguments tell no trainer: early TRL took them too
    trainer = None
    if root == "trl":
        parts = module.split(".")
        home = f"trl.experimental.{parts[2]}" if parts[1:2] == ["experimental"] and len(parts) > 2 else "trl"
        trainer = f"{home}.{_METHODS[method]}"
    return Told(method, trainer, f"the arguments in training_args.bin are a {name}")


def _trainer(method: str, trl: bool) -> str | None:
    return f"trl.{_METHODS[method]}" if trl else None


def from_keys(keys: Collection[str], trl: bool) -> Told:
    """The method whose trainer logs these keys, where only one does, and the reason."""
    known = set(keys)

    def told(method: str, why: str, sure: float = BY_KEYS) -> Told:
        return Told(method, _trainer(method, trl), why, sure)

    if "log_odds_chosen" in known:
        return told("orpo", "the logged log_odds_chosen is ORPO's", BY_ONE)
    if {"objective/kl", "val/contain_eos_token"} <= known and "logps/chosen" in known:
        return told(
            "online_dpo", "the logged keys (objective/kl, val/contain_eos_token, logps/chosen) are Online DPO's"
        )
    pairs = {"rewards/chosen", "rewards/accuracies"} <= known and "nll_loss" not in known
    if pairs and not {"loss_mean", "acc_mean"} & known:  # which OpenRLHF's reward models log as well
        return told("dpo", "the logged keys (rewards/chosen, rewards/accuracies, no nll_loss) are those of DPO")
    if {"reward", "reward_std"} <= known and {"completion_length", "completions/mean_length"} & known:
        why = "the logged keys (reward, reward_std, completions) are GRPO's; RLOO in newer TRL logs the same"
        return told("grpo", why, BY_CHANCE)
    if {"mean_reward", "min_reward", "max_reward"} <= known:
        return told("reward", "the logged keys (mean_reward, min_reward, max_reward) are those of reward modelling")
    if {"mean_token_accuracy", "num_tokens"} <= known and not _graded(known):
        return told("sft", "the logged keys (mean_token_accuracy, num_tokens) are those of TRL's SFT")
    return Told()
