"""Which method trained a run, from the names of its arguments or else of its logged keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from dpo_report.core.model import Setting
from dpo_report.plugins.readers.hf import method

_OWN: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (config, frozenset(names.split()))
    for config, names in (
        ("KTOConfig", "desirable_weight"),
        ("CPOConfig", "cpo_alpha"),
        ("DPOConfig", "f_divergence_type"),
        ("DPOConfig", "reference_free"),
        ("RewardConfig", "center_rewards_coefficient"),
        ("RLOOConfig", "rloo_k"),
        ("RLOOConfig", "normalize_advantages num_generations"),
        ("GRPOConfig", "num_generations num_iterations"),
        ("NashMDConfig", "mixture_coef missing_eos_penalty"),
        ("PRMConfig", "step_separator"),
        ("SFTConfig", "dataset_text_field packing"),
        ("PPOConfig", "adap_kl_ctrl init_kl_coef"),
    )
)
"""Arguments that only one of TRL's configurations has, in releases 0.7 to 1.16."""


def tell(keys: Collection[str], settings: Mapping[str, Setting]) -> method.Told:
    """The method and trainer; empty where nothing tells them. ``keys`` are the names of the training series."""
    for config, names in _OWN:
        if names <= settings.keys():
            listed = " and ".join(sorted(names))
            told = method.tell(f"trl.{config}", (), "", (), True)
            return method.simpo(
                replace(told, why=f"the arguments have {config}'s {listed}", sure=method.BY_ONE), settings
            )
    return method.tell("", (), "", keys, False, settings=settings)
