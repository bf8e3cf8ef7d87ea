"""Files that the programs themselves wrote, each of a tiny model; tests/formats/README.md says of which release.

The expected numbers are those of the files, read by eye.
"""

import shutil
from pathlib import Path

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.loader import load, load_all
from dpo_report.core.model import Source
from dpo_report.plugins.readers import torchtune
from witnesses import FORMATS, one, points, read, told


def test_torchtune_dpo() -> None:
    run = one("torchtune", "torchtune")
    loss = points(run, "loss")
    assert (len(loss), loss[1], loss[4], loss[12]) == (12, 0.6931471824645996, 0.6488925814628601, 0.6889109015464783)
    assert points(run, "rewards/margins")[6] == 0.16146212816238403
    assert points(run, "logps/chosen")[1] == -33.5665283203125
    assert (run.method, run.method_why) == ("dpo", "torchtune_config.yaml says that the loss is DPOLoss")
    assert (run.settings["beta"].value, run.settings["learning_rate"].value) == (0.1, 0.005)
    assert (run.folder, run.global_step, run.trainer) == ("", 12, "torchtune")
    assert not any("tokens_per_second" in series.name for series in run.series)


def test_torchtune_weights_are_no_runs_of_their_own() -> None:
    (run,) = load_all(FORMATS / "torchtune")
    assert (run.method, run.global_step, run.settings["lora.r"].value) == ("dpo", 12, 8)


def test_the_version_that_saved_a_base_model_trained_nothing(tmp_path: Path) -> None:
    run = load(FORMATS / "torchtune")
    assert (run.versions, run.setting("model.transformers_version")) == ({}, "5.23.0")
    (finding,) = (one for one in analyse(run).findings if one.code == "A3")
    assert "versions of torchtune and its libraries" in str(finding.text)
    (tmp_path / "config.json").write_text('{"transformers_version": "4.48.3", "n_layer": 2}')
    (tmp_path / "log.csv").write_text("step,loss\n1,0.5\n2,0.4\n3,0.3\n")
    bare = load(tmp_path)
    assert (bare.versions, bare.global_step) == ({}, 3)


def test_torchtune_trained_twice_into_one_folder(tmp_path: Path) -> None:
    shutil.copytree(FORMATS / "torchtune", tmp_path, dirs_exist_ok=True)
    (log,) = (tmp_path / "logs").iterdir()
    (tmp_path / "logs" / "log_2.txt").write_text(log.read_text().replace("loss:0.6", "loss:0.5"))
    runs = load_all(tmp_path)
    assert {run.witnesses[0].identity for run in runs} == {"log_1795453059", "log_2"}
    again = load(tmp_path / "log_2")
    assert again.method == "dpo" and again.series["loss", "train"].values[-1] == 0.5889109015464783


@pytest.mark.parametrize(("loss", "method"), [("CEWithChunkedOutputLoss", "sft"), ("ForwardKLLoss", None)])
def test_torchtune_method_is_that_of_the_loss(tmp_path: Path, loss: str, method: str | None) -> None:
    (tmp_path / "log_1.txt").write_text("Step 1 | loss:1.25 lr:2e-05 \nStep 2 | loss:1.1 lr:2e-05 \n")
    (tmp_path / "torchtune_config.yaml").write_text(f"loss:\n  _component_: torchtune.modules.loss.{loss}\n")
    assert one("torchtune", tmp_path).method == method
    assert torchtune.parse("Step 3 of 4") is None


