"""`evaluate`: numbers that agree with the trainer's, for full and LoRA runs; the report takes them up."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.loader import load
from dpo_report.plugins.training import facts
from training import call, needs_torch, rows, words, write_pairs

pytestmark = needs_torch


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pairs")
    train, held = write_pairs(folder / "train.jsonl", 60), write_pairs(folder / "held.jsonl", 40, start=200)
    return {"data": str(train), "eval_data": str(held)}


@pytest.fixture(scope="module", params=["full", "lora"])
def run(request: pytest.FixtureRequest, data: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / request.param
    lora = ["--set", "lora.r=8", "--set", 'lora.target_modules=["c_attn"]'] if request.param == "lora" else []
    assert call([*words(folder, **data, dpo={"num_train_epochs": 3}), *lora]) == 0
    return folder


def evaluate(run: Path, file: str, *more: str) -> dict:
    line = ["evaluate", str(run), "--data", file, "--threads", "1", "--report", "none", "--max-new-tokens", "8", *more]
    assert call(line) == 0
    return json.loads((run / "evaluation" / f"{Path(file).stem}.json").read_text())


def test_it_agrees_with_the_trainers_own_evaluation_and_reaches_level_3(
    run: Path, data: dict[str, str], capsys
) -> None:
    told = evaluate(run, data["eval_data"], "--samples", "2")
    assert "surest pairs" in capsys.readouterr().out
    found = told["values"]
    for key, mine in (
        ("eval_loss", "loss"),
        ("eval_rewards/accuracies", "accuracy"),
        ("eval_rewards/margins", "margin"),
    ):
        assert found[mine]["value"] == pytest.approx(rows(run, key)[-1], abs=2e-4), key
    assert found["drift_chosen"]["value"] == pytest.approx(rows(run, "eval_rewards/chosen")[-1] / 0.1, abs=2e-3)
    assert told["data"]["pairs_in_train"] == 0 and told["beta"] == 0.1 and told["pairs"] == 40
    pairs = [json.loads(line) for line in (run / "evaluation" / "held.pairs.jsonl").read_text().splitlines()]
    assert len(pairs) == 40 and sum(one["margin"] > 0 for one in pairs) == found["accuracy"]["k"]
    texts = [json.loads(line) for line in (run / "evaluation" / "held.generations.jsonl").read_text().splitlines()]
    assert [one["how"] for one in texts] == ["greedy"] * 2 + ["drawn"] * 2
    analysis = analyse(load(run))
    codes = {finding.code: finding for finding in analysis.findings}
    assert codes["D7"].status == "found" and str(found["accuracy"]["k"]) in str(codes["D7"].text)
    assert codes["F1"].status == "passed" and codes["F7"].status == "passed"
    assert analysis.values["accuracy.test"].n == 40
    assert analysis.values["accuracy.test"].sources[0].file == "evaluation/held.json"
    assert "held-out-above-chance" in codes["D7"].grants


def test_the_same_call_gives_the_same_numbers(run: Path, data: dict[str, str]) -> None:
    first = evaluate(run, data["eval_data"], "--samples", "2", "--name", "held")
    again = evaluate(run, data["eval_data"], "--samples", "2", "--batch", "3")
    for key in ("loss", "margin", "drift_chosen"):
        assert again["values"][key]["value"] == pytest.approx(first["values"][key]["value"], abs=1e-5)
    assert again["generations"] == first["generations"]


def test_leaking_pairs_are_told_and_bar_level_3(run: Path, data: dict[str, str], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("evaluation", "checkpoint-*"))
    told = evaluate(copy, data["data"], "--samples", "0", "--train-data", data["data"])
    assert told["data"]["pairs_in_train"] == 60 and "generations" not in told
    codes = {finding.code: finding for finding in analyse(load(copy)).findings}
    assert codes["F7"].severity == "warning" and "60 of the 60 pairs" in str(codes["F7"].text)
    assert "held-out-above-chance" not in codes["D7"].grants


def test_a_run_that_does_not_tell_its_reference_needs_to_be_told(
    run: Path, data: dict[str, str], tmp_path: Path, capsys
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(
        run, copy, ignore=shutil.ignore_patterns("evaluation", "checkpoint-*", "dpo-report.toml", "README.md")
    )
    line = ["evaluate", str(copy), "--data", data["eval_data"], "--samples", "0", "--report", "none", "--threads", "1"]
    if (copy / "adapter_config.json").exists():  # an adapter names its base model
        assert call(line) == 0
        return
    assert call(line) == 1
    assert "give it with --reference MODEL" in capsys.readouterr().err
    assert call([*line, "--reference", str(run / facts.read(run)["reference"])]) == 0
    assert call(["evaluate", str(tmp_path), "--data", data["eval_data"]]) == 1
    assert "holds no weights" in capsys.readouterr().err
