"""How long ``dpo-report --help`` takes, as a multiple of a bare ``python -c pass``. Medians of five, interleaved."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

LIMIT = 8.0
ROUNDS = 5
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Compiled code is kept, as an installation by pip keeps it."""
PLUGIN = """
from dpo_report import hookimpl
from dpo_report.core.contract import Command


@hookimpl
def register_commands():
    return [Command("hello", "say hello", lambda parser: None, lambda args: 0)]
"""


def seconds(words: list[str]) -> float:
    """Wall-clock time of one run."""
    start = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    return time.perf_counter() - start


def main() -> int:
    """Print the table; the status is 1 where a ratio is over the limit."""
    script = str(Path(sysconfig.get_path("scripts")) / "dpo-report")
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder) / "hello.py"
        plugin.write_text(PLUGIN)
        rivals = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "dpo-report --help": [script, "--help"],
            "dpo-report --help, a plugin with a command": [script, "--plugin", str(plugin), "--help"],
        }
        for words in rivals.values():
            seconds(words)  # compiled code and file cache are warm for all
        times = [[seconds(words) for words in rivals.values()] for _ in range(ROUNDS)]
    medians = [statistics.median(column) for column in zip(*times, strict=True)]
    ratios = [median / medians[0] for median in medians]
    print(f"{'':44}{'ms':>6}{'ratio':>8}{'limit':>8}")
    for name, median, ratio in zip(rivals, medians, ratios, strict=True):
        limit = f"{LIMIT:.1f}" if ratio != 1 else ""
        print(f"{name:44}{1000 * median:6.0f}{ratio:8.2f}{limit:>8}")
    return int(max(ratios) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
