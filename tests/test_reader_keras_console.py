"""What Keras prints: bars redrawn in place, lines without them, and the bars of Keras 2."""

from pathlib import Path

import pytest

from witnesses import one, points, read, told


def test_bars_of_keras_3() -> None:
    run = one("keras_console", "keras-console")
    assert points(run, "loss") == {0: 0.8047, 1: 0.3502, 2: 0.2142}
    assert points(run, "loss", "eval") == {0: 0.5331, 1: 0.2512, 2: 0.1565}
    assert points(run, "mae", "eval")[0] == 0.6554
    assert run.epoch == 3 and run.global_step is None and "counted from 0" in told(run)


@pytest.mark.parametrize(
    "line",
    [
        "313/313 - 2s - 7ms/step - accuracy: 0.9 - loss: {0}\n",
        " 1/313 [.....] - ETA: 1:02 - loss: 9.9 - accuracy: 0.1\x08\x08\r313/313 [====] - 2s 5ms/step - loss: {0}\n",
    ],
)
def test_other_bars(line: str, tmp_path: Path) -> None:
    losses = (0.9, 0.7, 1e-05)
    text = "".join(f"Epoch {epoch}/3\n{line.format(loss)}" for epoch, loss in enumerate(losses, 1))
    (tmp_path / "nohup.out").write_text(text)
    assert points(one("keras_console", tmp_path), "loss") == dict(enumerate(losses))


def test_an_epoch_that_was_cut_off_has_no_values(tmp_path: Path) -> None:
    line = "Epoch {0}/3\n{1}/9 - 2s - loss: 0.5\n"
    (tmp_path / "train.log").write_text(line.format(1, 9) + line.format(2, 9) + line.format(3, 4))
    assert points(one("keras_console", tmp_path), "loss") == {0: 0.5, 1: 0.5}


@pytest.mark.parametrize("batches", [9, 4])
@pytest.mark.parametrize("held_out", ["", " - val_loss: 0.6"])
def test_an_evaluation_by_itself_is_no_end_of_an_epoch(batches: int, held_out: str, tmp_path: Path) -> None:
    epoch = "Epoch {0}/2\n9/9 - 2s - loss: 0.{0}\n9/9 - 2s - loss: 0.{0}" + held_out + "\n"
    alone = f"{batches}/{batches} - 1s - loss: 0.8\n"
    (tmp_path / "train.log").write_text(epoch.format(1) + alone + epoch.format(2) + alone)
    run = one("keras_console", tmp_path)
    assert points(run, "loss") == {0: 0.1, 1: 0.2}
    assert {(one.name, one.split) for one in run.series} == {("loss", "train"), *[("loss", "eval")] * bool(held_out)}


def test_other_logs_are_none_of_keras(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text("Epoch 1/3\nloss: 0.5\nEpoch 2/3\nloss: 0.4\n5/5 done\n")
    assert read("keras_console", tmp_path) == []
