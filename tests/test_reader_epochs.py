"""Lightning, sentence-transformers, Keras, stable-baselines3 and what else logs by epoch, round or evaluation."""

import json
from pathlib import Path

import pytest

from dpo_report.core.model import Source
from dpo_report.plugins.readers.keys import mapping
from witnesses import MADE, one, points, read, told


def test_lightning_versions_are_runs_of_their_own() -> None:
    first, second, bare = read("lightning", "lightning")
    assert [run.folder for run in (first, second, bare)] == [f"csv/version_{n}" for n in range(3)]
    assert points(first, "loss") == {step: MADE.loss(step) for step in (3, 7, 11, 15)}
    assert points(first, "loss_epoch") == {7: MADE.loss(0), 15: MADE.loss(1)}
    assert points(first, "loss", "eval") == {7: MADE.held_out(7), 15: MADE.held_out(15)}
    assert points(first, "loss", "test") == {16: MADE.held_out(16)}
    assert points(first, "learning_rate") == {0: 0.01}
    assert first.global_step == 16 and "counts steps from 0" in told(first)
    assert second.settings["hidden"].value == 64
    assert (bare.status, bare.settings["hidden"].value) == ("no-metrics", 128)


@pytest.mark.parametrize(
    ("rows", "epochs"),
    [
        ("0,3,0.5,,\n0,7,0.4,,\n0,7,,,0.45\n1,11,0.3,,\n1,15,0.2,,\n1,15,,,0.25\n", 2.0),
        ("0,3,0.5,,\n0,7,0.4,,\n0,7,,,0.45\n1,9,0.3,,\n", 1.25),
        ("0,3,0.5,,\n0,7,0.4,0.6,\n1,11,0.3,,\n1,15,0.2,0.5,\n", 2.0),
        ("0,3,0.5,0.7,\n0,7,0.4,0.6,\n1,11,0.3,0.5,\n", 1.5),
        ("0,3,0.5,,\n0,7,0.4,,\n", None),
        ("0,3,0.5,,\n0,7,0.4,,\n1,8,,0.9,\n", 1.0),
    ],
    ids=[
        "whole",
        "a quarter more",
        "by evaluation",
        "two evaluations each",
        "killed in the first",
        "tested afterwards",
    ],
)
def test_lightning_epochs_are_those_that_ended(rows: str, epochs: float | None, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,step,train_loss_step,val_loss,train_loss_epoch\n" + rows)
    assert one("lightning", tmp_path).epoch == epochs


def test_lightning_settings_are_read_and_no_object_is_built() -> None:
    settings = read("lightning", "lightning")[0].settings
    assert {name: setting.value for name, setting in settings.items()} == {
        "hidden": 32,
        "lr": 0.01,
        "activation": "torch.nn.functional.relu",
        "loss.reduction": "mean",
        "sizes": [1, 2],
        "danger": ["echo never run"],
    }


def test_lightning_table_saved_by_a_european_spreadsheet(tmp_path: Path) -> None:
    rows = "epoch;lr-Adam;step;train_loss_step;val_loss\n;0,0001;0;;\n0;;9;1926,5;0,25\n"
    (tmp_path / "metrics.csv").write_text(rows)
    run = one("lightning", tmp_path)
    assert points(run, "loss") == {9: 1926.5}
    assert points(run, "learning_rate") == {0: 0.0001}


def test_sentence_transformers_steps_and_final_evaluation() -> None:
    new, old = read("sentence_transformers", "sentence")
    assert points(new, "cosine_spearman", "eval:dev") == {step: MADE.loss(step) for step in (4, 8, 12, 16)}
    datum = new.summary["eval_dev_cosine_spearman"]
    assert datum.value == 0.9 and datum.source.where == "line 6, column cosine_spearman"
    assert new.folder == "new"
    assert points(old, "cosine_spearman", "eval:sts") == {epoch: MADE.loss(epoch) for epoch in (0, 1)}
    assert "older version" in told(old)


def test_keras_table_and_history_are_one_run() -> None:
    run = one("keras", "keras")
    assert points(run, "loss") == {epoch: MADE.loss(epoch) for epoch in range(5)}
    assert points(run, "loss", "eval") == {epoch: MADE.held_out(epoch) for epoch in range(5)}
    assert set(run.files) == {"history.json", "training.log"}
    assert (run.global_step, run.epoch) == (None, 5.0) and "counts from 0" in told(run)


def test_fastai_fits_in_one_table_are_told_apart() -> None:
    first, last = read("fastai", "fastai")
    assert (first.identity, last.identity) == ("part-1", "")
    assert points(first, "loss") == {epoch: MADE.loss(epoch) for epoch in range(3)}
    assert points(last, "loss", "eval") == {epoch: MADE.held_out(epoch + 3) for epoch in range(4)}
    assert points(last, "accuracy", "eval") == dict.fromkeys(range(4), 0.6)


def test_ultralytics() -> None:
    run = one("ultralytics", "ultralytics")
    assert points(run, "box_loss") == {epoch: MADE.loss(epoch) for epoch in (1, 2, 3)}
    assert points(run, "mAP50(B)", "eval") == {1: 0.1, 2: 0.2, 3: 0.3}
    assert (run.status, run.settings["lr0"].value) == ("completed", 0.01)


def test_ultralytics_that_ended_early(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("epoch,train/box_loss,metrics/mAP50(B)\n1,0.5,0.1\n2,0.4,0.2\n")
    (tmp_path / "args.yaml").write_text("epochs: 100\n")
    run = one("ultralytics", tmp_path)
    assert (run.status, run.epoch) == ("unknown", 2.0) and "2 of 100 epochs" in told(run)
    assert run.series[-1].source_at(1) == Source("results.csv", "line 3, column metrics/mAP50(B)")
    (tmp_path / "args.yaml").write_text("epochs: 100\npatience: 1\n")
    assert one("ultralytics", tmp_path).status == "unknown"
    (tmp_path / "args.yaml").write_text("epochs: 100\npatience: 50\n")
    run = one("ultralytics", tmp_path)  # patience was not used up
    assert run.status == "incomplete" and "2 of 100 epochs: interrupted" in told(run)


def test_ultralytics_event_file_tells_of_the_same_evaluations() -> None:
    keys = mapping(["metrics/mAP50-95(B)", "metrics/accuracy_top1", "metrics/accuracy", "train/box_loss"])
    assert {key: (known.name, known.split) for key, known in keys.items()} == {
        "metrics/mAP50-95(B)": ("mAP50-95(B)", "eval"),
        "metrics/accuracy_top1": ("accuracy_top1", "eval"),
        "metrics/accuracy": ("metrics/accuracy", "train"),
        "train/box_loss": ("box_loss", "train"),
    }


def test_stable_baselines() -> None:
    progress, monitor = read("stable_baselines3", "stable_baselines")
    assert points(progress, "loss") == {256 * n: MADE.loss(n) for n in range(2, 6)}
    assert points(progress, "rollout/ep_rew_mean") == {256 * n: 10.0 * n for n in range(1, 6)}
    assert (progress.trainer, progress.files) == ("stable_baselines3.PPO", ("progress.csv", "progress.json"))
    assert progress.global_step is None and "environment steps" in told(progress)
    assert points(monitor, "episode/reward") == {15: 15.0, 55: 40.0}


def test_allennlp() -> None:
    run = one("allennlp", "allennlp")
    assert points(run, "loss") == {epoch: MADE.loss(epoch) for epoch in range(3)}
    assert points(run, "loss", "eval") == {epoch: MADE.held_out(epoch) for epoch in range(3)}
    assert (run.status, run.summary["test_f1"].value) == ("completed", 0.7)
    assert run.settings["trainer.optimizer.lr"].value == 0.001
    assert run.series[0].source_at(1) == Source("metrics_epoch_1.json", "training_loss")


@pytest.mark.parametrize(("first", "epochs"), [(0, 3.0), (1, 3.0), (7, None)])
def test_epochs_are_counted_where_the_first_is_there(first: int, epochs: float | None, tmp_path: Path) -> None:
    rows = "".join(f"{epoch},0.5,0.6\n" for epoch in range(first, first + 3))
    (tmp_path / "history.csv").write_text("epoch,train_loss,valid_loss\n" + rows)
    run = one("fastai", tmp_path)
    assert (run.epoch, run.global_step) == (epochs, None)


def test_boosting_rounds_are_no_optimizer_steps() -> None:
    assert [run.global_step for run in read("boosting", "boosting")] == [None] * len(read("boosting", "boosting"))


def test_spacy() -> None:
    run = one("spacy", "spacy")
    assert points(run, "losses/textcat") == {0: MADE.loss(0), 10: MADE.loss(10)}
    assert points(run, "score", "eval") == {0: 0.9, 10: 0.9}
    assert run.versions == {"spacy": "3.8.18"}
    assert (run.settings["training.dropout"].value, run.settings["training.logger"].value) == (0.1, "spacy.JSON")
    assert "sums" in told(run)
    assert (run.global_step, run.epoch) == (11, None)  # the epoch of a row is the one that it was in


def test_detectron() -> None:
    run = one("detectron2", "detectron2")
    assert points(run, "loss") == {19: MADE.loss(19), 39: MADE.loss(39)}
    assert points(run, "bbox/AP", "eval") == {39: 31.5}


def test_a_strangers_table_with_columns_as_of_simpletransformers(tmp_path: Path) -> None:
    rows = ["global_step,train_loss,val_loss,lr", "10,2.0,2.5,0.1", "20,1.5,1.75,0.05", "30,1.0,1.25,0.0"]
    (tmp_path / "log.csv").write_text("\n".join(rows) + "\n")
    assert read("simpletransformers", tmp_path) == []
    run = one("general", tmp_path)
    assert points(run, "loss", "eval") == {10: 2.5, 20: 1.75, 30: 1.25}
    assert points(run, "learning_rate") == {10: 0.1, 20: 0.05, 30: 0.0}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_strangers_json_in_any_encoding_with_a_mark(encoding: str, tmp_path: Path) -> None:
    rows = [{"step": step, "loss": 1 / step} for step in range(1, 5)]
    whole, lines = tmp_path / "whole", tmp_path / "lines"
    for folder, name, text in (
        (whole, "hist.json", json.dumps(rows)),
        (lines, "h.jsonl", "\n".join(map(json.dumps, rows))),
    ):
        folder.mkdir()
        (folder / name).write_bytes(text.encode(encoding))
        assert points(one("general", folder), "loss") == {step: 1 / step for step in range(1, 5)}
