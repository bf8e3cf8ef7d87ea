"""``inspect --why``: who looked, how sure each was, which file gave which curve, what was merged and what was lost."""

import json
import shutil
from pathlib import Path

import pytest

from dpo_report.core.cli import main

RUNS = Path(__file__).parent / "runs"


def why(path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["inspect", str(path), "--why"]) == 0
    return capsys.readouterr().out.splitlines()


def test_readers_files_and_what_was_merged(capsys: pytest.CaptureFixture[str]) -> None:
    lines = why(RUNS / "dpo-log1", capsys)
    assert lines[0] == "readers, the surest first"
    assert lines[1].split()[:2] == ["hf_trainer", "90%"]
    assert lines[2].split()[:2] == ["tensorboard", "60%"]
    assert lines[3].startswith("  looked and knew nothing here: ")
    assert "keras" in lines[3]
    assert "run dpo-log1" in lines
    joined = next(line for line in lines if line.startswith("  joined: runs/"))
    assert joined.endswith("shared values agree")
    assert any(line.startswith("  method: dpo, 100% sure, since ") for line in lines)
    (loss,) = (line.split() for line in lines if line.split()[:2] == ["train", "loss"])
    assert loss[2:4] == ["4", "trainer_state.json"]
    assert loss[4].startswith("runs/")
    assert loss[5] == "(agrees)"


def test_what_each_file_gave_and_what_contradicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"step": step, "loss": 0.7 - step / 10} for step in (1, 2, 3)]
    for name, kept in (("checkpoint-2", rows[:2]), ("checkpoint-3", rows[2:])):
        (tmp_path / name).mkdir()
        whole = {"global_step": kept[-1]["step"], "max_steps": 3, "log_history": kept}
        (tmp_path / name / "trainer_state.json").write_text(json.dumps(whole))
    lines = [
        {"current_steps": 2, "total_steps": 3, "loss": 0.44, "lr": 0.125},
        {"current_steps": 3, "total_steps": 3, "loss": 0.4, "lr": 0.0625},
    ]
    (tmp_path / "trainer_log.jsonl").write_text("\n".join(map(json.dumps, lines)))
    told = why(tmp_path, capsys)
    (loss,) = (line for line in told if line.split()[:2] == ["train", "loss"])
    assert "checkpoint-3/trainer_state.json (1), checkpoint-2/trainer_state.json (2)" in loss
    assert loss.endswith("trainer_log.jsonl (1 of 2 differ)")
    (rate,) = (line.split() for line in told if line.split()[:2] == ["train", "learning_rate"])
    assert rate[2:] == ["2", "trainer_log.jsonl"]
    at = told.index("left aside or contradictory")
    assert "trainer_log.jsonl: train loss differs from" in told[at + 1]


GRADED = {"rewards/chosen": 0.1, "rewards/accuracies": 1.0}
CARD = (
    "---\ntags:\n- trl\n- generated_from_trainer\n---\n# m\nThis model was trained with ORPO, a method of one paper.\n"
)


def logged(folder: Path, **row: float) -> Path:
    """A run of two logged steps, without arguments."""
    rows = [{"step": step, "loss": 0.7 - step / 10, **row} for step in (1, 2)]
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": 2, "max_steps": 2, "log_history": rows}))
    return folder


def test_how_sure_the_method_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert any(line.startswith("  method: dpo, 100% sure, since the arg") for line in why(RUNS / "dpo-log1", capsys))
    logged(tmp_path, **GRADED)
    (told,) = (line for line in why(tmp_path, capsys) if line.startswith("  method: "))
    assert told.startswith("  method: dpo, 70% sure, since the logged keys")
    assert main(["inspect", str(tmp_path)]) == 0
    assert f"{tmp_path.name} · dpo (70% sure) · completed" in " ".join(capsys.readouterr().out.split())
    (tmp_path / "README.md").write_text(CARD.replace("ORPO", "KTO"))  # which logs no accuracies, but a card is surer
    assert main(["inspect", str(tmp_path), "--json"]) == 0
    run = json.loads(capsys.readouterr().out)["runs"][0]
    assert (run["method"], run["method_sure"]) == ("kto", 0.9)
    assert run["method_why"] == "the model card says that it was trained with KTO"


def test_a_surer_file_tells_the_method_and_what_names_another_one_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logged(tmp_path, **GRADED)
    (tmp_path / "dpo-report.toml").write_text('[run]\nmethod = "bco"\n')
    told = why(tmp_path, capsys)
    at = told.index("  method: bco, 100% sure, since dpo-report.toml, run.method")
    assert told[at + 1].startswith("    but hf_trainer: dpo, 70% sure, since the logged keys")
    assert "left aside or contradictory" not in told  # a guess contradicts nothing
    (tmp_path / "README.md").write_text(CARD)
    told = why(tmp_path, capsys)
    card = "orpo, since the model card says that it was trained with ORPO"
    assert f"  trainer_state.json: the method would be {card}; bco is used, since dpo-report.toml, run.method" in told


def test_a_card_that_contradicts_the_arguments_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(RUNS / "dpo-log1", tmp_path / "run")
    (tmp_path / "run" / "README.md").write_text(CARD)
    told = why(tmp_path / "run", capsys)
    used = "dpo is used, since the arguments in training_args.bin are a DPOConfig"
    said = "the method would be orpo, since the model card says that it was trained with ORPO"
    assert f"  .: {said}; {used}" in told


def test_every_run_of_a_parent(capsys: pytest.CaptureFixture[str]) -> None:
    lines = why(RUNS / "dpo-seeds", capsys)
    assert [line for line in lines if line.startswith("run ")] == ["run seed-1", "run seed-2", "run seed-3"]


def test_nothing_to_account_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path), "--why"]) == 1
    assert "is empty" in capsys.readouterr().err
