"""The forward pass of a batch of pairs with nothing computed twice: common beginnings once, logits only where scored.

TRL hands its model chosen rows and rejected rows, each with its own copy of the prompt, and projects every position
onto the vocabulary. Here a pair becomes one row: the tokens that both sequences begin with (the prompt, and as much
of the answers as agrees), then the rest of the chosen one, then the rest of the rejected one. Positions are counted
along each sequence, and the attention mask keeps the two ends from seeing each other, so every hidden state is the
one of the plain computation. Only states that predict a scored token meet the output head, each once.

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
    """A batch of B pairs in B rows of at most T tokens."""

    ids: Any
    """Token ids, shape (B, T)."""
    positions: Any
    """Position of each token in its own sequence, shape (B, T)."""
    mask: Any
    """What may be attended, boolean, shape (B, 1, T, T)."""
    index: Any
    """For every scored token, row-major over (2B, L-1): the place of the state that predicts it in the flat (B·T)."""
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


def pack(input_ids: Any, attention_mask: Any, labels: Any) -> Packed | None:
    """Pairs as single rows; None where the batch is not of right-padded pairs.

    All three are of shape (2B, L): B chosen rows, then their B rejected ones; labels are -100 where not scored.
    """
    import torch

    rows, length = input_ids.shape
    lengths = attention_mask.sum(dim=1)
    places = torch.arange(length, device=input_ids.device)
    if rows % 2 or not bool((attention_mask.bool() == (places < lengths[:, None])).all()):
        return None
    half = rows // 2
    chosen, rejected = input_ids[:half], input_ids[half:]
    long, other = lengths[:half], lengths[half:]
    same = (chosen == rejected) & (places < torch.minimum(long, other)[:, None])
    common = same.long().cumprod(dim=1).sum(dim=1)
    total = long + other - common
    width = int(total.max())
    place = torch.arange(width, device=input_ids.device).expand(half, width)
    second = place >= long[:, None]  # in the rejected end, or beyond all
    shift = (long - common)[:, None]
    positions = torch.where(second, place - shift, place).clamp(max=length - 1)
    ids = torch.where(second, rejected.gather(1, positions), chosen.gather(1, place.clamp(max=length - 1)))
    valid = place < total[:, None]
    shared = place < common[:, None]
    seen = shared[:, None, :] | (second[:, None, :] == second[:, :, None])
    causal = place[0][:, None] >= place[0][None, :]
    self_only = torch.eye(width, dtype=torch.bool, device=input_ids.device)
    mask = (seen & causal & valid[:, None, :]) | self_only
    scored = labels[:, 1:] != -100
    row, column = scored.nonzero(as_tuple=True)
    pair = row % half
    moved = (row >= half) & (column >= common[pair])
    at = pair * width + column + torch.where(moved, (long - common)[pair], 0)
    return Packed(ids, positions, mask[:, None], at, labels[:, 1:][scored], scored, int(total.sum()))


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
    """What TRL's losses take; since TRL 1.15."""
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
    vocabulary = model.config.get_text_config().vocab_size

    def forward(self: Any, *args: Any, fused_lm_head: bool = False, **kwargs: Any) -> Any:
        if not fused_lm_head:
            return plain(*args, **kwargs)
        labels = kwargs.get("labels")
        packed = None
        if not args and set(kwargs) <= {"input_ids", "attention_mask", "labels", "use_cache"} and labels is not None:
            packed = pack(kwargs["input_ids"], kwargs["attention_mask"], labels)
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
