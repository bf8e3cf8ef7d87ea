"""A parent of many runs: how long ``inspect`` takes to list it.

    python benchmarks/parents.py [RUNS] [--kind trainer] [--keep DIR]

Runs of the Trainer have states of 400 rows at the top and in two checkpoints, arguments, a card and an event file; the
trackers' runs have the file that each tracker writes, with 400 rows of 12 keys; MLflow's have a file for each key, all
in one store. Logs of Keras have 100 rows of 3 columns, those of Lightning and LLaMA-Factory 400 rows. Their losses and
seeds differ, and one run in ten was killed.
``--kind all`` measures one after the other.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from binary import event_file, field, leveldb, scalar, tfrecord

MODEL = Path(__file__).parent.parent / "tests" / "runs" / "dpo-log1"
ROWS = 400
KEYS = (
    *(f"train/{name}" for name in ("loss", "grad_norm", "learning_rate", "epoch", "global_step")),
    *(f"train/rewards/{name}" for name in ("chosen", "rejected", "margins", "accuracies")),
    *(f"train/logps/{name}" for name in ("chosen", "rejected")),
    "train/logits/chosen",
)
PROGRAM = "import sys; from dpo_report.core.cli import main; sys.exit(main(sys.argv[1:]))"
MOST = 3.0
"""Seconds that listing 1,000 runs may take."""


def rows_of(number: int) -> int:
    """How many rows a run logged."""
    return ROWS if number % 10 else ROWS // 2


def steps_of(number: int) -> range:
    """The steps that a run logged."""
    return range(1, rows_of(number) + 1)


def loss(number: int, step: int) -> float:
    """A loss that no other run has at that step."""
    return 0.6931 - step * (0.001 + number * 1e-7)


def trainer(parent: Path, numbers: range) -> None:
    """Folders of the Trainer."""
    args = (MODEL / "training_args.bin").read_bytes()
    card = (MODEL / "README.md").read_text()
    for number in numbers:
        run = parent / f"run-{number:04d}"
        steps = rows_of(number)
        history = [
            {
                "epoch": round(step / 100, 4),
                "grad_norm": 1.5 + math.sin(step + number),
                "learning_rate": 5e-6 * (1 - step / ROWS),
                "logps/chosen": -120.0 - step / 7,
                "loss": loss(number, step),
                "rewards/accuracies": 0.5 + step / (2 * ROWS),
                "rewards/margins": step / 300,
                "step": step,
            }
            for step in range(1, steps + 1)
        ]
        whole = {"epoch": steps / 100, "global_step": steps, "log_history": history, "max_steps": ROWS}
        for folder, rows in ((run, steps), (run / "checkpoint-100", 100), (run / "checkpoint-200", 200)):
            folder.mkdir(parents=True)
            state = {**whole, "global_step": rows, "log_history": history[:rows]}
            (folder / "trainer_state.json").write_text(json.dumps(state, indent=2))
            (folder / "model.safetensors").write_bytes(b"\0" * 64)
        (run / "training_args.bin").write_bytes(args)
        (run / "README.md").write_text(card)
        (run / "runs" / "Nov23_host").mkdir(parents=True)
        logged = event_file(scalar(KEYS[0], step, loss(number, step)) for step in range(1, 21))
        (run / "runs" / "Nov23_host" / f"events.out.tfevents.{number}.host.1.0").write_bytes(logged)


def arguments(number: int) -> dict[str, float]:
    """What a run was told."""
    return {"seed": number, "learning_rate": 5e-6, "max_steps": ROWS, "beta": 0.1, "per_device_train_batch_size": 4}


def value(key: str, number: int, step: int) -> float:
    """What a run logged under a key."""
    return step if key == "train/global_step" else loss(number, step) if key == KEYS[0] else math.sin(step + len(key))


def tensorboard(parent: Path, numbers: range) -> None:
    """Folders with an event file, which differ in their arguments and in their first and last loss."""
    shared = [tfrecord(scalar(key, step, value(key, 0, step))) for step in range(1, ROWS + 1) for key in KEYS]
    for number in numbers:
        run = parent / f"run-{number:04d}"
        run.mkdir(parents=True)
        text = field(8, json.dumps(arguments(number)))
        note = field(1, "args/text_summary") + field(9, field(1, field(1, "text"))) + field(8, field(1, 7) + text)
        records = shared[: rows_of(number) * len(KEYS)]
        for step in (1, rows_of(number)):
            records[(step - 1) * len(KEYS)] = tfrecord(scalar(KEYS[0], step, loss(number, step)))
        first = event_file([field(1, 1.7e9) + field(5, field(1, note))])
        (run / f"events.out.tfevents.17000{number:05d}.host.{number}.0").write_bytes(first + b"".join(records))


def _items(values: dict[str, float]) -> bytes:
    return b"".join(field(1, field(2, key) + field(16, json.dumps(one))) for key, one in values.items())


def wandb(parent: Path, numbers: range) -> None:
    """W&B's folder of offline runs."""
    for number in numbers:
        name = f"id{number:06d}"
        run = parent / "wandb" / f"offline-run-20261123_120000-{name}"
        run.mkdir(parents=True)
        records = [field(1, 0) + field(17, field(1, name) + field(4, _items(arguments(number))))]
        for step in range(rows_of(number)):
            items = _items({key: value(key, number, step + 1) for key in KEYS} | {"_step": step})
            records += [field(3, items), field(2, items + field(2, field(1, step)))]
        if number % 10:
            records.append(field(18, b""))
        (run / f"run-{name}.wandb").write_bytes(leveldb(b":W&B\xe1\xbe\x00", records))


