"""LLaMA-Factory and ms-swift: the steps, the method and the settings that only their own files tell."""

import json
from pathlib import Path

from dpo_report.core.loader import load
from dpo_report.core.model import Source
from witnesses import MADE, one, points, read, told


def test_every_logged_value_with_its_line() -> None:
    run = one("llamafactory", "llamafactory/dpo")
    assert points(run, "loss") == {step: MADE.loss(step) for step in range(2, 21, 2)}
    assert points(run, "loss", "eval") == {10: MADE.held_out(10), 20: MADE.held_out(20)}
    assert points(run, "learning_rate") == {step: MADE.rate(step) for step in range(2, 21, 2)}
    assert points(run, "rewards/accuracies") == {step: step / 20 for step in range(2, 21, 2)}
    series = next(series for series in run.series if series.name == "loss")
    assert series.source_at(9) == Source("trainer_log.jsonl", "line 11, key loss")
    assert (run.global_step, run.max_steps, run.epoch, run.status) == (20, 20, 2.0, "completed")
    assert run.problems == ()


def test_the_yaml_beside_the_log_tells_method_beta_and_model() -> None:
    run = one("llamafactory", "llamafactory/dpo")
    assert (run.method, run.method_why) == ("dpo", "the configuration says stage: dpo")
    values = {name: setting.value for name, setting in run.settings.items()}
    assert values["beta"] == values["pref_beta"] == 0.2
    assert values["learning_rate"] == 5e-4
    assert values["loss_type"] == "sigmoid"
    assert values["base_model"] == "tiny/gpt2"
    assert run.settings["beta"].source == Source("train_dpo.yaml", "pref_beta")


def test_the_yaml_alone_is_a_witness_of_its_run(tmp_path: Path) -> None:
    given = tmp_path / "recipe.yaml"
    given.write_text("stage: dpo\npref_loss: orpo\nfinetuning_type: full\nmodel_name_or_path: a/b\npref_beta: 0.3\n")
    run = one("llamafactory", given)
    assert (run.method, run.settings["beta"].value, run.series) == ("orpo", 0.3, ())


def test_older_logs_with_nulls_and_the_old_name_of_the_rate() -> None:
    run = one("llamafactory", "llamafactory/old")
    assert points(run, "learning_rate") == {step: MADE.rate(step) for step in (3, 6, 9)}
    assert {series.name for series in run.series} == {"loss", "learning_rate"}


def test_a_prediction_is_no_training() -> None:
    run = one("llamafactory", "llamafactory/predict")
    assert (run.series, run.method, run.global_step, run.status) == ((), None, None, "unknown")
    assert "55 of 60 batches" in told(run)


def test_a_killed_run_is_incomplete_and_its_cut_line_is_told(tmp_path: Path) -> None:
    head = '{"current_steps": 1, "total_steps": 8, "loss": 0.7}\n{"current_steps": 2, "total_steps": 8, "loss": 0.6}\n'
    (tmp_path / "trainer_log.jsonl").write_text(head + '{"current_steps": 3, "total_st')
    run = one("llamafactory", tmp_path)
    assert (run.status, run.global_step, points(run, "loss")) == ("incomplete", 2, {1: 0.7, 2: 0.6})
    assert "the last line is cut off" in told(run)


def test_a_resumed_run_goes_on_and_a_new_run_is_told_apart(tmp_path: Path) -> None:
    log = tmp_path / "trainer_log.jsonl"
    rows = [(1, 0.9), (2, 0.8), (3, 0.7), (2, 0.75), (3, 0.65), (4, 0.6)]
    log.write_text("".join(json.dumps({"current_steps": s, "total_steps": 4, "loss": v}) + "\n" for s, v in rows))
    assert points(one("llamafactory", tmp_path), "loss") == {1: 0.9, 2: 0.75, 3: 0.65, 4: 0.6}
    rows = [(1, 0.9), (2, 0.8), (1, 0.5), (2, 0.4)]
    log.write_text("".join(json.dumps({"current_steps": s, "total_steps": 2, "loss": v}) + "\n" for s, v in rows))
    first, last = read("llamafactory", tmp_path)
    assert (first.identity, points(first, "loss")) == ("part-1", {1: 0.9, 2: 0.8})
    assert (last.identity, points(last, "loss")) == ("", {1: 0.5, 2: 0.4})
    assert "starts anew once" in told(last)


def test_swift_steps_stand_in_a_fraction() -> None:
    run = one("ms_swift", "swift")
    assert points(run, "loss") == {step: MADE.loss(step) for step in (1, 2, 4, 6, 8, 10)}
    assert points(run, "loss", "eval") == {10: MADE.held_out(10)}
    assert (run.folder, run.global_step, run.max_steps, run.status) == ("v0-20260101-000000", 10, 10, "completed")
    assert run.summary["train_loss"].value == 0.4
    assert run.summary["train_loss"].source == Source("logging.jsonl", "line 8, key train_loss")
    assert run.summary["best_metric"].value == MADE.held_out(10)
    assert not any("speed" in series.name for series in run.series)


def test_swift_arguments_tell_method_and_version_and_no_secret() -> None:
    run = one("ms_swift", "swift")
    assert (run.method, run.versions) == ("dpo", {"ms-swift": "4.6.0"})
    assert run.settings["beta"].value == 0.1
    assert run.settings["hub_token"].value == "<secret, not shown>"


def test_a_yaml_bomb_beside_the_log_is_told(tmp_path: Path) -> None:
    (tmp_path / "trainer_log.jsonl").write_text('{"current_steps": 1, "total_steps": 2, "loss": 0.5}\n')
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    (tmp_path / "train.yaml").write_text("\n".join(["a0: &a0 [x, x, x]", *levels]))
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 900\n"
    (tmp_path / "training_args.yaml").write_text(pointer)
    (told,) = [problem for problem in load(tmp_path).problems if problem.where.endswith(".yaml")]
    assert told.message == "has more than 200,000 values (aliases included), not read"


def test_a_log_whose_last_line_is_not_its_furthest_step(tmp_path: Path) -> None:
    """Two trainings write into one log, or one was resumed from an earlier checkpoint and stopped again."""
    row = '{{"current_steps": {0}, "total_steps": {1}, "loss": {2}, "epoch": 1.0}}\n'
    lines = [row.format(step, total, total / step) for step in range(1, 6) for total in (5, 8)]
    lines[-1:-1] = [row.format(step, 8, 8 / step) for step in (6, 7)]
    log = tmp_path / "trainer_log.jsonl"
    log.write_text("".join([*lines, row.format(5, 5, 1.0)]))
    run = one("llamafactory", tmp_path)
    assert (run.status, run.global_step, run.max_steps) == ("unknown", 7, None)
    assert "its last line is of step 5, an earlier one of step 7" in told(run)
    log.write_text("".join(row.format(step, 9, 9 / step) for step in (1, 2, 3, 2)))
    run = one("llamafactory", tmp_path)
    assert (run.status, run.global_step, run.max_steps) == ("incomplete", 3, 9)
