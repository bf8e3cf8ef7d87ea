"""MLflow, Trackio, DVCLive, ClearML, Comet, Accelerate, Sacred, Aim: their stores are read and stay as they are."""

import json
import math
import shutil
import sqlite3
from pathlib import Path

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.loader import load
from dpo_report.core.model import Source
from dpo_report.core.outline import Outline
from witnesses import FORMATS, MADE, one, points, read, told

EVEN = range(2, 21, 2)


def test_mlflow_files() -> None:
    run = one("mlflow", "mlflow/files")
    assert points(run, "loss") == {step: MADE.loss(step) for step in EVEN}
    assert points(run, "rewards/chosen") == {step: MADE.loss(step) for step in EVEN}
    held_out = points(run, "loss", "eval")
    assert held_out[10] == MADE.held_out(10) and math.isnan(held_out[20])
    assert run.summary["train_loss"].value == 0.4
    assert (run.name, run.folder, run.global_step) == ("tiny dpo", "", 20)
    values = {name: setting.value for name, setting in run.settings.items()}
    assert values["beta"] == 0.1 and values["loss_type"] == ["sigmoid"] and values["bf16"] is False
    assert values["run_name"] is None and values["hub_token"] == "<secret, not shown>"
    assert run.settings["beta"].source.file.endswith("/params/beta")
    assert run.method == "dpo"


def test_mlflow_run_that_never_ended_has_a_summary_and_no_curve() -> None:
    run = one("mlflow", "mlflow/killed")
    assert run.series == () and run.summary["accuracy"].value == 0.75
    assert run.status == "unknown" and "never recorded that this run ended" in told(run)


def test_mlflow_database() -> None:
    first, second = read("mlflow", "mlflow/sqlite")
    assert (first.identity, second.identity) == ("one-aaaaaaaa", "two-bbbbbbbb")
    assert points(first, "loss") == {step: MADE.loss(step) for step in range(1, 11)}
    assert points(second, "loss") == {step: MADE.loss(step) + 1 for step in range(1, 11)}
    held_out = points(first, "loss", "eval")
    assert math.isnan(held_out[5]) and held_out[10] == math.inf
    assert first.settings["layers"].value == [1, 2]
    assert first.settings["lr"].source == Source("mlflow.db", "table params, run aaaaaaaa, key lr")
    series = first.series[0]
    assert series.source_at(2) == Source("mlflow.db", "table metrics, run aaaaaaaa, key train/loss, step 3")
    assert second.status == "incomplete"
    assert "run gone was deleted" in told(first) and "run gone" not in told(second)


def test_trackio() -> None:
    run = one("trackio", "trackio/trackio")
    assert points(run, "loss") == {step: MADE.loss(step) for step in EVEN}
    assert math.isnan(points(run, "loss", "eval")[20])
    assert run.summary["train_loss"].value == 0.4
    assert run.settings["id2label.0"].value == "A" and "_Username" not in run.settings
    assert run.versions == {"transformers": "5.23.0"}
    assert "1 rows of the table metrics hold no metrics" in told(run)
    series = next(series for series in run.series if series.name == "loss")
    assert series.source_at(0) == Source("tiny dpo.db", "table metrics, id 1, key train/loss")


def test_trackio_databases_of_older_versions_hold_runs_by_name() -> None:
    assert [run.identity for run in read("trackio", "trackio/old")] == ["first", "second"]
    for run in read("trackio", "trackio/old"):
        assert points(run, "loss") == {step: MADE.loss(step) for step in range(3)}


def test_dvclive_counts_of_calls() -> None:
    run = one("dvclive", "dvclive/raw")
    assert points(run, "loss") == {step: MADE.loss(step) for step in range(10)}
    assert points(run, "accuracy", "eval") == {9: 0.9}
    assert run.settings["lr"].value == 0.0003
    assert run.global_step == 10 and "counts steps from 0" in told(run)


