"""Log-probabilities of the answers of pairs under a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dpo_report.plugins.training import sharing
from dpo_report.plugins.training.lengths import tokens
from dpo_report.plugins.training.pairs import Pair


@dataclass(frozen=True, slots=True)
class Ids:
    """A tokenised pair, as trl trains on it: the scored part begins where prompt and answers part."""

    prompt: list[int]
    chosen: list[int]
    rejected: list[int]
    cut: bool
    """Whether either sequence was longer than allowed."""


def tokenise(tokenizer: Any, pairs: Sequence[Pair], limit: int | None) -> list[Ids | None]:
    """Token ids of every pair; None where nothing of an answer is left within ``limit`` tokens."""
    found: list[Ids | None] = []
    for pair in pairs:
        prompt, chosen, rejected = tokens(tokenizer, pair)
        start = min(_common(prompt, chosen), _common(prompt, rejected))
        cut = limit is not None and max(len(chosen), len(rejected)) > limit
        first, second = chosen[start:limit], rejected[start:limit]
        found.append(Ids(prompt[:start], first, second, cut) if first and second else None)
    return found


def _common(one: list[int], other: list[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def score(model: Any, ids: Sequence[Ids], batch: int, pad: int) -> list[tuple[float, float]]:
    """Summed log-probability of the chosen and the rejected answer of each pair, in nats.

    Pairs of like length go together; what both sequences begin with is computed once where the model allows it.
    """
    import torch

    shared = not sharing.why_not(model)
    order = sorted(range(len(ids)), key=lambda i: len(ids[i].prompt) + len(ids[i].chosen) + len(ids[i].rejected))
    found: list[tuple[float, float]] = [(0.0, 0.0)] * len(ids)
    with torch.no_grad():
        for at in range(0, len(order), batch):
            rows = order[at : at + batch]
            inputs = _batch([ids[row] for row in rows], pad, model.device)
            sums = _sums(model, *inputs, shared)
            for place, row in enumerate(rows):
                found[row] = (float(sums[place]), float(sums[place + len(rows)]))
    return found


def _batch(ids: Sequence[Ids], pad: int, device: Any) -> tuple[Any, Any, Any]:
    """Ids, mask and labels of shape (2B, L), chosen rows first, padded on the right."""
    import torch

    rows = [(one.prompt, one.chosen) for one in ids] + [(one.prompt, one.rejected) for one in ids]
    length = max(len(prompt) + len(answer) for prompt, answer in rows)
    tokens_ = torch.full((len(rows), length), pad)
    mask = torch.zeros((len(rows), length), dtype=torch.long)
    labels = torch.full((len(rows), length), -100)
    for place, (prompt, answer) in enumerate(rows):
        whole = torch.tensor(prompt + answer)
        tokens_[place, : len(whole)] = whole
        mask[place, : len(whole)] = 1
        labels[place, len(prompt) : len(whole)] = whole[len(prompt) :]
    return tokens_.to(device), mask.to(device), labels.to(device)


def _sums(model: Any, ids: Any, mask: Any, labels: Any, shared: bool) -> Any:
    """Summed log-probabilities of the scored tokens of each row, shape (2B,)."""
    packed = sharing.pack(ids, mask, labels) if shared else None
    scored = labels[:, 1:] != -100
    if packed is not None:
        logps, _ = sharing.scores(model, packed, ())
        return logps.new_zeros(scored.shape).masked_scatter(scored, logps).sum(dim=1)
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
    logs = logits.log_softmax(-1).gather(2, labels[:, 1:].clamp(min=0)[..., None])[..., 0]
    return (logs * scored).sum(dim=1)
