"""The forward pass of a batch of pairs with nothing computed twice: common beginnings once, logits only where scored.

TRL hands its model chosen rows and rejected rows, each with its own copy of the prompt, and projects every position
onto the vocabulary. Here a pair becomes one stretch: the tokens that both sequences begin with (the prompt, and as much
of the answers as agrees), then the rest of the chosen one, then the rest of the rejected one. Short stretches share a
row where that leaves less padding. Positions are counted along each sequence, and the attention mask keeps the two ends
and the pairs from seeing each other, so every hidden state is the one of the plain computation. Only states that
predict a scored token meet the output head, each once.

The replaced forward keeps TRL's interface, so that all of TRL's losses and metrics work on it unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TOLERANCE = 1e-3
"""Largest difference of a token's log-probability to the plain computation that counts as equal (fp32, nats)."""
LOGITS = 1 << 28
"""Logits kept for the backward pass, in numbers (1 GiB in fp32); above that TRL's own chunked head is used."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch of B pairs in R rows of at most T tokens."""

    ids: Any
    """Token ids, shape (R, T)."""
    positions: Any
    """Position of each token in its own sequence, shape (R, T)."""
    mask: Any
    """What may be attended, boolean, shape (R, 1, T, T)."""
    index: Any
    """For every scored token, row-major over (2B, L-1): the place of the state that predicts it in the flat (R·T)."""
    targets: Any
    """The scored tokens, same order."""
    scored: Any
    """Which of (2B, L-1) are scored, boolean."""
    tokens: int
    """Positions that are no padding."""


@dataclass(slots=True)
class Work:
    """What was computed, for the FLOP count; grows with every pass."""

    trained: int = 0
    """Tokens that went forward and backward through the layers."""
    forward: int = 0
    """Tokens that went forward only."""
    trained_scored: int = 0
    """States that met the output head, forward and backward."""
    forward_scored: int = 0
    """States that met the output head, forward only."""
    plain: int = 0
    """Tokens that the plain computation would have had in ``trained`` and ``forward`` together, padding left out."""

    def reset(self) -> None:
        """Begin to count anew."""
        self.trained = self.forward = self.trained_scored = self.forward_scored = self.plain = 0

    def flops(self, layers: int, head: int) -> float:
        """Floating-point operations for so many parameters in the layers and in the output head.

        2 for each parameter and token forward, 4 more backward (Kaplan et al. 2020); attention's products left out.
        """
        return 2.0 * layers * (3 * self.trained + self.forward) + 2.0 * head * (
            3 * self.trained_scored + self.forward_scored
        )


def rows_of(sizes: list[int], keys: float) -> list[tuple[int, int]]:
    """Row and first place of stretches of so many tokens, so that all rows together cost least.

    A row costs a position's share of the layers, worth ``keys`` attended ones, and the positions that it attends, for
    each of its positions with the padding. Longest first, each to the shortest row, for every number of rows.
    """
    order = sorted(range(len(sizes)), key=lambda i: -sizes[i])
    best: tuple[float, list[tuple[int, int]]] = (float("inf"), [])
    for count in range(1, len(sizes) + 1):
        ends, found = [0] * count, [(0, 0)] * len(sizes)
        for i in order:
            row = ends.index(min(ends))
            found[i] = (row, ends[row])
            ends[row] += sizes[i]
        best = min(best, (count * max(ends) * (keys + max(ends)), found))
    return best[1]


def keys_of(model: Any) -> float:
    """How many attended positions cost as much as one position's way through a layer: products of parameters over
    two (scores and values) for each hidden unit."""
    config = model.config.get_text_config()
    outside = {
        id(p) for side in (model.get_input_embeddings(), model.get_output_embeddings()) for p in side.parameters()
    }
    inside = sum(p.numel() for p in model.parameters() if id(p) not in outside)
    return float(inside / config.num_hidden_layers / (2 * config.hidden_size))