def test_dvclive_of_the_callback_gives_optimizer_steps() -> None:
    run = one("dvclive", "dvclive/hf")
    assert points(run, "loss") == {step: MADE.loss(step) for step in (2, 4, 6, 8)}
    assert points(run, "loss", "eval") == {step: MADE.held_out(step) for step in (4, 8)}
    assert run.summary["train_loss"].value == 0.4
    assert "worked out from the logged epoch" in told(run)


@pytest.mark.parametrize(("path", "file"), [("clearml/folder", "metrics.jsonl"), ("clearml/archive", "offline-12.zip")])
def test_clearml(path: str, file: str) -> None:
    run = one("clearml", path)
    assert points(run, "loss") == {step: MADE.loss(step) for step in EVEN if step <= 10}
    assert points(run, "loss", "eval") == {10: MADE.held_out(10)}
    assert run.summary["train_loss"].value == 0.4
    assert (run.settings["beta"].value, run.settings["optim.betas"].value) == (0.1, [0.9, 0.95])
    assert (run.folder, run.identity) == ("", "")
    assert run.series[0].source_at(0).file.endswith(file)
    assert not any("monitor" in series.name for series in run.series)


def test_clearml_values_that_were_reported_once_have_no_step(tmp_path: Path) -> None:
    folder = tmp_path / "offline-1"
    folder.mkdir()
    arguments = {"num_train_epochs": 2, "max_steps": -1, "per_device_train_batch_size": 4, "optim": "ADAMW_TORCH"}
    section = {name: {"name": name, "value": str(value)} for name, value in arguments.items()}
    (folder / "task.json").write_text(json.dumps({"hyperparams": {"Transformers": section}, "execution": {}}))

    def write(epoch: float) -> None:
        events = [(step, "train", "loss", 1 / step) for step in (2, 4)]
        closing = {"epoch": epoch, "train_loss": 0.4, "train_runtime": 1.5}
        events += [(-(1 << 31), "Summary", name, value) for name, value in closing.items()]
        keys = ("type", "iter", "metric", "variant", "value")
        rows = [dict(zip(keys, ("training_stats_scalar", *event), strict=True)) for event in events]
        (folder / "metrics.jsonl").write_text(json.dumps(rows))

    write(2.0)
    run = one("clearml", tmp_path)
    assert [(series.name, series.steps.tolist()) for series in run.series] == [("loss", [2.0, 4.0])]
    assert (run.status, run.epoch, run.summary["train_loss"].value) == ("completed", 2.0, 0.4)
    assert run.summary["epoch"].source.where == "line 1, Summary/epoch"
    assert run.settings["optim"].value == "adamw_torch"  # ClearML writes the name of an enumeration's member
    write(1.5)
    assert one("clearml", tmp_path).status == "incomplete"
    write(1.7)  # of 4 updates: the batches of a fifth are too few to make one
    assert one("clearml", tmp_path).status == "completed"


def test_comet() -> None:
    run = one("comet", "comet")
    assert points(run, "loss") == {step: MADE.loss(step) for step in range(1, 11)}
    assert run.versions == {"torch": "2.13.0", "trl": "1.16.0"}
    assert (run.settings["lr"].value, run.settings["betas"].value) == (5e-4, [0.9, 0.95])
    assert run.series[0].source_at(0) == Source("comet/ab12.zip", "messages.json line 5, train/loss")


def test_accelerate_settings_belong_to_the_project() -> None:
    run = one("accelerate", "accelerate")
    assert (run.folder, run.settings["beta"].value) == ("tiny", 0.1)


def test_aim_says_how_to_export() -> None:
    run = one("aim", "aim")
    assert run.series == () and "query_metrics" in told(run)


