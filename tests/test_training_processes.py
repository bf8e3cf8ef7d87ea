"""`train` in two processes: the losses of one, a stop that reaches both, and an end that leaves nothing open."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.errors import ReportError
from dpo_report.core.loader import load
from dpo_report.plugins.training import facts
from dpo_report.plugins.training.failing import one_line
from training import call, needs_torch, rows, wait_for, words, write_pairs

GO = """
import os, sys
from pathlib import Path
from dpo_report.core.cli import main
Path(sys.argv[0] + os.environ["RANK"]).write_text(str(os.getpid()))
status = main()
threads = [name.read_text() for name in Path("/proc/self/task").glob("*/comm")]
assert not any("gloo" in name for name in threads), threads
sys.exit(status)
"""
"""The command line; where the system lists threads, none that could outlive Python may be left of the group."""


def launch(folder: Path, line: list[str]) -> subprocess.Popen[str]:
    """The command line in two processes, which leave their ids in ``go.py0`` and ``go.py1``."""
    (folder / "go.py").write_text(GO)
    flags = ["--multi_gpu", "--num_processes", "2", "--main_process_port", "0"]
    command = [sys.executable, "-m", "accelerate.commands.launch", *flags, str(folder / "go.py"), *line]
    known = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=known)


@pytest.fixture
def data(tmp_path: Path) -> dict[str, str]:
    train, held = write_pairs(tmp_path / "train.jsonl", 18), write_pairs(tmp_path / "held.jsonl", 8, start=100)
    return {"data": str(train), "eval_data": str(held)}


@needs_torch
def test_two_processes_train_as_one(data: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "two"
    steps = {"max_steps": 4}  # whole ones; accelerate fills up the last batches of several processes with other pairs
    assert call(words(tmp_path / "one", **data, dpo=steps)) == 0
    process = launch(tmp_path, words(folder, **data, dpo={"gradient_accumulation_steps": 1} | steps))
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, said[-3000:]
    assert rows(folder) == pytest.approx(rows(tmp_path / "one"), abs=1e-4) and len(rows(folder)) == 4
    assert facts.read(folder)["world_size"] == 2
    assert len(list(folder.glob("runs/*/events.out.tfevents.*"))) == 1
    values = analyse(load(folder)).values
    assert values["batch.effective"].value == 4


@needs_torch
def test_a_signal_to_one_process_stops_both_with_all_written(data: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "stopped"
    process = launch(tmp_path, words(folder, **data, dpo={"num_train_epochs": 400}))
    wait_for(folder / "attempts.json", process)
    os.kill(int((tmp_path / "go.py1").read_text()), signal.SIGTERM)
    said = process.communicate(timeout=300)[0]
    assert "dpo-report: stopped by another process at step" in said and "--resume" in said, said[-3000:]
    assert "SIGABRT" not in said and "AssertionError" not in said, said[-3000:]
    assert facts.read(folder)["attempts"] == 1


def test_another_process_that_ended_is_one_line() -> None:
    said = "[third_party/gloo/gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:30133."
    with pytest.raises(ReportError, match="another process of this training has ended"), one_line("out"):
        raise RuntimeError(said)
    with pytest.raises(ConnectionResetError), one_line("out"):  # a download's, say
        raise ConnectionResetError(104, "Connection reset by peer")
