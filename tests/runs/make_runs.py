"""Train the small runs that the tests read: seconds each, on a CPU, with a 2-layer random GPT-2.

    python make_runs.py --work WORKDIR            # every run of the stack that is installed
    python make_runs.py --work WORKDIR dpo-log1   # some of them

With TRL 1.x installed this makes the runs without a prefix, with TRL 0.9 the ones named old09-*; README.md
has the packages of both.  Paths are relative to WORKDIR and the host name is set to "laptop", so nothing
recorded names the machine.  Each run ends as NAME/ (what the trainer left, without weights, optimizer and
random states) and NAME.MANIFEST.json: versions, what was passed, exit status and the TrainOutput unrounded.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import random
import shutil
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MODEL = "tiny-gpt2"  # a folder in WORKDIR
PACKAGES = ("torch", "trl", "transformers", "accelerate", "peft", "datasets", "tokenizers", "numpy", "tensorboard")
OLD = importlib.metadata.version("trl").startswith("0.")

EIGHT = {
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 4,
    "num_train_epochs": 2,
    "learning_rate": 5e-6,
}
SMALL = {"per_device_train_batch_size": 4, "num_train_epochs": 2, "learning_rate": 1e-3, "logging_steps": 1}
TB = {"report_to": ["tensorboard"]}
STEPS = {"eval_strategy": "steps", "eval_steps": 4, "save_strategy": "steps", "save_steps": 4}
BEST = {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss"}


def run(n: int = 32, n_eval: int = 0, **other: Any) -> dict[str, Any]:
    """A run: its trainer (`kind`), its pairs, what the config is passed (`args`) and what is done besides."""
    return {"kind": "dpo", "n": n, "n_eval": n_eval, "save": False, **other}


NEW_RUNS: dict[str, dict[str, Any]] = {
    "dpo-default-log": run(8, args=EIGHT),
    "dpo-savestate": run(8, args=EIGHT, save=True),
    "dpo-log1": run(8, args=EIGHT | TB | {"logging_steps": 1}, save=True),
    "dpo-eval": run(
        32,
        16,
        args=SMALL | TB | STEPS | BEST | {"eval_on_start": True, "num_train_epochs": 3, "learning_rate": 5e-3},
        save=True,
    ),
    "dpo-two-evalsets": run(32, 16, args=SMALL | TB | STEPS, two_eval_sets=True, save=True),
    "dpo-ipo": run(32, 16, args=SMALL | STEPS | {"loss_type": "ipo"}, save=True),
    "dpo-lora": run(32, 16, args=SMALL | STEPS, lora=True, save=True),
    "dpo-nan": run(32, args=SMALL | TB, infinite_at=5, save=True),
    "dpo-nan-nofilter": run(32, args=SMALL | TB | {"logging_nan_inf_filter": False}, infinite_at=5, save=True),
    "dpo-killed": run(32, 16, args=SMALL | TB | STEPS, kill_at=[9]),
    "dpo-resumed": run(32, 16, args=SMALL | TB | STEPS, kill_at=[9, None], save=True),
    "dpo-seeds": run(32, 16, args=SMALL | STEPS, seeds=[1, 2, 3], save=True),
    "dpo-warmup": run(32, args=SMALL | TB | {"warmup_steps": 5, "lr_scheduler_type": "cosine"}, save=True),
    "sft": run(32, 16, kind="sft", args=SMALL | TB | STEPS, save=True),
    "kto": run(32, 16, kind="kto", args=SMALL | TB | STEPS, save=True),
    "reward": run(32, 16, kind="reward", args=SMALL | TB | STEPS, save=True),
    "orpo": run(32, 16, kind="orpo", args=SMALL | TB | STEPS, save=True),
    "grpo": run(
        32,
        kind="grpo",
        args=SMALL | TB | {"num_generations": 4, "max_completion_length": 8, "max_steps": 8, "beta": 0.02},
        save=True,
    ),
    "two-runs-one-folder": run(
        32, args=SMALL | {"save_steps": 8}, second={"n": 40, "args": SMALL | {"save_steps": 10, "learning_rate": 3e-4}}
    ),
}
OLD_RUNS: dict[str, dict[str, Any]] = {
    "old09-dpo-log1": run(8, args=EIGHT | TB | {"logging_steps": 1}, save=True),
    "old09-dpo-eval": run(32, 16, args=SMALL | TB | STEPS, save=True),
    "old09-dpo-resumed": run(32, 16, args=SMALL | TB | STEPS, kill_at=[9, None], save=True),
}
RUNS = OLD_RUNS if OLD else NEW_RUNS


# ------------------------------------------------------------------ data and model

PEOPLE = [
    "Ada",
    "Ben",
    "Cleo",
    "Dan",
    "Eve",
    "Finn",
    "Gus",
    "Hana",
    "Ivo",
    "Jo",
    "Kim",
    "Lea",
    "Max",
    "Nia",
    "Otto",
    "Pia",
]
THINGS = ["apples", "books", "coins", "drums", "eggs", "flags", "gloves", "hats"]
KIND = [
    "{p} has {n} {t} and is happy to share them .",
    "you can ask {p} , who has {n} {t} .",
    "sure : {p} has {n} {t} .",
]
RUDE = [
    "who cares about the {t} of {p} .",
    "go away and count the {t} yourself .",
    "{p} has no time , {n} {t} or not .",
]


def pairs(count: int, seed: int) -> list[dict[str, str]]:
    """Short questions; the chosen answer is kind and the rejected one rude, one time in six the other way."""
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        fill = {"p": rng.choice(PEOPLE), "n": str(rng.randint(2, 30)), "t": rng.choice(THINGS)}
        good, bad = rng.choice(KIND).format(**fill), rng.choice(RUDE).format(**fill)
        if rng.random() < 1 / 6:
            good, bad = bad, good
        prompt = "how many {t} does {p} have ?".format(**fill)
        rows.append({"prompt": prompt, "chosen": " " + good, "rejected": " " + bad})
    return rows


def make_model() -> None:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    texts = [text for row in pairs(2000, 0) for text in row.values()]
    tokenizer.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=["<unk>", "<pad>", "<s>", "</s>"]))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )
    fast.save_pretrained(MODEL)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(fast),
        n_positions=64,
        n_embd=64,
        n_layer=2,
        n_head=2,
        bos_token_id=2,
        eos_token_id=3,
        pad_token_id=1,
    )
    GPT2LMHeadModel(config).save_pretrained(MODEL)


# ------------------------------------------------------------------ one process of one run


def datasets_for(spec: dict[str, Any]) -> tuple[Any, Any]:
    from datasets import Dataset

    def rows(count: int, seed: int) -> Any:
        made = pairs(count, seed)
        if spec["kind"] == "sft":
            made = [{"prompt": row["prompt"], "completion": row["chosen"]} for row in made]
        elif spec["kind"] == "kto":
            made = [
                {"prompt": row["prompt"], "completion": row[side], "label": side == "chosen"}  # type: ignore[dict-item]
                for number, row in enumerate(made)
                for side in ["chosen" if number % 2 else "rejected"]
            ]
        elif spec["kind"] == "grpo":
            made = [{"prompt": row["prompt"]} for row in made]
        return Dataset.from_list(made)

    held_out: Any = rows(spec["n_eval"], 2) if spec["n_eval"] else None
    if spec.get("two_eval_sets"):
        held_out = {"near": held_out, "far": rows(spec["n_eval"], 3)}
    return rows(spec["n"], 1), held_out


def train(name: str, spec: dict[str, Any], kill_at: int | None, resume: bool, result_file: Path) -> None:
    import trl
    from transformers import TrainerCallback

    class Events(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
            if state.global_step == spec.get("infinite_at"):
                model.transformer.ln_f.weight.data.fill_(float("inf"))

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    kind = spec["kind"]
    passed = {"output_dir": name, "use_cpu": True, "seed": 42, **spec["args"]}
    extra: dict[str, Any] = {}
    if OLD:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        passed |= {"max_length": 64, "max_prompt_length": 32, "remove_unused_columns": False}
        config_class, trainer_class = trl.DPOConfig, trl.DPOTrainer
        model: Any = AutoModelForCausalLM.from_pretrained(MODEL)
        extra["tokenizer"] = AutoTokenizer.from_pretrained(MODEL)
    else:
        passed |= {"bf16": False, "gradient_checkpointing": False}
        model = MODEL
        if kind == "orpo":
            import trl.experimental.orpo as orpo
            from transformers import AutoModelForCausalLM, AutoTokenizer

            config_class, trainer_class = orpo.ORPOConfig, orpo.ORPOTrainer
            model = AutoModelForCausalLM.from_pretrained(MODEL)
            extra["processing_class"] = AutoTokenizer.from_pretrained(MODEL)
        else:
            prefix = "Reward" if kind == "reward" else kind.upper()
            config_class, trainer_class = getattr(trl, f"{prefix}Config"), getattr(trl, f"{prefix}Trainer")
        if kind == "grpo":

            def says_a_name(completions: list[str], **kwargs: Any) -> list[float]:
                return [float(any(word in PEOPLE for word in text.split())) for text in completions]

            extra["reward_funcs"] = says_a_name
        if spec.get("lora"):
            from peft import LoraConfig

            extra["peft_config"] = LoraConfig(r=4, lora_alpha=8, target_modules=["c_attn"], task_type="CAUSAL_LM")
    rows, held_out = datasets_for(spec)
    result: dict[str, Any] = {
        "trainer": trainer_class.__name__,
        "config_class": config_class.__name__,
        "passed": dict(passed),
        "n_train": len(rows),
        "n_eval": {key: len(some) for key, some in held_out.items()}
        if spec.get("two_eval_sets")
        else spec["n_eval"] or None,
    }
    if spec.get("lora"):
        result["lora"] = {"r": 4, "lora_alpha": 8, "target_modules": ["c_attn"]}
    result_file.write_text(json.dumps(result))
    trainer = trainer_class(
        model=model, args=config_class(**passed), train_dataset=rows, eval_dataset=held_out, **extra
    )
    trainer.add_callback(Events())
    output = trainer.train(resume_from_checkpoint=True) if resume else trainer.train()
    result["train_output"] = {
        "global_step": output.global_step,
        "training_loss": output.training_loss,
        "metrics": output.metrics,
    }
    calls = ["train"]
    if spec["save"]:
        trainer.save_metrics("train", output.metrics)
        calls.append("save_metrics(train)")
        if held_out is not None and not isinstance(held_out, dict):
            result["evaluate"] = trainer.evaluate()
            trainer.save_metrics("eval", result["evaluate"])
            calls += ["evaluate", "save_metrics(eval)"]
        trainer.save_state()
        trainer.save_model()
        calls += ["save_state", "save_model"]
    result["calls"] = calls
    result_file.write_text(json.dumps(result))


# ------------------------------------------------------------------ all of them


def in_a_child(function: Any, *args: Any) -> int:
    """Call in a forked process (the imports are shared); its exit status, negative for a signal."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            function(*args)
            sys.stdout.flush()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def one(name: str, spec: dict[str, Any], kill_at: int | None = None, resume: bool = False) -> dict[str, Any]:
    file = Path("result.json")
    file.unlink(missing_ok=True)
    code = in_a_child(train, name, spec, kill_at, resume, file)
    if code not in (0, -signal.SIGKILL):
        raise SystemExit(f"{name}: exit status {code}")
    return {"exit_code": code, "resumed": resume, **json.loads(file.read_text())}