def test_verl_file_and_console_tell_the_same() -> None:
    file, console = one("verl", "verl"), one("verl_console", "verl")
    for run in (file, console):
        assert points(run, "actor/pg_loss") == {1: 0.01, 2: 0.02, 3: 0.03, 4: 0.04}
        assert points(run, "sums/reward/mean@1", "eval") == {0: 0.0712, 4: 0.4}
        assert points(run, "num_turns/min", "eval") == {0: 2.0}
        assert points(run, "global_seqlen/min") == {1: 701, 2: 702, 3: 703, 4: 704}
        assert points(run, "learning_rate") == dict.fromkeys((1, 2, 3, 4), 1e-6)
        assert points(run, "reward") == pytest.approx({1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4})
        assert run.global_step == 4 and not any("timing" in one.name or "perf" in one.name for one in run.series)
    assert list(points(file, "grad_norm")) == [1, 2, 4]  # orjson writes NaN as null
    assert console.method == "grpo" and "adv_estimator: grpo" in console.method_why
    assert next(s for s in file.series if s.name == "learning_rate").source_at(0).where == "line 2, data.actor/lr"


def test_verl_units_and_critics(tmp_path: Path) -> None:
    line = "(main_task pid=7) step:{} - critic/vf_loss:14.947 - actor/lr(1e-4):0.010 - actor/grad_norm:1.992\n"
    (tmp_path / "verl.log").write_text(line.format(1) + line.format(2))
    run = one("verl_console", tmp_path)
    assert points(run, "learning_rate") == {1: pytest.approx(1e-6), 2: pytest.approx(1e-6)}
    assert run.method == "ppo"


def test_openrlhf_bars_count_batches_and_evaluations_updates() -> None:
    run = one("openrlhf", "openrlhf")
    loss = points(run, "loss")
    assert (list(loss), loss[1], loss[12]) == (list(range(1, 13)), 0.693, 0.634)
    assert points(run, "loss", "eval") == {3: 0.67, 6: 0.654, 9: 0.644, 12: 0.64}
    assert points(run, "rewards/accuracies", "eval") == dict.fromkeys((3, 6, 9, 12), 1.0)
    assert points(run, "rewards/chosen")[12] == 0.0538
    assert (run.method, run.global_step) == ("dpo", 12)


def test_openrlhf_that_was_killed_has_no_batch_that_never_was(tmp_path: Path) -> None:
    drawn = (FORMATS / "openrlhf" / "train.log").read_bytes().split(b"\r")
    third = next(number for number, part in enumerate(drawn) if b" 3/12 [" in part)
    (tmp_path / "train.log").write_bytes(b"\r".join(drawn[: third + 1]))
    run = one("openrlhf", tmp_path)
    assert list(points(run, "loss")) == [1, 2, 3]
    assert run.global_step is None and "does not tell" in told(run)


def test_openrlhf_global_steps(tmp_path: Path) -> None:
    row = "INFO 01-01 ppo_trainer.py:551] \u2728 Global step {}: {{'policy_loss': 0.{}, 'timing/generation': 2.9}}\n"
    scores = "INFO x] \u2728 Evaluation completed in 0:00:10, global_step 2, eval_metrics: {'eval_gsm8k_pass1': 0.25}\n"
    (tmp_path / "train.out").write_text(row.format(1, 5) + row.format(2, 4) + scores, encoding="utf-8")
    run = one("openrlhf", tmp_path)
    assert points(run, "policy_loss") == {1: 0.5, 2: 0.4} and run.global_step == 2
    assert points(run, "eval_gsm8k_pass1", "eval") == {2: 0.25}
    assert len(run.series) == 2


def test_paddle_console() -> None:
    run = one("paddle", "paddle")
    loss = points(run, "loss")
    assert list(loss) == list(range(2, 25, 2)) and (loss[18], loss[24]) == (0.50479031, 0.56798708)
    assert points(run, "loss", "eval") == {8: 0.742378830909729, 16: 0.6422898173332214, 24: 0.6109961271286011}
    assert points(run, "accuracy", "eval")[24] == 0.71875
    assert (run.global_step, run.epoch, run.status) == (24, 3.0, "completed")
    assert run.summary["train_loss"].value == 0.7021207412083944


