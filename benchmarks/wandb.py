"""An offline W&B run of 10,000 steps with 12 keys, read within a second.

The file has what wandb-core writes for each step: the history row and two updates of the summary. The reader uses one
core, so processor time is measured, which other programs on the machine do not stretch. Prints the median and exits
with 1 above the limit:

    python benchmarks/wandb.py [--turns 5] [--steps 10000]
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from binary import field, leveldb

LIMIT = 1.0
KEYS = (
    *(f"train/{name}" for name in ("loss", "grad_norm", "learning_rate", "epoch", "global_step")),
    *(f"train/rewards/{name}" for name in ("chosen", "rejected", "margins", "accuracies")),
    *(f"train/logps/{name}" for name in ("chosen", "rejected")),
    "train/logits/chosen",
)
READ = """
import sys, time
from pathlib import Path
from dpo_report.core.folder import Folder
from dpo_report.plugins.readers.wandb.witness import READER
started = time.process_time()
(witness,) = READER.read(Folder.open(Path(sys.argv[1])))
print(time.process_time() - started, sum(len(series) for series in witness.series), len(witness.problems))
"""


def item(value: float, *keys: str) -> bytes:
    """One item of a history or summary record, its key as wandb-core writes it."""
    return field(1, b"".join(field(2, key) for key in keys) + field(16, repr(value)))


def records(steps: int) -> list[bytes]:
    """All records of the run."""
    rng = random.Random(0)
    found = [field(1, 0) + field(17, field(1, "id") + field(8, "bench"))]
    for step in range(steps):
        row = [item(step + 1 if key == "train/global_step" else rng.random(), key) for key in KEYS]
        own = [item(step, "_step"), item(step / 10, "_runtime"), item(1.7e9 + step, "_timestamp")]
        items = b"".join(rng.sample([*row, *own], len(row) + len(own)))
        found.append(field(1, len(found)) + field(3, item(step // 10, "_wandb", "runtime")))
        found.append(field(1, len(found)) + field(3, items))
        found.append(field(1, len(found)) + field(2, items + field(2, field(1, step))))
    return [*found, field(18, b"")]


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10_000)
    options = parser.parse_args()
    times: list[float] = []
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "run-id.wandb").write_bytes(leveldb(b":W&B\xe1\xbe\x00", records(options.steps)))
        for _ in range(options.turns):
            done = subprocess.run([sys.executable, "-c", READ, home], capture_output=True, text=True, check=True)
            seconds, points, problems = map(float, done.stdout.split())
            assert points == options.steps * (len(KEYS) - 1) and not problems, (points, problems)
            times.append(seconds)
    median = statistics.median(times)
    print(f"{options.steps:,} steps of {len(KEYS)} keys: {median:.3f} s of processor time (limit {LIMIT:.0f} s)")
    return 0 if median < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
