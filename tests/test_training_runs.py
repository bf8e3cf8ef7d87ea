"""`train` on the tiny model: a normal run directory, equal losses, interruption, bad luck; each told in one line."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from dpo_report.core.loader import load
from dpo_report.plugins.training import facts
from training import call, needs_torch, rows, start, wait_for, words, write_pairs

pytestmark = needs_torch
EVERY_2 = {"save_strategy": "steps", "save_steps": 2}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pairs")
    train, held = write_pairs(folder / "train.jsonl", 18), write_pairs(folder / "held.jsonl", 8, start=100)
    return {"data": str(train), "eval_data": str(held)}


@pytest.fixture(scope="module")
def run(data: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """18 pairs, effective batch 4, 2 epochs: 10 steps, the last of each epoch with 2 pairs."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    assert call(words(folder, **data, report="markdown")) == 0
    return folder


def test_the_run_is_read_as_any_trainers(run: Path) -> None:
    read = load(run)
    assert (read.reader, read.method, read.status) == ("hf_trainer", "dpo", "completed")
    assert (read.global_step, len(rows(run)), len(rows(run, "eval_loss"))) == (10, 10, 3)
    assert [rows(run)[0], rows(run, "eval_loss")[0]] == pytest.approx([0.693147] * 2, abs=1e-4)
    assert rows(run)[-1] < rows(run)[0]
    for name in ("model.safetensors", "train_results.json", "eval_results.json", "README.md", "training_args.bin"):
        assert (run / name).is_file()
    assert list(run.glob("runs/*/events.out.tfevents.*")) and (run / "report" / "report.md").is_file()


def test_the_facts_tell_what_no_trainer_file_does(run: Path) -> None:
    told = facts.read(run)
    assert (told["train_pairs"], told["eval_pairs"], told["world_size"], told["base_model"]) == (18, 8, 1, "tiny")
    assert (told["batch"]["asked"], told["batch"]["done"]) == ("2 × 2", "4 × 1")
    assert told["data"]["eval_prompts_in_train"] == 0 and len(told["data"]["train_sha256"]) == 64
    assert told["truncated_share"] == 0 and 0 < told["median_edit_distance"] <= 1 < told["mean_completion_tokens"]
    assert told["sharing"] == "on" and told["peak_memory_gib"] > 0
    assert told["compute"]["positions_computed"] < told["compute"]["positions_without_sharing"]


def test_sharing_and_micro_batches_change_no_loss(run: Path, data: dict[str, str], tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    one = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4, "precompute_ref_log_probs": False}
    assert call(words(plain, **data, micro_batch="as-given", sharing="off", dpo={**one, "optim": "adamw_torch"})) == 0
    assert rows(plain) == pytest.approx(rows(run), abs=1e-4)
    for key in ("rewards/margins", "rewards/chosen", "logps/chosen", "entropy", "mean_token_accuracy", "grad_norm"):
        assert rows(plain, key) == pytest.approx(rows(run, key), abs=2e-3, rel=1e-3), key


def test_a_killed_run_goes_on_to_the_same_end(run: Path, data: dict[str, str], tmp_path: Path, capsys) -> None:
    folder = tmp_path / "killed"
    line = words(folder, **data, dpo=EVERY_2)
    process = start(line)
    wait_for(folder / "checkpoint-4" / "trainer_state.json", process)
    process.kill()
    process.communicate()
    (folder / "checkpoint-9999").mkdir()  # as if killed while writing
    assert call(line) == 1
    assert "already holds a run" in capsys.readouterr().err
    assert call([*line, "--resume"]) == 0
    assert rows(folder) == pytest.approx(rows(run), abs=1e-4) and len(rows(folder)) == 10
    assert rows(folder, "eval_loss") == pytest.approx(rows(run, "eval_loss"), abs=1e-4)
    told, attempts = facts.read(folder), json.loads((folder / "attempts.json").read_text())
    assert told["attempts"] == 2 and [one["ended"] for one in attempts] == ["killed", "completed"]
    closing = rows(folder, "train_runtime")
    assert len(closing) == 1 and closing[0] >= attempts[0]["seconds"]
    assert rows(folder, "train_loss")[0] == pytest.approx(rows(run, "train_loss")[0], abs=1e-4)
    assert not (folder / "checkpoint-9999").exists()
    assert not [p for p in load(folder).problems if "contradict" in p.message]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_and_says_how_to_go_on(data: dict[str, str], tmp_path: Path, number: int, status: int) -> None:
    folder = tmp_path / "stopped"
    process = start(words(folder, **data, dpo={"num_train_epochs": 400, "logging_steps": 1}))
    wait_for(folder / "attempts.json", process)
    time.sleep(0.3)
    process.send_signal(number)
    said = process.communicate(timeout=120)[0]
    assert process.returncode == status, said
    assert "go on with the same command and --resume" in said
    step = json.loads((folder / "attempts.json").read_text())[0]["to_step"]
    assert (folder / f"checkpoint-{step}" / "trainer_state.json").is_file()
    assert load(folder).status in ("incomplete", "running")


