"""A starting model whose name tells of another size than its configuration (rule H5)."""

from __future__ import annotations

import pytest

import made
from rules import BASE, big

TINY = {
    "model.model_type": "llama",
    "model.hidden_size": 2048,
    "model.intermediate_size": 5632,
    "model.num_hidden_layers": 22,
    "model.num_attention_heads": 32,
    "model.num_key_value_heads": 4,
    "model.vocab_size": 32000,
    "model.tie_word_embeddings": False,
}
"""TinyLlama's configuration: 1.1 billion parameters."""


@pytest.mark.parametrize(("name", "wrong"), [
    ("zephyr-7b-sft-full", True), ("/data/zephyr-7b/final", False), ("TinyLlama/TinyLlama-1.1B-Chat", False),
    ("some/model-8x7B", False), ("some/base", False), ("a-1b-merged-with-7b", False),
])  # fmt: skip
def test_a_name_that_contradicts_the_configuration_is_told(name: str, wrong: bool) -> None:
    finding = made.finding(big(settings=BASE | TINY | {"base_model": name}), "H5")
    assert ("The name tells of 7.00 billion parameters; one of the two is wrong." in str(finding.text)) is wrong
    assert finding.severity == ("caution" if wrong else "info")