def test_flair_table_and_log() -> None:
    run = one("flair", "flair")
    loss = points(run, "loss")
    assert (len(loss), loss[1], loss[6]) == (6, 0.9167, 0.1444)
    assert points(run, "loss", "eval")[6] == 0.6376 and points(run, "f1", "test")[6] == 0.65
    assert (run.settings["learning_rate"].value, run.settings["max_epochs"].value) == (0.1, 6)
    assert (run.status, run.summary["test_f_score_macro"].value) == ("completed", 0.6354)
    assert run.summary["test_accuracy"].source.file == "training.log"


def test_flair_rows_of_old_releases_have_a_cell_too_many(tmp_path: Path) -> None:
    header = ["EPOCH", "TIMESTAMP", "BAD_EPOCHS", "LEARNING_RATE", "TRAIN_LOSS", "TRAIN_F-SCORE"]
    header += ["DEV_LOSS", "DEV_F-SCORE", "TEST_F-SCORE"]
    rows = ["0 12:00:00 0 0.0001 0.5  _ 0.4 0.7 0.6", "1 12:01:00 0 0.0000 0.3  _ 0.2 0.8 0.7"]
    table = "\n".join("\t".join(row) for row in (header, *(row.split(" ") for row in rows)))
    (tmp_path / "loss.tsv").write_text(table + "\n")
    run = one("flair", tmp_path)
    assert points(run, "loss", "eval") == {0: 0.4, 1: 0.2}
    assert points(run, "f-score", "test") == {0: 0.6, 1: 0.7}
    assert not any(series.name == "learning_rate" for series in run.series)  # four decimals tell nothing of 5e-5


def test_simpletransformers() -> None:
    run = one("simpletransformers", "simpletransformers")
    assert points(run, "loss")[60] == 0.6389100551605225
    assert (
        points(run, "auroc", "eval")[60] == 0.9910714285714286 and points(run, "loss", "eval")[60] == 0.7039875388145447
    )
    assert (run.global_step, run.max_steps, run.status) == (60, 60, "completed")
    assert run.settings["learning_rate"].value == 0.001
    auroc = next(series for series in run.series if series.name == "auroc")
    assert auroc.source_at(0) == Source("training_progress_scores.csv", "line 2, column auroc")


def test_simpletransformers_without_its_last_epoch_may_have_been_killed(tmp_path: Path) -> None:
    shutil.copytree(FORMATS / "simpletransformers", tmp_path, dirs_exist_ok=True)
    (tmp_path / "checkpoint-60-epoch-3").rename(tmp_path / "checkpoint-60")
    assert one("simpletransformers", tmp_path).status == "unknown"


def test_skorch_scores_without_a_set_are_of_the_validation_data() -> None:
    run = one("skorch", "skorch")
    assert points(run, "loss")[1] == 0.6814723253250122 and points(run, "loss", "eval")[1] == 0.6651114106178284
    assert points(run, "roc_auc", "eval")[1] == 0.760475297060663
    assert points(run, "learning_rate") == pytest.approx({1: 0.1, 2: 0.1, 3: 0.01, 4: 0.01, 5: 0.001})
    assert run.series[0].source_at(1) == Source("history.json", "[1].train_loss")
    assert {series.name for series in run.series} == {"loss", "accuracy", "roc_auc", "learning_rate"}


def test_lightgbm_rounds() -> None:
    run = one("boosting", "boosting")
    assert points(run, "binary_logloss")[1] == pytest.approx(0.628765, abs=1e-6)
    assert points(run, "auc", "eval")[12] == pytest.approx(0.95283, abs=1e-6)
    assert run.settings["num_leaves"].value == 7
    assert run.series[0].source_at(2) == Source("evals_result.json", "training.binary_logloss[2]")


def test_sacred_runs_that_ended_in_three_ways() -> None:
    done, failed, stopped = sorted(read("sacred", "sacred"), key=lambda run: run.folder)
    assert [run.status for run in (done, failed, stopped)] == ["completed", "incomplete", "incomplete"]
    assert points(done, "loss")[0] == pytest.approx(0.693147, abs=1e-6) and len(points(done, "loss")) == 12
    assert list(points(done, "accuracy", "eval")) == [3, 7, 11]
    assert done.versions == {"numpy": "2.4.6", "sacred": "0.8.7"} and done.summary["result"].value == 0.5
    assert done.settings["model.hidden"].value == 8
    assert "FAILED (RuntimeError: boom)" in told(failed) and "INTERRUPTED" in told(stopped)
    assert failed.global_step == 6


