"""How much memory a training needs, foreseen from the model and the batch; and the largest micro-batch that fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dpo_report.core.errors import ReportError

SHARE = 0.8
"""Part of the free memory that may be planned for."""
FIXED = 600 << 20
"""Bytes of the interpreter and its libraries."""


@dataclass(frozen=True, slots=True)
class Need:
    """What is known before the first step. All in numbers, not bytes, where not said otherwise."""

    parameters: int
    trainable: int
    layers: int
    hidden: int
    inner: int
    heads: int
    vocabulary: int
    tokens: int
    """Positions of the longest pair, both answers with what they share counted once (or twice, where not shared)."""
    scored: int
    """Scored tokens of the longest pair."""
    half: bool = False
    """Whether the activations are bf16."""

    def bytes(self, micro: int, checkpointing: bool = False) -> int:
        """Peak bytes with ``micro`` pairs in a pass: weights, gradients, Adam's two moments, activations, logits.

        A layer keeps about ten hidden states and four and a half inner ones for its backward pass, besides the
        attention's statistics; checkpointing keeps one of each layer and one layer whole. Logits are kept with their
        log-softmax and two gradients. Compared with measured peaks in docs/training.md.
        """
        weights = 4 * self.parameters + 12 * self.trainable
        width = 2 if self.half else 4
        layer = width * micro * self.tokens * (10 * self.hidden + 4.5 * self.inner)
        kept = layer * self.layers if not checkpointing else layer + 4 * micro * self.tokens * self.hidden * self.layers
        mask = micro * self.tokens**2 * 5
        logits = 4 * 4 * micro * self.scored * self.vocabulary
        return int(FIXED + weights + kept + mask + logits)


def need_of(model: Any, lengths: list[tuple[int, int]], half: bool) -> Need:
    """The need of a loaded model for pairs of (positions, scored tokens)."""
    config = model.config.get_text_config()
    hidden = config.hidden_size
    inner = getattr(config, "intermediate_size", None) or getattr(config, "n_inner", None) or 4 * hidden
    parameters = list(model.parameters())
    return Need(
        sum(p.numel() for p in parameters),
        sum(p.numel() for p in parameters if p.requires_grad),
        config.num_hidden_layers,
        hidden,
        inner,
        config.num_attention_heads,
        config.vocab_size,
        max(tokens for tokens, _ in lengths),
        max(scored for _, scored in lengths),
        half,
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """Micro-batches as they will be done."""

    micro: int
    accumulation: int
    checkpointing: bool
    bytes: int
    """Foreseen peak."""


def plan(
    need: Need, given: tuple[int, int], asked: str | int, rows: int, world: int, free: int, checkpointing: bool | None
) -> Plan:
    """The micro-batch for the effective batch that was asked for.

    ``given`` is (pairs per device, accumulation); ``checkpointing`` None lets memory decide. A micro-batch is only
    used where every optimizer step, also an epoch's last, means over the same pairs with the same weights as one
    pair at a time does.

    Raises:
        ReportError: it cannot be split so, or does not fit into the free memory.
    """
    effective = given[0] * given[1]
    if asked == "as-given":
        sizes = [given[0]]
    elif asked == "auto":
        rest = -(-rows // world) % effective
        sizes = [m for m in range(effective, 0, -1) if effective % m == 0 and (rest % m == 0 or rest < m)]
    else:
        sizes = [int(asked)]
        if effective % sizes[0]:
            hint = f"use a divisor of {effective} (pairs per device × accumulation)"
            raise ReportError(f"micro_batch = {asked} does not divide the effective batch", hint)
    limit = int(free * SHARE) if free else 0
    for saving in (False, True) if checkpointing is None else (checkpointing,):
        for size in sizes:
            wanted = need.bytes(size, saving)
            if not limit or wanted <= limit:
                return Plan(size, effective // size, saving, wanted)
    least = need.bytes(sizes[-1], checkpointing is not False)
    raise ReportError(
        f"this needs about {least / 2**30:.1f} GiB of memory, and {free / 2**30:.1f} GiB are free",
        "use a smaller model, [lora], a smaller micro_batch or a smaller dpo.max_length",
    )
