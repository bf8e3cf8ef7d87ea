"""A parent of many runs: how long ``inspect`` takes to list it, and how much of it is read.

    python benchmarks/parents.py [RUNS] [--keep DIR]

Each run has what the Trainer leaves: states of 400 rows at the top and in two checkpoints, arguments, a card, an event
file. Their losses differ, and one run in ten was killed.
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
from pathlib import Path

MODEL = Path(__file__).parent.parent / "tests" / "runs" / "dpo-log1"
ROWS = 400
PROGRAM = "import sys; from dpo_report.core.cli import main; sys.exit(main(sys.argv[1:]))"
MOST = 3.0
"""Seconds that listing 1,000 runs may take."""


def make(parent: Path, count: int) -> None:
    """Write the runs."""
    args = (MODEL / "training_args.bin").read_bytes()
    events = next((MODEL / "runs").rglob("events.out.*")).read_bytes()
    card = (MODEL / "README.md").read_text()
    for number in range(count):
        run = parent / f"run-{number:04d}"
        steps = ROWS if number % 10 else ROWS // 2
        history = [
            {
                "epoch": round(step / 100, 4),
                "grad_norm": 1.5 + math.sin(step + number),
                "learning_rate": 5e-6 * (1 - step / ROWS),
                "logps/chosen": -120.0 - step / 7,
                "loss": 0.6931 - step * (0.001 + number * 1e-7),
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
        (run / "runs" / "Nov23_host" / f"events.out.tfevents.{number}.host.1.0").write_bytes(events)


def main() -> int:
    """Make the parent, list it three times, tell the best time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="make the parent here and leave it")
    given = parser.parse_args()
    parent = given.keep or Path(tempfile.mkdtemp())
    try:
        if not parent.exists() or not any(parent.iterdir()):
            make(parent, given.runs)
        size = sum(path.stat().st_size for path in parent.rglob("*") if path.is_file())
        times, processor = [], []
        for _ in range(3):
            start, spent = time.perf_counter(), os.times()
            listed = subprocess.run(
                [sys.executable, "-c", PROGRAM, "inspect", str(parent)],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "COLUMNS": "200"},
            )
            times.append(time.perf_counter() - start)
            after = os.times()
            used = after.children_user + after.children_system - spent.children_user - spent.children_system
            processor.append(used)
        found = sum(line.lstrip().startswith("run-") for line in listed.stdout.splitlines())
        told = f"{min(times):.2f} s ({min(processor):.2f} s of processor)"
        print(f"{found:,} of {given.runs:,} runs ({size / 1e6:,.0f} MB): {told}")
    finally:
        if not given.keep:
            shutil.rmtree(parent)
    return 0 if found == given.runs and min(times) < MOST * max(1.0, given.runs / 1000) else 1


if __name__ == "__main__":
    sys.exit(main())