def test_sacred_without_metrics(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"artifacts": [], "experiment": {}, "status": "FAILED", "fail_trace": null}')
    assert "FAILED, and logged no metrics" in told(one("sacred", tmp_path))


def test_aim_exports_are_read_by_metric_and_context() -> None:
    first, second = read("aim", "aim-export")
    assert points(first, "loss") == pytest.approx({step: 1 / (step + 1) for step in range(5)})
    assert points(first, "loss", "eval") == pytest.approx({step: 1.5 / (step + 1) for step in (0, 2, 4)})
    assert (first.settings["batch"].value, second.settings["lr"].value) == (8, 0.1)
    assert first.series[0].source_at(0).where == "line 5, loss {subset=train}"
    assert not any("__system__" in series.name for series in first.series)


def test_an_aim_store_is_silent_beside_its_export(tmp_path: Path) -> None:
    shutil.copytree(FORMATS / "aim", tmp_path, dirs_exist_ok=True)
    table = next((FORMATS / "aim-export").iterdir())
    shutil.copy(table, tmp_path)
    run = load(tmp_path)
    assert "cannot be read" not in "".join(problem.message for problem in run.problems)
    assert run.global_step == 4


def test_detectron2_evaluations_of_every_kind(tmp_path: Path) -> None:
    rows = (
        '{"data_time": 0.003, "iteration": 19, "loss_cls": 1.5, "lr": 2e-05, "total_loss": 2.5}',
        '{"data_time": 0.003, "iteration": 39, "loss_cls": 1.2, "lr": 4e-05, "sem_seg/mIoU": 41.5, "total_loss": 2.0}',
        '{"bbox/AP-person": 31.5, "iteration": 40, "other_val/panoptic_seg/PQ_th": 22.5}',
    )
    (tmp_path / "metrics.json").write_text("\n".join(rows) + "\n")
    run = one("detectron2", tmp_path)
    assert points(run, "sem_seg/mIoU", "eval") == {39: 41.5}
    assert points(run, "bbox/AP-person", "eval") == {40: 31.5}
    assert points(run, "other_val/panoptic_seg/PQ_th", "eval") == {40: 22.5}
    assert points(run, "loss_cls") == {19: 1.5, 39: 1.2} and run.global_step == 40


def test_ludwig_counts_updates() -> None:
    run = one("ludwig", "ludwig")
    assert points(run, "loss") == {
        9: 0.9005349278450012,
        18: 0.8332831263542175,
        27: 0.754857063293457,
        36: 0.691537082195282,
    }
    assert points(run, "label/accuracy", "test")[36] == 0.7749999761581421
    assert (run.global_step, run.epoch, run.versions["ludwig"]) == (36, 4, "0.11.0")
    assert run.settings["learning_rate"].source.where == "config.trainer.learning_rate"
    assert run.settings["learning_rate"].value == 0.01 and run.settings["num_train_epochs"].value == 4


@pytest.mark.parametrize(("every", "steps"), [("step", (50, 100)), ("epoch", (1, 2))])
def test_ludwig_statistics_alone(tmp_path: Path, every: str, steps: tuple[int, int]) -> None:
    frequency = f'{{"frequency": 50, "period": "{every}"}}'
    loss = '{"combined": {"loss": [0.5, 0.4]}}'
    text = f'{{"evaluation_frequency": {frequency}, "training": {loss}}}'
    (tmp_path / "training_statistics.json").write_text(text)
    run = one("ludwig", tmp_path)
    assert points(run, "loss") == dict(zip(steps, (0.5, 0.4), strict=True))
    assert run.global_step == (100 if every == "step" else None)


