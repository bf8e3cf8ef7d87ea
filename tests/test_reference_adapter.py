"""A policy that came with adapters: its reference is a copy of them, not the model without (rules H5 and H7)."""

from __future__ import annotations

from dataclasses import replace

import made
from dpo_report.core.model import RunFile
from rules import BASE, big

LORA = big(settings=BASE | {"lora.r": 16, "lora.lora_alpha": 32, "base_model": "some/base"})
CAME = replace(LORA, files=(RunFile("checkpoint-60/ref/adapter_config.json", 9, "config"),))


def test_the_adapter_named_ref_is_the_reference() -> None:
    assert made.says(CAME, "H7").startswith(
        "The reference model was a frozen copy of the policy as training began, adapters included"
    )
    assert "switched off" not in made.says(CAME, "H7")
    assert "came to the trainer with adapters on it" in made.says(CAME, "H5")


def test_without_it_the_adapters_were_switched_off() -> None:
    assert "adapters switched off" in made.says(LORA, "H7")
    assert "came to the trainer" not in made.says(LORA, "H5")


def test_the_author_has_the_last_word() -> None:
    assert made.says(replace(CAME, answers={"reference": "the SFT model"}), "H7") == (
        "The reference model was the SFT model."
    )