def make(name: str, spec: dict[str, Any]) -> None:
    shutil.rmtree(name, ignore_errors=True)
    note = None
    if "seeds" in spec:
        processes = [
            one(f"{name}/seed-{seed}", spec | {"args": spec["args"] | {"seed": seed}}) for seed in spec["seeds"]
        ]
        note = "the same starting weights and pairs; the seed changes the order of the pairs only"
    elif "kill_at" in spec:
        processes = [one(name, spec, stop, number > 0) for number, stop in enumerate(spec["kill_at"])]
    else:
        processes = [one(name, spec)]
    if "second" in spec:
        processes.append(one("second-run", spec | spec["second"]))
        shutil.copytree("second-run/checkpoint-20", f"{name}/checkpoint-20")
        shutil.rmtree("second-run")
        note = "checkpoint-20 was copied here from the second run; the other checkpoints are the first run's"
    if "infinite_at" in spec:
        note = f"the weights of the last layer norm were set to infinity before step {spec['infinite_at'] + 1}"
    removed = []
    shutil.rmtree(HERE / name, ignore_errors=True)
    for source in sorted(path for path in Path(name).rglob("*") if path.is_file()):
        size = source.stat().st_size
        weights = source.suffix == ".safetensors" or source.name in ("optimizer.pt", "rng_state.pth")
        if weights or size > 200_000:
            removed.append({"file": source.relative_to(name).as_posix(), "bytes": size})
            continue
        copy = HERE / source
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    manifest = {
        "name": name,
        "python": platform.python_version(),
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
        "model": "GPT-2, 2 layers, hidden 64, random weights",
        "note": note,
        "processes": processes,
        "removed": removed,
    }
    (HERE / f"{name}.MANIFEST.json").write_text(json.dumps(manifest, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, help="folder for the model and the weights")
    parser.add_argument("names", nargs="*", default=[*RUNS], help="runs to make")
    args = parser.parse_args()
    socket.gethostname = lambda: "laptop"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["OMP_NUM_THREADS"] = "1"  # as fast for so small a model, and the same sums on every machine
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # old transformers resume from a pickled random state
    work = Path(args.work, "old" if OLD else "new")
    work.mkdir(parents=True, exist_ok=True)
    os.chdir(work)
    import datasets  # noqa: F401  imported once, before the processes fork
    import peft  # noqa: F401
    import torch  # noqa: F401
    import trl

    trl.DPOTrainer  # noqa: B018  the classes load on first use
    if in_a_child(make_model):
        raise SystemExit("no model")
    for name in args.names:
        sys.stderr.write(f"### {name}\n")
        make(name, RUNS[name])


if __name__ == "__main__":
    main()