def pack(input_ids: Any, attention_mask: Any, labels: Any, keys: float = 0.0) -> Packed | None:
    """Pairs as stretches that share rows; None where the batch is not of right-padded pairs.

    All three are of shape (2B, L): B chosen rows, then their B rejected ones; labels are -100 where not scored.
    ``keys`` are those of :func:`rows_of`.
    """
    import torch

    rows, length = input_ids.shape
    device = input_ids.device
    lengths = attention_mask.sum(dim=1)
    places = torch.arange(length, device=device)
    if rows % 2 or not bool((attention_mask.bool() == (places < lengths[:, None])).all()):
        return None
    half = rows // 2
    chosen, rejected = input_ids[:half], input_ids[half:]
    long, other = lengths[:half], lengths[half:]
    same = (chosen == rejected) & (places < torch.minimum(long, other)[:, None])
    common = same.long().cumprod(dim=1).sum(dim=1)
    total = long + other - common
    shift = (long - common)[:, None]
    place = torch.arange(int(total.max()), device=device).expand(half, -1)
    second = place >= long[:, None]  # in the rejected end, or beyond all
    along = torch.where(second, place - shift, place).clamp(max=length - 1)
    token = torch.where(second, rejected.gather(1, along), chosen.gather(1, place.clamp(max=length - 1)))
    row, start = torch.tensor(rows_of(total.tolist(), keys), device=device).unbind(1)
    width = int((start + total).max())
    valid = place < total[:, None]
    at = (row[:, None] * width + start[:, None] + place)[valid]  # where each token of each pair goes

    def laid(values: Any, empty: int) -> Any:
        flat = torch.full(((int(row.max()) + 1) * width,), empty, dtype=torch.long, device=device)
        flat[at] = values.expand(half, place.shape[1])[valid].long()
        return flat.view(-1, width)

    pair = laid(torch.arange(half, device=device)[:, None], -1)
    end = laid(second, -1)
    begins = laid(place < common[:, None], 0).bool()
    seen = begins[:, None, :] | (end[:, None, :] == end[:, :, None])
    seen &= (pair[:, None, :] == pair[:, :, None]) & (pair >= 0)[:, None, :]
    causal = torch.ones(width, width, dtype=torch.bool, device=device).tril()
    mask = (seen & causal) | torch.eye(width, dtype=torch.bool, device=device)
    scored = labels[:, 1:] != -100
    line, column = scored.nonzero(as_tuple=True)
    which = line % half
    moved = (line >= half) & (column >= common[which])
    index = row[which] * width + start[which] + column + torch.where(moved, (long - common)[which], 0)
    return Packed(laid(token, 0), laid(along, 0), mask[:, None], index, labels[:, 1:][scored], scored, int(total.sum()))


def why_not(model: Any) -> str:
    """Why a model cannot share beginnings; empty where it can."""
    config = model.config.get_text_config()
    if getattr(config, "_attn_implementation", "") not in ("sdpa", "eager"):
        return f"its attention ({config._attn_implementation}) takes no mask of ours"
    if getattr(config, "is_encoder_decoder", False):
        return "it has an encoder"
    if "sliding_attention" in (getattr(config, "layer_types", None) or ()) or getattr(
        config, "output_router_logits", False
    ):
        return "its layers do not see the whole sequence"
    try:
        _output()
    except ImportError:
        return "this version of trl hands its batches on in another way"
    return _difference(model)


def _output() -> Any:
    """What TRL's losses take; with TRL before 1.16 none can be computed on a CPU without Triton."""
    from trl.trainer.utils import FusedCausalLMOutput

    return FusedCausalLMOutput


def _difference(model: Any) -> str:
    """Score a small made-up pair in both ways and say where they differ."""
    import torch

    generator = torch.Generator().manual_seed(0)
    vocabulary = model.config.get_text_config().vocab_size
    ids = torch.randint(0, vocabulary, (2, 14), generator=generator)
    ids[1, :8] = ids[0, :8]
    attention = torch.ones_like(ids)
    attention[1, 12:] = 0
    labels = ids.masked_fill(attention == 0, -100)
    labels[:, :6] = -100
    ids, attention, labels = (x.to(model.device) for x in (ids, attention, labels))
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            plain = model(input_ids=ids, attention_mask=attention, use_cache=False).logits[:, :-1]
            kept = labels[:, 1:] != -100
            expected = plain.float().log_softmax(-1)[kept].gather(1, labels[:, 1:][kept][:, None])[:, 0]
            packed = pack(ids, attention, labels)
            assert packed is not None
            got = scores(model, packed, ())[0]
    except Exception as error:  # an architecture that cannot take the mask; the plain way always works
        return f"it cannot take packed pairs ({type(error).__name__})"
    finally:
        model.train(training)
    apart = float((got - expected).abs().max())
    limit = TOLERANCE if plain.dtype == torch.float32 else 0.1
    return "" if apart < limit else f"its packed log-probabilities differ by {apart:.2g}"


