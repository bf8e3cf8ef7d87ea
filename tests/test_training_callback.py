"""`DPOReportCallback`: two lines in a script of one's own; what fails in it never disturbs the training."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from dpo_report.core.loader import load
from dpo_report.plugins.training import facts
from training import call, needs_torch, words, write_pairs

pytestmark = needs_torch


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A tiny model's folder, and a file of pairs."""
    folder = tmp_path_factory.mktemp("tiny")
    data = str(write_pairs(folder / "pairs.jsonl", 8))
    assert call(words(folder / "run", data=data, dpo={"max_steps": 1})) == 0
    return str(folder / "run" / "reference"), data


def trained(folder: Path, model: tuple[str, str], callback: Any) -> Any:
    """What a user's own script does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from datasets import load_dataset
        from trl import DPOConfig, DPOTrainer

        args = DPOConfig(
            output_dir=str(folder), max_steps=2, bf16=False, gradient_checkpointing=False, use_cpu=True, report_to=[],
            per_device_train_batch_size=2, logging_steps=1, save_strategy="no", disable_tqdm=True,
        )  # fmt: skip
        rows = load_dataset("json", data_files=model[1], split="train")
        trainer = DPOTrainer(model=model[0], args=args, train_dataset=rows)
        trainer.add_callback(callback)
        return trainer.train()


def test_the_run_has_its_facts_and_its_report(tmp_path: Path, model: tuple[str, str]) -> None:
    from dpo_report import DPOReportCallback

    trained(tmp_path / "own", model, DPOReportCallback(formats=("markdown",), extra={"data_source": "sums"}))
    told = facts.read(tmp_path / "own")
    assert (told["train_rows"], told["world_size"], told["data_source"]) == (8, 1, "sums")
    assert told["hardware"] and told["versions"]["trl"] and told["seconds"] > 0
    assert (tmp_path / "own" / "report" / "report.md").is_file()
    assert load(tmp_path / "own").status == "completed"


def test_what_fails_in_it_is_one_line(tmp_path: Path, model: tuple[str, str], capsys, monkeypatch) -> None:
    from dpo_report import DPOReportCallback

    def broken(*_: object) -> None:
        raise RuntimeError("no room\nfor facts")

    monkeypatch.setattr(facts, "write", broken)
    assert trained(tmp_path / "own", model, DPOReportCallback()).global_step == 2
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dpo-report:")]
    assert error == ["dpo-report: no report (RuntimeError: no room for facts)"] * 2