@pytest.mark.parametrize(("sets", "train"), [(("validation_0",), 0), (("validation_0", "validation_1"), 1)])
def test_xgboost_first_of_several_sets_is_the_training_data(tmp_path: Path, sets: tuple[str, ...], train: int) -> None:
    body = ", ".join(f'"{name}": {{"logloss": [0.6, 0.5]}}' for name in sets)
    (tmp_path / "evals_result.json").write_text(f"{{{body}}}")
    run = one("boosting", tmp_path)
    assert [series.split for series in run.series].count("train") == train
    assert points(run, "logloss", "eval") == {1: 0.6, 2: 0.5}
    assert ("by custom" in told(run)) == bool(train)


@pytest.mark.parametrize("form", ["json", "simple", "file"])
def test_fairseq_in_its_formats(form: str) -> None:
    run = one("fairseq", f"fairseq/{form}")
    loss = {4: 4.626, 8: 4.302, 12: 3.815, 16: 3.739, 20: 3.688, 24: 3.592}
    assert points(run, "loss") == loss
    assert points(run, "epoch_loss") == {9: 4.444, 18: 3.751, 27: 3.625}
    assert points(run, "loss", "eval") == {9: 3.822, 18: 3.63, 27: 3.566}
    assert points(run, "perplexity", "eval")[27] == 10.86 and points(run, "grad_norm")[24] == 0.486
    assert points(run, "epoch")[18] == 2
    assert (run.global_step, run.epoch, run.status) == (27, 3.0, "completed")


def test_fairseq_configuration() -> None:
    run = one("fairseq", "fairseq/json")
    told_ = {name: run.settings[name].value for name in ("learning_rate", "max_epoch", "seed", "criterion", "lr")}
    assert told_ == {
        "learning_rate": 0.005,
        "max_epoch": 3,
        "seed": 1,
        "criterion": "label_smoothed_cross_entropy",
        "lr": [0.005],
    }


def test_fairseq_validates_on_several_sets(tmp_path: Path) -> None:
    stamp = "2026-01-01 00:00:00 | INFO |"
    rows = [
        f"{stamp} valid | epoch 001 | valid on 'valid' subset | loss 3.5 | num_updates 9",
        f"{stamp} valid1 | epoch 001 | valid on 'valid1' subset | loss 4.5 | num_updates 9",
        f"{stamp} train | epoch 001 | loss 5.5 | gnorm 1.5 | num_updates 9",
    ]
    (tmp_path / "train.log").write_text("\n".join(rows) + "\n")
    run = one("fairseq", tmp_path)
    assert points(run, "loss", "eval") == {9: 3.5} and points(run, "valid1_loss", "eval") == {9: 4.5}
    assert points(run, "loss") == {9: 5.5} and points(run, "grad_norm") == {9: 1.5}


def test_lightgbm_console_tells_what_its_evals_tell() -> None:
    dumped, console = one("boosting", "boosting"), one("boosting_console", "boosting-console")
    for name, split in (("binary_logloss", "train"), ("auc", "train"), ("binary_logloss", "eval"), ("auc", "eval")):
        assert points(console, name, split) == pytest.approx(points(dumped, name, split), rel=1e-5)
    assert console.global_step is None


def test_xgboost_console_counts_from_nought(tmp_path: Path) -> None:
    rows = "[0]\ttrain-logloss:0.48000\teval-logloss:0.50000\n[1]\ttrain-logloss:0.40\teval-logloss:0.45+0.01\n"
    (tmp_path / "xgb.log").write_text("[16:00:01] WARNING: ../src/learner.cc:767:\n" + rows)
    run = one("boosting_console", tmp_path)
    assert points(run, "logloss") == {1: 0.48, 2: 0.4} and points(run, "logloss", "eval") == {1: 0.5, 2: 0.45}


def test_other_bracketed_numbers_are_no_boosting_rounds(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text("[0] gpu-node:29500 up\n[1] gpu-node:29501 up\n[2] gpu-node:29502 up\n")
    assert read("boosting_console", tmp_path) == []
