"""Pairs and calls for the tests of training; those that need torch say so with :data:`needs_torch`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dpo_report.core.cli import main

MISSING = [
    name for name in ("torch", "transformers", "trl", "datasets", "accelerate", "peft") if find_spec(name) is None
]
COMPLETE = os.environ.get("DPO_REPORT_TESTS_COMPLETE") == "1"
needs_torch = pytest.mark.skipif(bool(MISSING) and not COMPLETE, reason="the extra [train] is not installed")

CALL = "import sys; from dpo_report.core.cli import main; sys.exit(main())"


def write_pairs(path: Path, count: int, start: int = 0) -> Path:
    """So many pairs in which the chosen answer adds rightly and the rejected one does not."""
    rows = []
    for i in range(start, start + count):
        a, b = i % 17, i // 17 + 1
        prompt = f"What is {a} plus {b}? Give the sum of the two numbers, number {i}."
        chosen, rejected = f"It is {a + b}.", f"It is {a + b + 1 + i % 3}, I think."
        rows.append({"prompt": prompt, "chosen": chosen, "rejected": rejected})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def words(folder: Path, **options: Any) -> list[str]:
    """A command line that trains the tiny model in fp32 on one thread, with no report."""
    fields = {"learning_rate": 2e-3, "num_train_epochs": 2, "per_device_train_batch_size": 2}
    fields |= {"gradient_accumulation_steps": 2} | options.pop("dpo", {})
    sets = [word for name, value in fields.items() for word in ("--set", f"dpo.{name}={value}")]
    options = {"model": "tiny", "threads": "1", "precision": "fp32", "report": "none"} | options
    flags = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return ["train", "--output-dir", str(folder), *flags, *sets]


def call(words: list[str]) -> int:
    """The command line in this process; what the libraries warn of is theirs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return main(words)


def start(words: list[str], **environment: str) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    known = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, "-c", CALL, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=known)


def rows(run: Path, key: str = "loss") -> list[float]:
    """A logged quantity of a run, in order."""
    history = json.loads((run / "trainer_state.json").read_text())["log_history"]
    return [row[key] for row in history if key in row]


def wait_for(path: Path, process: Any) -> None:
    """Until a file is there, or the process ended."""
    for _ in range(2400):
        if path.exists():
            return
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"{path} did not come")
