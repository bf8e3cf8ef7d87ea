"""Defaults that the machine, the data and the model decide, each with its reason; what the user set always wins."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from dpo_report.plugins.training.hardware import Machine

SHORT = 500
"""Optimizer steps up to which every step is logged."""

Decided = dict[str, tuple[Any, str]]


def library_defaults() -> dict[str, Any]:
    """Every field of trl's DPOConfig with its default; None where it has none."""
    from dataclasses import MISSING, fields

    from trl import DPOConfig

    found: dict[str, Any] = {}
    for one in fields(DPOConfig):
        if one.default is not MISSING:
            found[one.name] = one.default
        elif one.default_factory is not MISSING:
            found[one.name] = one.default_factory()
        else:
            found[one.name] = None
    return found


def precision(asked: str, machine: Machine) -> tuple[bool, str]:
    """Whether to train in bf16, and why.

    On a processor without matrix units bf16 saves a quarter of the time (with AVX-512's instructions) or costs many
    times as much (without them), and it moves the losses (docs/training.md). Decided by what the processor is, not by
    a measurement, so that the same machine always computes the same numbers.
    """
    if asked != "auto":
        return asked == "bf16", "as asked"
    if machine.bf16:
        return True, "matrix units for bf16"
    return False, "no matrix units for bf16 here, and fp32 is more exact"


def steps(dpo: Mapping[str, Any], library: Mapping[str, Any], rows: int, effective: int) -> int:
    """Optimizer steps that the settings plan."""
    limit = dpo.get("max_steps", library.get("max_steps", -1))
    if limit > 0:
        return int(limit)
    epochs = float(dpo.get("num_train_epochs", library.get("num_train_epochs", 3)))
    return math.ceil(math.ceil(rows / effective) * epochs)


def defaults(machine: Machine, half: tuple[bool, str], planned: int, held_out: bool) -> Decided:
    """Our defaults for trl's fields."""
    cpu = not machine.accelerator
    sharded = any(os.environ.get(f"ACCELERATE_USE_{name}") == "true" for name in ("DEEPSPEED", "FSDP"))
    reference = (True, "the reference's log-probabilities are computed once")
    chosen: Decided = {
        "bf16": half,
        "gradient_checkpointing": (False, "memory suffices without; it costs a second forward pass"),
        "precompute_ref_log_probs": (False, "the weights are sharded") if sharded else reference,
        "optim": ("adamw_torch_fused", "one pass over the parameters"),
        "logging_steps": (1, "a short run") if planned <= SHORT else (10, "a long run"),
        "save_strategy": ("epoch", "a checkpoint after every epoch"),
        "save_total_limit": (1, "the last checkpoint is enough to go on from"),
        "eval_strategy": ("epoch", "at the end of every epoch") if held_out else ("no", "no held-out pairs"),
        "eval_on_start": (held_out, "the start to compare with") if held_out else (False, "no held-out pairs"),
        "report_to": (["tensorboard"], "an event file") if find_spec("tensorboard") else ([], "no tensorboard here"),
        "logging_nan_inf_filter": (False, "a loss that is no number must show"),
        "disable_tqdm": (True, "dpo-report shows its own progress"),
        "ddp_find_unused_parameters": (False, "every parameter is used in every step"),
        "seed": (42, "trl's own"),
    }
    if cpu:
        chosen["dataloader_pin_memory"] = (False, "there is no accelerator to copy to")
    return chosen
