"""Model size, tokens and floating-point operations, where the run logs or tells them (rules I4, I5)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dpo_report.core.contract import Metric, NotApplicable
from dpo_report.core.model import Run, Value
from dpo_report.plugins import reading


def _tokens(run: Run) -> Iterator[Value]:
    name = "num_tokens" if run.get("num_tokens") else "num_input_tokens_seen"
    # Evaluations copy the training count, and the last one may come after the last training row.
    counts = [one for split in ("train", "eval") if (one := run.get(name, split)) is not None and len(one)]
    series = max(counts, key=lambda one: float(one.steps[-1]), default=None)
    if series is None or not np.isfinite(series.values[-1]) or not series.values[-1] > 0:
        raise NotApplicable("tokens were not counted")
    notes = []
    if name == "num_tokens" and reading.sample_word(run) == "pair":
        notes.append("policy inputs without padding; the prompt of a pair is counted twice")
    if run.global_step and series.steps[-1] < run.global_step:
        notes.append(f"up to step {int(series.steps[-1]):,}")
    yield Value(
        "tokens.seen",
        float(series.values[-1]),
        (series.source_at(-1 % len(series)),),
        unit="tokens",
        kind="count",
        formula="as logged",
        note="; ".join(notes),
    )


def _flos(run: Run) -> Value:
    datum = run.summary["total_flos"]
    if not isinstance(datum.value, float) or not datum.value > 0:
        raise NotApplicable("total_flos is 0: not recorded for this batch format")
    return Value("compute.flos", datum.value, (datum.source,), kind="number", formula="as logged")


def parameters(run: Run) -> int | None:
    """Parameters of a decoder from its configuration: exact for GPT-2, Llama, Mistral and Qwen2, None for others."""
    kind = run.setting("model.model_type")
    return _gpt2(run) if kind == "gpt2" else _llama(run) if str(kind) in _LLAMA_LIKE else None


def _size(run: Run) -> Value:
    kind, count = str(run.setting("model.model_type")), parameters(run)
    if count is None:
        raise NotApplicable(f"no exact parameter count is known for model type {kind}")
    names = tuple(f"model.{name}" for name in ("model_type", "hidden_size", "n_embd", "num_hidden_layers", "n_layer"))
    return Value(
        "model.parameters",
        count,
        reading.setting_source(run, *names)[:1],
        kind="count",
        formula=f"counted from the {kind} configuration",
    )


_LLAMA_LIKE = frozenset({"llama", "mistral", "qwen2"})


def _whole(run: Run, name: str) -> int | None:
    return reading.whole(run.setting(f"model.{name}"))


def _gpt2(run: Run) -> int | None:
    width, layers = _whole(run, "n_embd"), _whole(run, "n_layer")
    words, places = _whole(run, "vocab_size"), _whole(run, "n_positions")
    if not (width and layers and words and places):
        return None
    inner = _whole(run, "n_inner") or 4 * width
    block = (4 * width * width + 4 * width) + (2 * width * inner + width + inner) + 4 * width
    return (words + places) * width + layers * block + 2 * width


def _llama(run: Run) -> int | None:
    width, layers, inner = (
        _whole(run, "hidden_size"),
        _whole(run, "num_hidden_layers"),
        _whole(run, "intermediate_size"),
    )
    words, heads = _whole(run, "vocab_size"), _whole(run, "num_attention_heads")
    if not (width and layers and inner and words and heads):
        return None
    per_head = _whole(run, "head_dim") or width // heads
    groups = _whole(run, "num_key_value_heads") or heads
    attention = 2 * width * heads * per_head + 2 * width * groups * per_head
    if run.setting("model.model_type") == "qwen2":
        attention += heads * per_head + 2 * groups * per_head
    tied = bool(run.setting("model.tie_word_embeddings", False))
    return words * width * (1 if tied else 2) + layers * (attention + 3 * width * inner + 2 * width) + width


METRICS = (
    Metric(
        "tokens.seen",
        "tokens processed by the policy",
        _tokens,
        keys=("num_tokens", "num_input_tokens_seen"),
        meaning="Sum of the attention mask over the policy's inputs up to the last row.",
        paper="{value} processed by the policy.",
        context="The reference model's pass is not counted. Where tracking was off, the trainer writes 0.",
        compare="Runs counted in the same way.",
        source="TRL DPOTrainer; transformers include_num_input_tokens_seen",
    ),
    Metric(
        "compute.flos",
        "floating-point operations, as estimated by the trainer",
        _flos,
        needs=("summary:total_flos",),
        keys=("total_flos",),
        meaning="6 × non-embedding parameters × input tokens, summed over micro-batches and ranks.",
        paper="about {value} floating-point operations (estimate).",
        context="Padding is counted; the reference pass, attention's quadratic term and recomputation are not. Not a "
        "measurement.",
        compare="Estimates made by the same formula.",
        source="transformers floating_point_ops; Kaplan et al. 2020",
    ),
    Metric(
        "model.parameters",
        "parameters of the model",
        _size,
        needs=("setting:model.model_type",),
        unit="parameters",
        meaning="All parameters, embeddings included, counted from the configuration.",
        paper="a model of {value}.",
        context="With LoRA most of them are frozen.",
        compare="The size in the model's own card.",
        source="transformers model definitions (GPT-2, Llama, Mistral, Qwen2)",
    ),
)
