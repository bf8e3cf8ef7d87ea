"""A ``trainer_state.json`` of a million rows: this project's reader against ``json.load`` alone.

    python benchmarks/large_state.py [--rows 1000000] [--repeats 3]

Makes the file in a temporary folder, then times both in processes of their own, by turns, and prints medians, their
ratio and the peak memory of each. Exit status 1 where the ratio is above 0.6 or the reader's peak above 350 MiB.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

MOST_TIME = 0.6
MOST_MEMORY = 350

KEYS = (
    "entropy", "epoch", "grad_norm", "learning_rate", "logps/chosen", "logps/rejected", "loss", "rewards/accuracies",
    "rewards/chosen", "rewards/margins", "rewards/rejected",
)  # fmt: skip

READER = """
import resource, sys, time
from pathlib import Path
from dpo_report.core.folder import Folder
from dpo_report.plugins.readers.hf.witness import read
start = time.perf_counter()
(witness,) = read(Folder.open(Path(sys.argv[1])))
seconds = time.perf_counter() - start
points = sum(len(series) for series in witness.series)
"""
RIVAL = """
import json, resource, sys, time
from pathlib import Path
start = time.perf_counter()
with Path(sys.argv[1], "trainer_state.json").open() as stream:
    state = json.load(stream)
seconds = time.perf_counter() - start
points = sum(len(row) - 1 for row in state["log_history"])
"""
# VmHWM is this process's own peak; getrusage would also show the parent's from before exec.
TELL = """
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(seconds, peak // 1024, points)
"""


def make(path: Path, rows: int) -> None:
    """Write a state as the trainer does: sorted keys, indented by two, an evaluation every thousand rows."""
    rng = random.Random(0)
    with path.open("w") as stream:
        stream.write(f'{{\n  "best_metric": null,\n  "epoch": 1.0,\n  "global_step": {rows},\n  "log_history": [\n')
        for step in range(1, rows + 1):
            row = {key: rng.gauss(0, 1) * 10 ** rng.randint(-6, 2) for key in KEYS} | {"step": step}
            listed = [row]
            if step % 1000 == 0:
                listed.append({"epoch": row["epoch"], "eval_loss": rng.random(), "eval_runtime": 1.5, "step": step})
            for one in listed:
                text = json.dumps(one, indent=2).replace("\n", "\n    ")
                stream.write(f"    {text}" + ("\n" if one is listed[-1] and step == rows else ",\n"))
        stream.write(f'  ],\n  "logging_steps": 1,\n  "max_steps": {rows},\n  "num_train_epochs": 1\n}}\n')


def measure(code: str, folder: Path) -> tuple[float, int, int]:
    """Seconds, peak memory in MiB and points read, in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-c", code + TELL, str(folder)], capture_output=True, text=True, check=True
    )
    seconds, peak, points = result.stdout.split()
    return float(seconds), int(peak), int(points)


def main() -> int:
    """Make the file, measure by turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make(folder / "trainer_state.json", options.rows)
        size = (folder / "trainer_state.json").stat().st_size
        print(f"{options.rows:,} rows, {size / 1e6:,.0f} MB, {options.repeats} repeats")
        ours, theirs = [], []
        for _ in range(options.repeats):
            ours.append(measure(READER, folder))
            theirs.append(measure(RIVAL, folder))
    if ours[0][2] != theirs[0][2]:
        print(f"the reader gave {ours[0][2]:,} points, the file holds {theirs[0][2]:,}")
        return 1
    medians = []
    for name, runs in (("reader", ours), ("json.load", theirs)):
        seconds = statistics.median(run[0] for run in runs)
        peak = max(run[1] for run in runs)
        medians.append((seconds, peak))
        print(f"{name:10} {seconds:7.2f} s   peak {peak:6,} MiB")
    ratio = medians[0][0] / medians[1][0]
    print(f"ratio      {ratio:7.2f}     (at most {MOST_TIME}; peak at most {MOST_MEMORY} MiB)")
    return 0 if ratio <= MOST_TIME and medians[0][1] <= MOST_MEMORY else 1


if __name__ == "__main__":
    sys.exit(main())
