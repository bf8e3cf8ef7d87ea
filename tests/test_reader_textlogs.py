"""Logs printed for people, and the general reader that is asked last."""

import time
from pathlib import Path

import pytest

from dpo_report.core.folder import Folder
from dpo_report.core.model import Source, Witness
from dpo_report.plugins.readers import boostlogs, fairseq, general, nanogpt, openrlhf, paddle, torchtune, verl
from dpo_report.plugins.readers.textlogs import pairs
from witnesses import FORMATS, MADE, one, points, read, told

THREE = (1, 2, 3)


def test_build_nanogpt() -> None:
    run = one("nanogpt", "textlogs/build-nanogpt")
    assert points(run, "loss") == {step: MADE.loss(step) for step in range(10)}
    assert points(run, "loss", "eval") == {0: 10.931, 10: 7.5}
    assert points(run, "hellaswag_accuracy", "eval") == {0: 0.2413}
    assert run.global_step == 10


def test_nanogpt_counts_the_updates_from_the_first_line(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"

    def written(first: int, interval: int, between: str = "") -> Witness:
        rows = [f"{step} train {5 - step / 1000:.6f}\n" for step in range(first, first + 10 * interval, interval)]
        log.write_text(rows[0] + between + "".join(rows[1:]))
        return one("nanogpt", tmp_path)

    at_once, by_line = written(0, 1), written(0, 1, "0 val 4.9 of 5\n")
    assert at_once.global_step == by_line.global_step == 10
    assert points(at_once, "loss") == points(by_line, "loss")
    assert at_once.series[0].source_at(3) == Source("log.txt", "line 4, train/loss")
    assert by_line.series[0].source_at(3) == Source("log.txt", "line 5, train/loss")
    assert written(500, 10).global_step == 591  # the log of a resumed run
    assert written(10, 10).global_step == 100  # a loop that counts from 1


def test_nanogpt_log_with_two_runs_is_two_runs(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("".join(f"{step} train {loss}\n" for loss in (5.5, 4.5) for step in range(4)))
    assert [(run.identity, points(run, "loss")[3]) for run in read("nanogpt", tmp_path)] == [("part-1", 5.5), ("", 4.5)]


@pytest.mark.parametrize(("first", "told_so"), [(0, True), (1, False)])
def test_a_count_from_zero_is_told_where_nobody_knows_what_it_means(first: int, told_so: bool, tmp_path: Path) -> None:
    rows = "".join(f"{step},{1 / (step + 1)},0.1\n" for step in range(first, first + 10))
    (tmp_path / "log.csv").write_text("step,loss,lr\n" + rows)
    run = one("general", tmp_path)
    assert run.global_step == first + 9
    assert ("counts steps from 0: its last one, 9, may be update 10" in told(run)) == told_so


def test_nanogpt_console() -> None:
    run = one("nanogpt", "textlogs/nanogpt")
    assert run.global_step == 5
    assert points(run, "loss") == {step: round(MADE.loss(step), 4) for step in range(5)}
    assert points(run, "loss", "eval") == {0: 10.95}
    assert run.series[0].source_at(0) == Source("train.log", "line 3, train/loss")


def test_verl_console_begins_with_pages_of_configuration() -> None:
    (run,) = read("verl_console", "textlogs/verl")
    assert points(run, "actor/pg_loss") == {step: MADE.loss(step) for step in THREE}
    assert run.series[0].source_at(0).where == "line 2001, actor/pg_loss"
    assert not any("timing" in series.name for series in run.series)


def test_fairseq_before_json() -> None:
    run = one("fairseq", "textlogs/fairseq-old")
    assert points(run, "loss") == {10: MADE.loss(10), 20: MADE.loss(20)}
    assert points(run, "loss", "eval") == {20: MADE.held_out(20)}
    assert points(run, "grad_norm") == {10: 0.9, 20: 0.9}


@pytest.mark.parametrize(
    "piece", ["a", "loss: ", "step ", "a:", "1", "{", "| ", "x=1 ", "'", "-", "loss 1 step", "\u00e9 "]
)
def test_no_line_takes_long(tmp_path: Path, piece: str) -> None:
    (tmp_path / "train.log").write_text((piece * (40_000 // len(piece)) + "\n") * 20)
    folder = Folder.open(tmp_path)
    start = time.perf_counter()
    printed = (nanogpt, boostlogs, fairseq, torchtune, openrlhf, paddle, general)
    for reader in (*(module.READER for module in printed), verl.CONSOLE):
        if reader.detect(folder):
            list(reader.read(folder))
    assert time.perf_counter() - start < 10


def test_pairs_of_a_line() -> None:
    assert pairs("a: 1, b=2.5e-3 | c/d:nan 'e': np.float64(0.5) words: none") == {
        "a": "1",
        "b": "2.5e-3",
        "c/d": "nan",
        "e": "0.5",
    }


@pytest.mark.parametrize(
    ("folder", "axis", "steps"),
    [
        ("csv", "iteration", THREE),
        ("jsonl", "step", THREE),
        ("json", "epoch", (1, 2)),
        ("text", "epoch", THREE),
        ("console", "epoch", (0.1, 0.2, 0.3)),
    ],
)
def test_general_says_what_it_assumed(folder: str, axis: str, steps: tuple[float, ...]) -> None:
    run = one("general", f"general/{folder}")
    made = [MADE.loss(place) for place in (1, 2, 3)]
    assert points(run, "loss") == dict(zip(steps, made, strict=False))
    assert f"it is assumed that `{axis}` counts" in told(run)


def test_general_reads_a_lone_file_with_a_difficult_name() -> None:
    run = one("general", "general/csv/my log [1], é.csv")
    assert points(run, "loss") == {step: MADE.loss(step) for step in THREE}


def test_general_takes_settings_from_the_configuration_beside_the_log() -> None:
    run = one("general", "general/jsonl")
    assert run.settings["optimizer.name"].value == "adamw"


@pytest.mark.parametrize("family", ["keras", "lightning", "llamafactory", "dvclive", "sacred", "textlogs", "mlflow"])
def test_general_is_silent_where_another_reader_knows_the_folder(family: str) -> None:
    assert general.READER.detect(Folder.open(FORMATS / family)) is None


def test_general_finds_a_foreign_log_beside_a_known_run(tmp_path: Path) -> None:
    (tmp_path / "known").mkdir()
    (tmp_path / "known" / "metrics.csv").write_text("epoch,step,train_loss_step\n0,1,0.5\n")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "mine.csv").write_text("iteration,loss\n1,0.5\n2,0.4\n")
    assert one("general", tmp_path).folder == "foreign"


@pytest.mark.parametrize("name", ["requirements.txt", "config.json", "tokenizer.json", "README.md", "vocab.txt"])
def test_general_leaves_files_that_are_no_logs(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(
        '[{"step": 1, "loss": 0.5}]\nstep: 1 loss: 0.5\nstep: 2 loss: 0.4\nstep: 3 loss: 0.3\n'
    )
    assert general.READER.detect(Folder.open(tmp_path)) is None