def test_lora_trains_the_adapter_only(data: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "lora"
    lora = ["--set", "lora.r=4", "--set", 'lora.target_modules=["c_attn"]']
    assert call([*words(folder, **data, dpo={"max_steps": 3}), *lora]) == 0
    assert (folder / "adapter_model.safetensors").is_file() and not (folder / "model.safetensors").exists()
    assert rows(folder)[0] == pytest.approx(0.693147, abs=1e-4)
    assert facts.read(folder)["sharing"] == "on"


def test_a_loss_that_is_no_number_stops_in_one_line(data: dict[str, str], tmp_path: Path, capsys) -> None:
    folder = tmp_path / "nan"
    dpo = {"learning_rate": 1e30, "max_grad_norm": 0, "weight_decay": 0}
    assert call(words(folder, **data, dpo=dpo)) == 1
    error = capsys.readouterr().err.splitlines()
    assert "the loss is nan at step" in error[-2] and "trainer_state.json" in error[-1]
    assert load(folder).status == "diverged"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "no/such/model/here"}, "there is no model no/such/model/here"),
        ({"dpo": {"gradient_accumulation_steps": 64}}, "are fewer than the 128 of one optimizer step"),
        ({"dpo": {"betta": 1}}, "[dpo]:"),
        ({"micro_batch": 3}, "does not divide the effective batch"),
    ],
)
def test_what_cannot_work_is_one_line(data: dict[str, str], tmp_path: Path, capsys, change: Any, said: str) -> None:
    assert call(words(tmp_path / "o", **(data | change))) == 1
    error = [line for line in capsys.readouterr().err.splitlines() if said in line]
    assert len(error) == 1 and "Traceback" not in error[0]


def test_weights_in_pieces_are_refused(data: dict[str, str], tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("ACCELERATE_DEEPSPEED_ZERO_STAGE", "3")
    assert call(words(tmp_path / "o", **data)) == 1
    assert "ZeRO-3" in capsys.readouterr().err


def test_the_hub_out_of_reach_is_one_line(data: dict[str, str], tmp_path: Path) -> None:
    process = start(words(tmp_path / "o", **data | {"model": "someone/some-model"}), HF_HUB_OFFLINE="1")
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 1 and "can be had neither here nor from the hub" in said and "Traceback" not in said


def test_a_full_disk_is_one_line_and_leaves_no_half_checkpoint(
    data: dict[str, str], tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    real = torch.save

    def full(obj: Any, f: Any, *args: Any, **kwargs: Any) -> None:
        if "checkpoint-4" in str(f):
            raise OSError(28, "No space left on device")
        real(obj, f, *args, **kwargs)

    monkeypatch.setattr(torch, "save", full)
    folder = tmp_path / "full"
    assert call(words(folder, **data, dpo=EVERY_2)) == 1
    assert "is full" in capsys.readouterr().err
    assert not (folder / "checkpoint-4").exists() and (folder / "checkpoint-2" / "trainer_state.json").is_file()
    monkeypatch.undo()
    assert call([*words(folder, **data, dpo=EVERY_2), "--resume"]) == 0


def test_too_little_memory_is_foreseen(
    data: dict[str, str], tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpo_report.plugins.training.hardware.available", lambda: 100 << 20)
    assert call(words(tmp_path / "o", **data)) == 1
    assert "GiB of memory, and 0.1 GiB are free" in capsys.readouterr().err
