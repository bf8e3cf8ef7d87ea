"""What the general reader makes of lines and tables as people write them."""

import json
from pathlib import Path

import pytest

from dpo_report.core.model import Witness
from witnesses import one, points, read, told

TRAIN, HELD_OUT = (0.9, 0.7, 0.6, 0.5), (1.0, 0.8, 0.7, 0.65)


def _read(folder: Path, lines: str, name: str = "train.log", encoding: str = "utf-8") -> Witness:
    (folder / name).write_text(lines, encoding)
    return one("general", folder)


@pytest.mark.parametrize(
    "line",
    [
        "Epoch {0}/4 | Train Loss: {1} | Val Loss: {2}",
        "2026-03-05 12:01:07,123 - INFO - epoch {0}: train_loss={1} val_loss={2}",
        "[{0}] Epoch {0} training: loss {1} validation: loss {2}",
        "Epoch {0} loss train: {1}, val: {2}",
        "Training: epoch {0}, loss: {1}; Validating: loss: {2}; best val loss: 0.4 (best epoch: 2)",
        "INFO:test:epoch={0} loss={1} val_loss={2}",
        "iteration {0}/ 500,000 | lm loss: {1} | valid lm loss value: {2} |",
    ],
)
def test_each_value_belongs_to_the_data_named_before_it(line: str, tmp_path: Path) -> None:
    rows = zip((1, 2, 3, 4), TRAIN, HELD_OUT, strict=True)
    run = _read(tmp_path, "".join(line.format(*row) + "\n" for row in rows))
    assert points(run, "loss") == dict(enumerate(TRAIN, 1))
    assert points(run, "loss", "eval") == dict(enumerate(HELD_OUT, 1))


@pytest.mark.parametrize(
    ("count", "steps"),
    [("Step {:,}/10,000", (500, 1000, 1500, 2000)), ("step {:g}k", (1000, 2000, 3000, 4000)), ("it {}", (1, 2, 3, 4))],
)
def test_thousands_in_a_count(count: str, steps: tuple[float, ...], tmp_path: Path) -> None:
    written = [int(step / 1000) if "k" in count else int(step) for step in steps]
    lines = "".join(f"{count.format(step)} - loss: {loss}\n" for step, loss in zip(written, TRAIN, strict=True))
    run = _read(tmp_path, lines)
    assert points(run, "loss") == dict(zip(steps, TRAIN, strict=True)) and run.global_step == steps[-1]


@pytest.mark.parametrize(
    "line", ["Epoch [{0}/2], Step [{1}/200], Loss: {2}", "Epoch: [{0}][{1}/200]\tLoss {2} ({2})\tTime 0.3 ( 0.4)"]
)
def test_steps_that_begin_anew_in_every_epoch_are_one_run(line: str, tmp_path: Path) -> None:
    places = [(1, 100), (1, 200), (2, 100), (2, 200)]
    run = _read(tmp_path, "".join(line.format(*place, loss) + "\n" for place, loss in zip(places, TRAIN, strict=True)))
    assert points(run, "loss") == dict(zip((0.5, 1, 1.5, 2), TRAIN, strict=True))
    assert run.global_step is None and "placed by the epochs that were done" in told(run)


def test_batches_of_unknown_number_are_placed_by_their_rows(tmp_path: Path) -> None:
    run = _read(tmp_path, "epoch,batch,loss\n0,0,0.9\n0,10,0.7\n1,0,0.6\n1,10,0.5\n", "log.csv")
    assert points(run, "loss") == dict(enumerate(TRAIN, 1)) and run.global_step is None
    assert "placed by their rows" in told(run)


def test_hits_of_all_are_a_share(tmp_path: Path) -> None:
    run = _read(tmp_path, "".join(f"Step [{n}/4], Loss: 0.5, Acc: {n}5/100, Errors: 3/9\n" for n in (1, 2, 3, 4)))
    assert points(run, "accuracy") == {1: 0.15, 2: 0.25, 3: 0.35, 4: 0.45}
    assert {series.name for series in run.series} == {"loss", "accuracy"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_lines_that_powershell_wrote(encoding: str, tmp_path: Path) -> None:
    lines = "".join(f"step {n}: loss={loss}\r\n" for n, loss in enumerate(TRAIN, 1))
    assert points(_read(tmp_path, lines, encoding=encoding), "loss") == dict(enumerate(TRAIN, 1))


def test_json_lines_in_a_json_file(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"step": n, "loss": loss}) + "\n" for n, loss in enumerate(TRAIN, 1))
    assert points(_read(tmp_path, lines, "log.json"), "loss") == dict(enumerate(TRAIN, 1))


def test_a_history_that_pandas_saved(tmp_path: Path) -> None:
    rows = zip(range(4), TRAIN, HELD_OUT, strict=True)
    run = _read(tmp_path, ",loss,val_loss\n" + "".join("{},{},{}\n".format(*row) for row in rows), "history.csv")
    assert points(run, "loss") == dict(enumerate(TRAIN, 1)) and points(run, "loss", "eval")[4] == 0.65
    assert "the place in the table" in told(run) and run.global_step is None


