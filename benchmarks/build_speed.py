"""`dpo-report build RUN --format latex`, all figures, against a script that draws one loss curve with pyplot.

Both read the same 16 rows and start from a fresh interpreter; they take turns, so that whatever else the machine does
hits both. Prints the medians, their ratio and the limit, and exits with 1 above it:

    python benchmarks/build_speed.py [--turns 7]
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT = 2.0

RIVAL = """
import json, sys
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
with open(sys.argv[1]) as file:
    rows = [row for row in json.load(file)["log_history"] if "loss" in row]
plt.plot([row["step"] for row in rows], [row["loss"] for row in rows])
plt.xlabel("step")
plt.ylabel("loss")
plt.savefig(sys.argv[2])
"""

BUILD = "import sys; from dpo_report.core.cli import main; sys.exit(main())"


def state() -> dict[str, object]:
    """A trainer_state.json with 16 rows of a DPO run and two evaluations; the numbers are made up."""
    rows: list[dict[str, float]] = []
    for step in range(1, 17):
        margin = 0.15 * (step - 1)
        row = {
            "loss": math.log1p(math.exp(-margin)),
            "rewards/chosen": 0.4 * margin,
            "rewards/rejected": -0.6 * margin,
            "rewards/margins": margin,
            "rewards/accuracies": min(1.0, 0.5 + step / 20),
            "logps/chosen": -90.0 + 4 * margin,
            "logps/rejected": -70.0 - 6 * margin,
        }
        rows.append(
            row | {"learning_rate": 5e-6 * (17 - step) / 16, "grad_norm": 3.0 / step, "step": step, "epoch": step / 8}
        )
        if step % 8 == 0:
            held_out = {f"eval_{key}": 0.9 * value for key, value in row.items()}
            rows.append(
                held_out | {"eval_runtime": 1.5, "eval_samples_per_second": 10.667, "step": step, "epoch": step / 8}
            )
    closing = {"train_loss": 0.4, "train_runtime": 20.0, "train_samples_per_second": 6.4, "train_steps_per_second": 0.8}
    rows.append(closing | {"total_flos": 0.0, "step": 16, "epoch": 2.0})
    return {
        "global_step": 16,
        "max_steps": 16,
        "epoch": 2.0,
        "logging_steps": 1,
        "num_train_epochs": 2,
        "train_batch_size": 8,
        "log_history": rows,
    }


def seconds(*command: str | Path) -> float:
    """Wall time of one command, which must succeed."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *map(str, command)], check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> int:
    """Take turns, print, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=7)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as folder:
        run, picture, report = Path(folder, "run"), Path(folder, "loss.png"), Path(folder, "report")
        run.mkdir()
        log = run / "trainer_state.json"
        log.write_text(json.dumps(state()))
        rival = ("-c", RIVAL, log, picture)
        build = ("-c", BUILD, "build", run, "--format", "latex", "-o", report)
        seconds(*rival)  # the first ones fill the caches of both
        seconds(*build)
        pairs = [(seconds(*rival), seconds(*build)) for _ in range(turns)]
        figures = len(list(report.glob("figures/*.pdf")))
    theirs, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"pyplot, one PNG                     {theirs:6.2f} s")
    print(f"dpo-report build, {figures} PDF figures     {ours:6.2f} s")
    print(f"ratio                               {ours / theirs:6.2f}   (limit {LIMIT})")
    return 0 if ours <= LIMIT * theirs else 1


if __name__ == "__main__":
    sys.exit(main())