def scores(model: Any, packed: Packed, extras: tuple[str, ...]) -> tuple[Any, dict[str, Any]]:
    """Log-probability of every scored token, shape (n,), and the wanted ``extras`` of the distributions, each (n,)."""
    import torch

    sdpa = model.config.get_text_config()._attn_implementation == "sdpa"
    mask = packed.mask
    if not sdpa:
        low = torch.finfo(model.dtype).min
        mask = torch.zeros(mask.shape, dtype=model.dtype, device=mask.device).masked_fill(~mask, low)
    out = model.base_model(input_ids=packed.ids, attention_mask=mask, position_ids=packed.positions, use_cache=False)
    states = out.last_hidden_state.flatten(0, 1)
    used, which = packed.index.unique(return_inverse=True)
    logits = _head(model, states[used])
    logs = logits.log_softmax(dim=-1)
    found: dict[str, Any] = {}
    with torch.no_grad():
        if "entropy" in extras:
            found["entropy"] = -(logs.exp() * logs).sum(-1)[which]
        if "mean_logits" in extras:
            found["mean_logits"] = logits.mean(-1)[which]
        if "is_top1" in extras:
            found["is_top1"] = logits.argmax(-1)[which] == packed.targets
        if "log_sum_sq_probs" in extras:
            found["log_sum_sq_probs"] = (2 * logs).logsumexp(-1)[which]
    return logs[which, packed.targets], found


def _head(model: Any, states: Any) -> Any:
    """Logits in fp32, with the scale and cap that some architectures put on them (as TRL's fused head)."""
    import torch

    config = model.config.get_text_config()
    with torch.autocast(states.device.type, enabled=False):  # bf16 logits near 20 are 0.06 off, a token
        head = model.get_output_embeddings()
        logits = torch.nn.functional.linear(states.to(head.weight.dtype), head.weight, head.bias).float()
    scale = getattr(config, "logit_scale", None) or getattr(config, "lm_head_multiplier", None)
    if scale is None and getattr(config, "logits_scaling", None):
        scale = 1 / config.logits_scaling
    if scale is not None:
        logits = logits * scale
    cap = getattr(config, "final_logit_softcapping", None)
    return torch.tanh(logits / cap) * cap if cap else logits


def install(model: Any, work: Work, weighting: bool = False) -> None:
    """Replace the forward that TRL's fused head calls; every other call goes the old way. ``work`` counts."""
    import types

    output, plain = _output(), model.forward
    extras = ("entropy", "mean_logits", "is_top1", *(("log_sum_sq_probs",) if weighting else ()))
    vocabulary, keys = model.config.get_text_config().vocab_size, keys_of(model)

    def forward(self: Any, *args: Any, fused_lm_head: bool = False, **kwargs: Any) -> Any:
        if not fused_lm_head:
            return plain(*args, **kwargs)
        labels = kwargs.get("labels")
        packed = None
        if not args and set(kwargs) <= {"input_ids", "attention_mask", "labels", "use_cache"} and labels is not None:
            packed = pack(kwargs["input_ids"], kwargs["attention_mask"], labels, keys)
        if packed is None or len(packed.targets) * vocabulary > LOGITS:
            return plain(*args, fused_lm_head=True, **kwargs)
        logps, found = scores(self, packed, extras)
        scored = packed.scored
        tokens, states = packed.tokens, len(logps)
        work.plain += int(kwargs["attention_mask"].sum())
        if logps.requires_grad:
            work.trained, work.trained_scored = work.trained + tokens, work.trained_scored + states
        else:
            work.forward, work.forward_scored = work.forward + tokens, work.forward_scored + states

        def spread(values: Any) -> Any:
            return values.new_zeros(scored.shape).masked_scatter(scored, values)

        return output(
            loss=-logps.sum() / scored.sum().clamp(min=1),
            log_probs=spread(logps),
            label_mask=scored,
            **{name: spread(values) for name, values in found.items()},
        )

    forward.__wrapped__ = plain  # type: ignore[attr-defined]
    model.forward = types.MethodType(forward, model)
