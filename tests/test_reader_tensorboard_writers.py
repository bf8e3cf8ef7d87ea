"""Event files as scripts write them without a trainer: by episodes, by epochs and by steps, curves drawn together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from binary import event_file, scalar
from dpo_report.core.folder import Folder
from dpo_report.core.model import Witness
from dpo_report.plugins.readers.tensorboard.witness import READER
from witnesses import points, told


def read(path: Path) -> list[Witness]:
    return list(READER.read(Folder.open(path)))


def write(file: Path, events: Iterable[bytes]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(event_file(events))


def steps(*numbers: int, tag: str = "train/loss") -> list[bytes]:
    return [scalar(tag, number, float(number)) for number in numbers]


def test_a_log_by_episodes_that_begins_late_is_not_called_resumed(tmp_path: Path) -> None:
    write(tmp_path / "events.out.tfevents.100.host.7.0", steps(32, 66, 84, 100, 117, 150, 166))
    (run,) = read(tmp_path)
    assert "resumed" not in told(run)


def test_two_logs_by_episodes_in_one_folder_are_two_runs(tmp_path: Path) -> None:
    write(tmp_path / "events.out.tfevents.100.host.7.0", steps(32, 66, 84, 100, 117, 150, 166))
    write(tmp_path / "events.out.tfevents.200.host.8.0", steps(29, 61, 80, 101, 130, 149))
    assert [len(points(run, "loss")) for run in read(tmp_path)] == [7, 6]


def test_evaluations_that_count_epochs_stand_at_the_step_that_was_logged_before_them(tmp_path: Path) -> None:
    events: list[bytes] = []
    for epoch in range(3):
        events += [*steps(*range(epoch * 20, epoch * 20 + 20)), scalar("val/loss", epoch, 0.5)]
    write(tmp_path / "events.out.tfevents.100.host.7.0", events)
    (run,) = read(tmp_path)
    assert points(run, "loss", "eval") == {19: 0.5, 39: 0.5, 59: 0.5}
    assert "val/loss: numbered one by one" in told(run)


def test_evaluations_that_count_steps_stay_where_they_are(tmp_path: Path) -> None:
    for name, times in (("each", 1), ("few", 20)):
        events: list[bytes] = []
        for epoch in range(1, 5):
            events += steps(*range((epoch - 1) * times + 1, epoch * times + 1))
            events += [scalar("val/loss", epoch * times, 0.5)]
        write(tmp_path / name / "events.out.tfevents.100.host.7.0", events)
    for run in read(tmp_path):
        times = 1 if run.folder == "each" else 20
        assert points(run, "loss", "eval") == {epoch * times: 0.5 for epoch in range(1, 5)}
        assert "numbered" not in told(run)


def test_checkpoints_evaluated_after_training_stay_where_they_are(tmp_path: Path) -> None:
    events = [*steps(*range(0, 200, 10)), *[scalar("val/loss", epoch, 0.5) for epoch in (1, 2, 3)]]
    write(tmp_path / "events.out.tfevents.100.host.7.0", events)
    (run,) = read(tmp_path)
    assert points(run, "loss", "eval") == {1: 0.5, 2: 0.5, 3: 0.5}


def test_curves_and_hyper_parameters_of_tensorboardx_belong_to_the_run(tmp_path: Path) -> None:
    write(tmp_path / "tb" / "events.out.tfevents.100.host", steps(1, 2, 3, tag="lr"))
    for curve in ("train", "val"):
        write(tmp_path / "tb/loss" / curve / "events.out.tfevents.100.host", steps(1, 2, tag="loss"))
    write(tmp_path / "tb/1700000000.123/events.out.tfevents.101.host", [scalar("hparam/accuracy", 0, 0.5)])
    (run,) = read(tmp_path)
    assert run.folder == "tb" and run.summary["hparam/accuracy"].value == 0.5
    drawn = {series.split: series.source for series in run.series if series.name == "loss"}
    assert drawn["train"].where == drawn["eval"].where == "tag loss, record *"
    assert drawn["eval"].file == "loss/val/events.out.tfevents.100.host"


def test_folders_of_two_runs_stay_two_runs(tmp_path: Path) -> None:
    for seed in ("loss/a", "loss/b"):
        write(tmp_path / seed / "events.out.tfevents.100.host", steps(1, 2, tag="loss"))
    assert len(read(tmp_path)) == 2


def test_what_a_trial_of_ray_tune_reports_has_its_own_name(tmp_path: Path) -> None:
    events = [scalar(f"ray/tune/{key}", step, 0.5) for step in (1, 2) for key in ("loss", "val_loss", "time_total_s")]
    write(tmp_path / "events.out.tfevents.100.host", events)
    (run,) = read(tmp_path)
    assert {(series.name, series.split) for series in run.series} == {("loss", "train"), ("loss", "eval")}