def test_reading_a_database_leaves_nothing_behind(tmp_path: Path) -> None:
    shutil.copytree(FORMATS / "mlflow/sqlite", tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert len(read("mlflow", tmp_path)) == 2
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_what_waits_in_a_write_ahead_log_is_read_and_stays_there(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    shutil.copy(FORMATS / "mlflow/sqlite/mlflow.db", file)
    writer = sqlite3.connect(file)
    writer.execute("pragma journal_mode = wal")
    writer.execute("pragma wal_autocheckpoint = 0")
    writer.execute("insert into metrics values ('train/loss', 0.125, 11, ?, 11, 0)", ("a" * 32,))
    writer.commit()
    waiting = tmp_path / "mlflow.db-wal"
    assert waiting.stat().st_size > 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.endswith("-shm")}
    run = read("mlflow", tmp_path)[0]
    assert points(run, "loss")[11] == 0.125
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.endswith("-shm")} == before
    writer.close()


def test_a_locked_database_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    shutil.copy(FORMATS / "mlflow/sqlite/mlflow.db", file)
    writer = sqlite3.connect(file)
    writer.execute("begin exclusive")
    assert len(read("mlflow", tmp_path)) == 2
    writer.close()


def test_a_tracker_does_not_say_what_its_steps_count() -> None:
    run = load(FORMATS / "mlflow" / "sqlite" / "one-aaaaaaaa")
    values = analyse(run).values
    assert run.global_step == 10 and "steps.done" not in values
    assert (values["steps.logged"].value, values["steps.logged"].label) == (10, "last logged step")
    assert Outline(analyse(run)).subtitle.endswith("logged up to step 10")
    few = next(finding for finding in analyse(run).findings if finding.code == "G8")
    assert str(few.text) == "The log ends at step 10; trends rest on few points."
    count = next(finding for finding in analyse(run).findings if finding.code == "B2")
    assert str(count.text) == "The log goes up to step 10; what a step counts is not told."
    told = load(FORMATS / "trackio" / "trackio")
    assert "steps.logged" not in analyse(told).values and "steps.done" in analyse(told).values


@pytest.mark.parametrize("name", ["mlflow.db", "tracking.db"])
def test_a_database_of_mlflow_that_is_cut_or_overwritten_is_told(name: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / name) as made:
        made.execute("create table tags (value)")
        made.executemany("insert into tags values (?)", [("x" * 900,) for _ in range(200)])
        made.execute("CREATE TABLE metrics (key, value, timestamp, run_uuid, step, is_nan)")
        made.execute("create table runs (run_uuid, name, status, lifecycle_stage)")
        made.execute("insert into runs values ('abc', 'one', 'FINISHED', 'active')")
    made.close()
    whole = (tmp_path / name).read_bytes()
    for data in (whole[: len(whole) // 2], b"\0" * 100 + whole[100:]):
        (tmp_path / name).write_bytes(data)
        if data[:1] == b"S" or name == "mlflow.db":
            (found,) = load(tmp_path).problems
            assert found.where == name
            assert found.message.startswith(("is damaged or no whole database", "is no SQLite database"))
            assert "copy it again" in found.hint
    (tmp_path / name).write_bytes(b"\0" * 16 + whole[16:])
    assert [found.message for found in load(tmp_path).problems] == ["is no SQLite database"]


def test_runs_that_were_deleted_in_mlflow_are_no_damage(tmp_path: Path) -> None:
    shutil.copy(FORMATS / "mlflow/sqlite/mlflow.db", tmp_path)
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        database.execute("update runs set lifecycle_stage = 'deleted'")
    database.close()
    assert read("mlflow", tmp_path) == []


def test_a_link_to_what_a_tracker_tells_of_itself_is_no_problem(tmp_path: Path) -> None:
    """W&B links each offline run to its own log in the user's cache."""
    shutil.copytree(FORMATS / "mlflow/killed", tmp_path / "run")
    before = load(tmp_path / "run").problems
    (tmp_path / "elsewhere").write_text("step 1 loss 9\n")
    (tmp_path / "run" / "logs").mkdir()
    (tmp_path / "run" / "logs" / "debug-core.log").symlink_to(tmp_path / "elsewhere")
    assert load(tmp_path / "run").problems == before
    (tmp_path / "run" / "logs" / "train.log").symlink_to(tmp_path / "elsewhere")
    assert [one.where for one in load(tmp_path / "run").problems if one not in before] == ["logs/train.log"]
