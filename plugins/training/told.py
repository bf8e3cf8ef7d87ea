"""What a run's facts say of it: before training, and what is known after it only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dpo_report.plugins.training import facts, hardware, lengths, memory, models, pairs
from dpo_report.plugins.training import train as parts
from dpo_report.plugins.training.attempts import Attempts
from dpo_report.plugins.training.options import Options
from dpo_report.plugins.training.pairs import Pairs


def before(
    asked: Options,
    rows: Pairs,
    held: Pairs | None,
    made: Any,
    plan: memory.Plan,
    given: tuple[int, int],
    here: hardware.Machine,
    world: int,
    threads: int,
    half: tuple[bool, str],
    source: str,
) -> dict[str, Any]:
    """Machine, model, batch, versions, and what the pairs are like as the trainer has them."""
    sizes = lengths.lengths(made.train_dataset)
    limit = made.args.max_length
    kept = len(made.train_dataset)
    data = {
        "train_file": rows.name,
        "train_sha256": rows.sha256,
        "train_left_out": len(rows.faults),
        "train_repeated": rows.repeated,
        "train_too_long": len(rows.pairs) - kept,
        "train_cut": sum(n > limit for n in sizes.longest) if limit else 0,
        "train_prompts": len({pairs.prompt_key(pair) for pair in rows.pairs}),
        **sizes.told(),
    }
    if data["train_cut"]:
        parts.say(f"{data['train_cut']:,} of {kept:,} pairs are longer than {limit} tokens and are cut")
    if held is not None:
        data |= {
            "eval_file": held.name,
            "eval_sha256": held.sha256,
            "eval_left_out": len(held.faults),
            "eval_prompts": len({pairs.prompt_key(pair) for pair in held.pairs}),
            "eval_prompts_in_train": len(pairs.leaked(rows.pairs, held.pairs)),
        }
    found: dict[str, Any] = {
        "hardware": str(here),
        "base_model": models.short(asked["model"]),
        "reference": models.REFERENCE if Path(source).name == models.REFERENCE else source,
        "train_pairs": kept,
        **sizes.kept(limit),
        "median_edit_distance": lengths.median_edit_distance(made.train_dataset),
        "world_size": world,
        "threads": threads,
        "precision": f"{'bf16' if made.args.bf16 else 'fp32'}: {half[1]}",
        "sharing": made.sharing,
        "batch": {
            "asked": f"{given[0]} × {given[1]}",
            "done": f"{plan.micro} × {plan.accumulation}",
            "micro_batch": str(asked["micro_batch"]),
            "foreseen_gib": round(plan.bytes / 2**30, 2),
        },
        "data": data,
        "versions": facts.versions(),
    }
    if held is not None:
        found["eval_pairs"] = len(made.eval_dataset)
    return found


def after(made: Any, attempts: Attempts, seconds: float) -> dict[str, Any]:
    """What is known after training only."""
    import torch

    work = made.work
    base = made.model.get_base_model() if hasattr(made.model, "get_base_model") else made.model
    head = base.get_output_embeddings().weight.numel()
    inputs = base.get_input_embeddings().weight.numel()
    tied = base.get_output_embeddings().weight is base.get_input_embeddings().weight
    layers = sum(p.numel() for p in base.parameters()) - inputs - (0 if tied else head)
    found: dict[str, Any] = {
        "peak_memory_gib": round(hardware.peak() / 2**30, 2),
        "attempts": len(attempts.all),
        "attempts_seconds": [one["seconds"] for one in attempts.all],
        "attempts_from_step": [one["from_step"] for one in attempts.all],
    }
    if made.sharing == "on" and not made.args.bf16 and not torch.cuda.is_available():
        found["compute"] = {
            "model_gflops": round(work.flops(layers, head) / seconds / 1e9, 1),
            "matmul_peak_gflops": round(hardware.matmul_rate(torch.float32) / 1e9, 1),
            "positions_computed": work.trained + work.forward,
            "positions_without_sharing": work.plain,
        }
    return found