def swanlab(parent: Path, numbers: range) -> None:
    """SwanLab's folder of local runs."""
    for number in numbers:
        run = parent / "swanlog" / f"run-20261123_120000-{number:06d}"
        (run / "files").mkdir(parents=True)
        told = "".join(f"{k}:\n  desc: ''\n  sort: 0\n  value: {v}\n" for k, v in arguments(number).items())
        (run / "files" / "config.yaml").write_text(told)
        rows = ((key, step) for step in range(1, rows_of(number) + 1) for key in KEYS)
        records = [field(10, field(4, f"run-{number}"))]
        for key, step in rows:
            records.append(field(13, field(1, key) + field(2, step) + field(5, field(1, value(key, number, step)))))
        if number % 10:
            records.append(field(11, field(1, 1)))
        (run / "run.swanlab").write_bytes(leveldb(b":SWL\xe1\xbe\x00", records))


def mlflow(parent: Path, numbers: range) -> None:
    """MLflow's file store, where all runs stand in the folder of one experiment."""
    for number in numbers:
        run = parent / "mlruns" / "0" / f"{number:032x}"
        for key in KEYS:
            rows = (f"{1_700_000_000_000 + step} {value(key, number, step)} {step}\n" for step in steps_of(number))
            _write(run / "metrics" / key, "".join(rows))
        for name, one in arguments(number).items():
            _write(run / "params" / name, str(one))
        _write(run / "tags" / "mlflow.runName", f"run-{number}")
        _write(run / "meta.yaml", f"run_id: {run.name}\nrun_name: run-{number}\nstatus: {3 if number % 10 else 1}\n")
    _write(parent / "mlruns" / "0" / "meta.yaml", "experiment_id: '0'\nname: Default\n")


def keras(parent: Path, numbers: range) -> None:
    """Folders with the table of Keras's CSVLogger."""
    for number in numbers:
        rows = (f"{epoch},0.5,{loss(number, epoch)},{loss(number, epoch) + 0.01}\n" for epoch in range(100))
        _write(parent / f"run-{number:04d}" / "training.log", "epoch,accuracy,loss,val_loss\n" + "".join(rows))


def lightning(parent: Path, numbers: range) -> None:
    """Folders of Lightning's CSV logger: the rows of 100 validations stand between those of 300 steps."""
    for number in numbers:
        rows = []
        for step in range(rows_of(number) * 3 // 4):
            rows.append(f"{step // 30},,{step},{loss(number, step)},\r\n")
            if step % 3 == 2:
                rows.append(f"{step // 30},,{step},,{loss(number, step) + 0.01}\r\n")
        run = parent / "lightning_logs" / f"version_{number}"
        _write(run / "metrics.csv", "epoch,lr-AdamW,step,train_loss_step,val_loss\r\n" + "".join(rows))
        _write(run / "hparams.yaml", "".join(f"{name}: {one}\n" for name, one in arguments(number).items()))


def llamafactory(parent: Path, numbers: range) -> None:
    """Folders with nothing but LLaMA-Factory's log."""
    for number in numbers:
        rows = (
            {
                "current_steps": step,
                "total_steps": ROWS,
                "loss": loss(number, step),
                "lr": 5e-6 * (1 - step / ROWS),
                "epoch": step / 100,
                "percentage": round(100 * step / ROWS, 2),
                "elapsed_time": f"0:{step // 60:02}:{step % 60:02}",
                "remaining_time": f"0:{(ROWS - step) // 60:02}:{(ROWS - step) % 60:02}",
            }
            for step in steps_of(number)
        )
        _write(parent / f"run-{number:04d}" / "trainer_log.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())


KINDS: dict[str, Callable[[Path, range], None]] = {
    "trainer": trainer,
    "tensorboard": tensorboard,
    "wandb": wandb,
    "swanlab": swanlab,
    "mlflow": mlflow,
    "keras": keras,
    "lightning": lightning,
    "llamafactory": llamafactory,
}


def measured(kind: str, parent: Path, count: int) -> bool:
    """List a parent three times, tell the best time; whether all were found in time."""
    if not parent.exists() or not any(parent.iterdir()):
        KINDS[kind](parent, range(count))
    size = sum(path.stat().st_size for path in parent.rglob("*") if path.is_file())
    times, processor = [], []
    for _ in range(3):
        start, spent = time.perf_counter(), os.times()
        listed = subprocess.run(
            [sys.executable, "-c", PROGRAM, "inspect", str(parent), "--json"],
            capture_output=True,
            text=True,
            check=True,
        )
        times.append(time.perf_counter() - start)
        after = os.times()
        used = after.children_user + after.children_system - spent.children_user - spent.children_system
        processor.append(used)
    runs = json.loads(listed.stdout)["runs"]
    found = sum(one["loss"] is not None and not one["copy_of"] for one in runs)
    told = f"{min(times):.2f} s ({min(processor):.2f} s of processor)"
    print(f"{kind}: {found:,} of {count:,} runs ({size / 1e6:,.0f} MB): {told}")
    return found == count and min(times) < MOST * max(1.0, count / 1000)


def main() -> int:
    """Make each parent, list it, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="?", type=int, default=1000)
    parser.add_argument("--kind", choices=(*KINDS, "all"), default="all")
    parser.add_argument("--keep", type=Path, help="make the parents here and leave them")
    given = parser.parse_args()
    home = given.keep or Path(tempfile.mkdtemp())
    try:
        kinds = KINDS if given.kind == "all" else (given.kind,)
        good = [measured(kind, home / kind, given.runs) for kind in kinds]
    finally:
        if not given.keep:
            shutil.rmtree(home)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