@pytest.mark.parametrize("header", [",seed,loss", ",lr,loss", "seed,final_loss,x", ",loss,model"])
def test_a_table_of_results_is_no_history(header: str, tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(f"{header}\n0,0.1,0.5\n1,0.2,0.6\n")
    assert not read("general", tmp_path)


def test_hydras_settings_tell_the_runs_of_a_sweep_apart(tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text("optimizer:\n  lr: 0.1\nseed: 2\n")
    run = _read(tmp_path, "".join(f"epoch={n} train_loss={loss}\n" for n, loss in enumerate(TRAIN)))
    assert {name: one.value for name, one in run.settings.items()} == {"optimizer.lr": 0.1, "seed": 2}


def test_what_a_closing_line_repeats_is_no_point(tmp_path: Path) -> None:
    lines = "".join(f"Epoch {n}: val loss {loss}\n" for n, loss in enumerate(HELD_OUT, 1))
    run = _read(tmp_path, lines + "Best epoch: 2, best val loss: 0.42\nLowest loss: 0.1 at epoch 3\n")
    assert points(run, "loss", "eval") == dict(enumerate(HELD_OUT, 1)) and len(run.series) == 1


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_rows_that_name_their_data(name: str, tmp_path: Path) -> None:
    rows = [
        row
        for epoch, losses in enumerate(zip(TRAIN, HELD_OUT, strict=True), 1)
        for row in zip((epoch, epoch), ("train", "val"), losses, strict=True)
    ]
    if name.endswith(".csv"):
        lines = "epoch,phase,loss\n" + "".join("{},{},{}\n".format(*row) for row in rows)
    else:
        lines = "".join(json.dumps(dict(zip(("epoch", "type", "loss"), row, strict=True))) + "\n" for row in rows)
    run = _read(tmp_path, lines, name)
    assert points(run, "loss") == dict(enumerate(TRAIN, 1))
    assert points(run, "loss", "eval") == dict(enumerate(HELD_OUT, 1))


def test_lists_by_data_are_no_boosting_rounds(tmp_path: Path) -> None:
    lists = {"train": {"loss": TRAIN, "acc": TRAIN}, "val": {"loss": HELD_OUT}, "betas": [0.9, 0.99]}
    run = _read(tmp_path, json.dumps(lists), "history.json")
    assert points(run, "loss") == dict(enumerate(TRAIN, 1))
    assert points(run, "loss", "eval") == dict(enumerate(HELD_OUT, 1))
    assert {series.name for series in run.series} == {"loss", "accuracy"} and not read("boosting", tmp_path)


@pytest.mark.parametrize("column", ["model", "seed"])
def test_runs_whose_rows_alternate_are_told_apart(column: str, tmp_path: Path) -> None:
    names = ("small", "large") if column == "model" else ("7", "8")
    rows = zip(TRAIN, HELD_OUT, strict=True)
    lines = [
        f"{name},{epoch},{loss}\n" for epoch, row in enumerate(rows, 1) for name, loss in zip(names, row, strict=True)
    ]
    (tmp_path / "results.csv").write_text(f"{column},epoch,loss\n" + "".join(lines))
    first, second = read("general", tmp_path)
    assert points(first, "loss") == dict(enumerate(TRAIN, 1))
    assert points(second, "loss") == dict(enumerate(HELD_OUT, 1))


def test_rows_of_the_trainer_are_kept_whole(tmp_path: Path) -> None:
    rows = [
        {"loss": str(loss), "rewards/margins": "0.25", "logps/rejected": "-90", "logps/chosen": "-80.5"}
        | {"rewards/chosen": "0.5", "rewards/rejected": "0.25", "rewards/accuracies": "0.75", "epoch": str(n / 4)}
        for n, loss in enumerate(TRAIN, 1)
    ]
    closing = {"train_runtime": "30.1", "train_loss": "0.675", "epoch": "1.0"}
    lines = "".join(f"\r 10%|#   | {n}/4 [00:10<00:50]\r{row}\n" for n, row in enumerate([*rows, closing]))
    run = _read(tmp_path, lines, "nohup.out")
    assert points(run, "loss") == dict(zip((0.25, 0.5, 0.75, 1), TRAIN, strict=True))
    assert points(run, "logps/chosen")[1] == -80.5 and run.method == "dpo"
    assert run.summary["train_loss"].value == 0.675 and run.status == "completed"


def test_bars_of_an_epoch(tmp_path: Path) -> None:
    places = [(0, 50), (0, 100), (1, 50), (1, 100)]
    bars = [f"\rEpoch {epoch}: {n}%|##  | {n}/100 [00:01<00:02, 9.5it/s, loss=" for epoch, n in places]
    run = _read(tmp_path, "".join(f"{bar}{loss}, v_num=0]" for bar, loss in zip(bars, TRAIN, strict=True)) + "\n")
    assert points(run, "loss") == dict(zip((0.5, 1, 1.5, 2), TRAIN, strict=True))


def test_a_table_with_a_row_for_each_value(tmp_path: Path) -> None:
    rows = [
        f"{n},{name},{value}\n"
        for n, both in enumerate(zip(TRAIN, HELD_OUT, strict=True), 1)
        for name, value in zip(("train_loss", "val_loss"), both, strict=True)
    ]
    run = _read(tmp_path, "step,metric,value\n" + "".join(rows), "long.csv")
    assert points(run, "loss") == dict(enumerate(TRAIN, 1))
    assert points(run, "loss", "eval") == dict(enumerate(HELD_OUT, 1))
    assert {series.name for series in run.series} == {"loss"}
