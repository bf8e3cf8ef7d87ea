"""Event files: every encoding, runs told apart, checksums, and files that are broken in every way."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binary import crc32c, event_file, field, scalar, tfrecord
from dpo_report.core.folder import Folder
from dpo_report.core.loader import load
from dpo_report.core.model import Series, Witness
from dpo_report.plugins.readers import crc32c as bulk
from dpo_report.plugins.readers import tfrecords
from dpo_report.plugins.readers.hf import witness as trainer
from dpo_report.plugins.readers.keys import mapping
from dpo_report.plugins.readers.tensorboard.witness import READER

HERE = Path(__file__).parent
FORMATS = HERE / "formats" / "tensorboard"
RUNS = HERE / "runs"


def read(path: Path) -> list[Witness]:
    folder = Folder.open(path)
    return list(READER.read(folder)) if READER.detect(folder) else []


def one(path: Path) -> Witness:
    (found,) = read(path)
    return found


def curve(witness: Witness, name: str, split: str = "train") -> Series:
    return next(series for series in witness.series if (series.name, series.split) == (name, split))


def points(witness: Witness, name: str, split: str = "train") -> dict[float, float]:
    series = curve(witness, name, split)
    return dict(zip(series.steps.tolist(), series.values.tolist(), strict=True))


def told(witness: Witness) -> str:
    return "\n".join(f"{problem.where}: {problem.message}" for problem in witness.problems)


def steps(*numbers: int, tag: str = "train/loss", scale: float = 1.0) -> list[bytes]:
    """Events whose value is exact in single precision."""
    return [scalar(tag, number, scale * number) for number in numbers]


def write(folder: Path, name: str, events: Iterable[bytes]) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(event_file(events))
    return file


# --- checksums ---


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_checksums_of_rfc_3720(data: bytes, crc: int) -> None:
    assert bulk.crc32c(data) == crc == crc32c(data)


@given(st.lists(st.binary(max_size=700), min_size=1, max_size=8))
@settings(max_examples=40)
def test_checksums_of_many_ranges_are_those_of_each(parts: list[bytes]) -> None:
    lengths = np.array([len(part) for part in parts])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    buffer = np.frombuffer(b"".join(parts) + b"\0", np.uint8)
    assert bulk.crc32c_many(buffer, starts, lengths).tolist() == [crc32c(part) for part in parts]


# --- what is in a file ---


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        *((name, 1.5) for name in ("simple", "float", "double", "half", "bfloat16", "no plugin", "first of two")),
        *((f"{name} content", 1.5) for name in ("float", "double", "half")),
        *(("int", 2.0), ("int64", -2.0), ("second of two", -1.5)),
    ],
)
def test_every_encoding_of_a_scalar(tag: str, value: float) -> None:
    assert points(one(FORMATS / "encodings"), tag) == dict.fromkeys((0.0, 1.0, 128.0, 20000.0), value)


def test_what_is_no_scalar_is_none_and_hyperparameters_are_settings() -> None:
    witness = one(FORMATS / "encodings")
    assert not {"vector", "picture"} & {series.name for series in witness.series}
    known = {name: setting.value for name, setting in witness.settings.items()}
    assert known == {"lr": 1e-3, "layers": 2, "optimizer": "adamw", "bias": True}


def test_what_the_trainers_callback_writes() -> None:
    witness = one(FORMATS / "trainer")
    assert points(witness, "loss") == {step: 0.75 - step / 16 for step in range(1, 9)}
    assert points(witness, "loss", "eval") == {4: 0.25, 8: 0.125}
    assert {key: datum.value for key, datum in witness.summary.items()} == {
        "train_runtime": 2.5,
        "train_loss": 0.5,
        "total_flos": 0.0,
    }
    assert (witness.method, witness.trainer, witness.status) == ("dpo", "trl.DPOTrainer", "completed")
    assert (witness.global_step, witness.max_steps, witness.epoch) == (8, None, 2.0)
    assert witness.versions == {"transformers": "5.23.0"}
    known = {name: setting.value for name, setting in witness.settings.items()}
    assert known["beta"] == 0.1 and known["accelerator_config"] == {"split_batches": False}
    assert known["model.n_layer"] == 2 and "hub_token" not in known
    assert not any(series.name == "hp_metric" for series in witness.series)
    assert str(curve(witness, "loss").source_at(0)).endswith("host.1.0: tag train/loss, record 3")


def test_a_point_is_found_again_at_its_source() -> None:
    witness = one(FORMATS / "trainer")
    file = FORMATS / "trainer" / witness.files[0]
    events = [
        bytes(piece.data[a : a + n])
        for piece in _pieces(file)
        for a, n in zip(piece.starts, piece.lengths, strict=True)
    ]
    source = curve(witness, "rewards/chosen").source_at(4)
    record = int(source.where.rpartition(" ")[2])
    assert b"train/rewards/chosen" in events[record]
    assert events[record].endswith(np.float32(1.25).tobytes())


def _pieces(file: Path) -> list[tfrecords.Piece]:
    with file.open("rb") as stream:
        return list(tfrecords.Records().pieces(stream, file.stat().st_size))


@pytest.mark.parametrize("name", ["dpo-eval", "kto", "orpo", "reward", "old09-dpo-eval", "dpo-nan"])
def test_event_files_tell_what_the_state_tells(name: str) -> None:
    state = json.loads((RUNS / name / "trainer_state.json").read_text())
    witness = one(RUNS / name / "runs")
    expected: dict[tuple[str, str], dict[float, float]] = {}
    for row in state["log_history"]:
        for key, value in row.items():
            split = "eval" if key.startswith("eval_") else "train"
            if key not in ("step", "epoch") and "train_runtime" not in row:
                expected.setdefault((key.removeprefix("eval_"), split), {}).setdefault(row["step"], value)
    assert expected.keys() <= {(series.name, series.split) for series in witness.series}
    for (key, split), rows in expected.items():
        series = curve(witness, key, split)
        assert series.steps.tolist() == sorted(rows)
        np.testing.assert_allclose(series.values, [rows[step] for step in sorted(rows)], rtol=1e-6, equal_nan=True)
    closing = next((row for row in state["log_history"] if "train_runtime" in row), {})
    assert {key: witness.summary[key].value for key in closing if key.startswith("train_")} == pytest.approx(
        {key: value for key, value in closing.items() if key.startswith("train_")}, rel=1e-6
    )


def test_means_in_the_closing_row_are_no_points_of_a_curve(tmp_path: Path) -> None:
    tags = ("train_runtime", "train_loss", "rewards/chosen", "epoch")
    closing = [scalar(f"train/{tag}", 4, value) for tag, value in zip(tags, (9.0, 0.5, 0.25, 2.0), strict=True)]
    late = steps(4, tag="eval/loss")
    write(tmp_path, "events.out.tfevents.100.host.7.0", [*steps(1, tag="train/rewards/chosen"), *closing, *late])
    witness = one(tmp_path)
    assert points(witness, "rewards/chosen") == {1: 1} and points(witness, "loss", "eval") == {4: 4}
    summary = {key: datum.value for key, datum in witness.summary.items()}
    assert summary == {"train_runtime": 9.0, "train_loss": 0.5, "rewards/chosen": 0.25, "epoch": 2.0}
    assert (witness.global_step, witness.epoch) == (4, 2.0)


def test_keys_without_a_name_belong_to_the_set_that_was_logged_with_them() -> None:
    folder = Folder.open(RUNS / "dpo-two-evalsets")
    (state,) = trainer.read(folder)
    (events,) = READER.read(folder)
    places = {(series.name, series.split) for series in state.series if series.name != "epoch"}
    assert {("rewards/chosen", "eval:near"), ("rewards/chosen", "eval:far")} <= places
    assert places == {(series.name, series.split) for series in events.series if series.name != "epoch"}
    for name, split in places:
        mine, theirs = curve(events, name, split), curve(state, name, split)
        assert mine.steps.tolist() == theirs.steps.tolist()
        np.testing.assert_allclose(mine.values, theirs.values, rtol=1e-6)


# --- runs told apart ---


def test_an_evaluation_after_training_belongs_to_the_run(tmp_path: Path) -> None:
    write(tmp_path, "events.out.tfevents.100.host.7.0", steps(1, 2, 3, 4))
    write(tmp_path, "events.out.tfevents.101.host.7.1", steps(4, tag="eval/loss"))
    witness = one(tmp_path)
    assert len(witness.files) == 2 and points(witness, "loss", "eval") == {4: 4.0}


def test_a_restart_from_the_beginning_is_a_run_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, "events.out.tfevents.100.host.7.0", steps(10, 20, 30, 40))
    write(tmp_path, "events.out.tfevents.200.host.9.0", steps(10, 20, scale=2))
    first, second = read(tmp_path)
    assert (first.identity, second.identity) == ("attempt-1", "attempt-2")
    assert points(first, "loss") == {10: 10, 20: 20, 30: 30, 40: 40}
    assert points(second, "loss") == {10: 20, 20: 40}


def test_two_trainings_of_one_process_are_two_runs(tmp_path: Path) -> None:
    write(tmp_path, "events.out.tfevents.100.host.7.0", steps(1, 2, 3))
    write(tmp_path, "events.out.tfevents.100.host.7.1", steps(1, 2, 3, scale=2))
    assert [points(witness, "loss")[3] for witness in read(tmp_path)] == [3, 6]


def test_a_resumed_run_is_one_run_and_its_later_rows_count(tmp_path: Path) -> None:
    write(tmp_path, "events.out.tfevents.100.host.7.0", steps(1, 2, 3, 4, 5, 6, 7))
    write(tmp_path, "events.out.tfevents.200.host.9.0", steps(5, 6, 7, 8, scale=2))
    witness = one(tmp_path)
    assert points(witness, "loss") == {1: 1, 2: 2, 3: 3, 4: 4, 5: 10, 6: 12, 7: 14, 8: 16}
    assert "from step 5 (a resumed run)" in told(witness) and "steps 5 to 7 is not used" in told(witness)
    assert curve(witness, "loss").source_at(7).file.endswith("200.host.9.0")


def test_a_resumed_run_goes_on_with_the_attempt_that_got_so_far(tmp_path: Path) -> None:
    write(tmp_path, "events.out.tfevents.100.host.7.0", steps(10, 20, 30))
    write(tmp_path, "events.out.tfevents.200.host.8.0", steps(10))
    write(tmp_path, "events.out.tfevents.300.host.9.0", steps(30, 40, 50))
    first, second = read(tmp_path)
    assert list(points(first, "loss")) == [10, 20, 30, 40, 50] and list(points(second, "loss")) == [10]


def test_a_resumed_run_whose_beginning_is_elsewhere_says_so() -> None:
    first, second = read(RUNS / "dpo-resumed" / "runs")
    assert min(points(first, "loss")) == 1 and "begins at step" not in told(first)
    assert "a resumed run, whose beginning is not in this folder" in told(second)


def test_folders_of_writers_helpers_belong_to_the_run(tmp_path: Path) -> None:
    write(tmp_path, "tb/events.out.tfevents.100.host.7.0", steps(1, 2, 3))
    write(tmp_path, "tb/1700000000.123/events.out.tfevents.100.host.7.1", [scalar("hparam/accuracy", 0, 0.5)])
    write(tmp_path, "tb/Reward_val/events.out.tfevents.100.host.7.2", steps(1, 2, tag="Reward"))
    witness = one(tmp_path)
    assert witness.folder == "tb" and witness.summary["hparam/accuracy"].value == 0.5
    names = {(series.name, series.split): series.source for series in witness.series}
    assert names["Reward/val", "train"].where == "tag Reward, record *"


def test_keras_writes_each_split_into_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "logs/train/events.out.tfevents.100.host.7.0.v2", steps(0, 1, tag="epoch_loss"))
    write(tmp_path, "logs/validation/events.out.tfevents.101.host.7.1.v2", steps(0, 1, tag="epoch_loss", scale=2))
    witness = one(tmp_path)
    assert (witness.folder, points(witness, "loss")) == ("logs", {0: 0, 1: 1})
    assert points(witness, "loss", "eval") == {0: 0, 1: 2}
    assert curve(witness, "loss", "eval").source.where == "tag epoch_loss, record *"
    assert "count epochs" in told(witness)


def test_each_folder_is_a_run(tmp_path: Path) -> None:
    for version in ("version_0", "version_1"):
        write(tmp_path, f"logs/{version}/events.out.tfevents.100.host.7.0", steps(1, 2))
    assert [witness.folder for witness in read(tmp_path)] == ["logs/version_0", "logs/version_1"]


# --- keys ---


def test_keys_of_one_log_never_share_a_curve() -> None:
    found = mapping(["loss", "train/loss", "lr-AdamW/pg1", "lr-AdamW/pg2", "train_loss_epoch", "val_loss", "val/loss"])
    places = [(key.name, key.split) for key in found.values() if key.role == "series"]
    assert len(set(places)) == len(places)
    assert found["loss"][:2] == ("loss", "train") and found["lr-AdamW/pg1"].name == "learning_rate"
    assert (
        found["val/loss"][:2] == ("loss", "eval")
        and found["val_loss"].name == "val_loss"
        and found["train_loss_epoch"].name == "loss_epoch"
    )


def test_train_loss_is_a_curve_or_the_closing_mean() -> None:
    assert mapping(["train_loss"])["train_loss"][:3] == ("loss", "train", "series")
    assert mapping(["train_loss", "train_runtime"])["train_loss"].role == "summary"
    assert mapping(["train/train_loss", "train/loss"])["train/train_loss"][::2] == ("train_loss", "summary")


def test_named_evaluation_sets() -> None:
    found = mapping(["eval/near_loss", "eval/near_runtime", "eval/far_loss", "eval/far_runtime"])
    assert found["eval/near_loss"][:2] == ("loss", "eval:near") and found["eval/far_loss"][:2] == ("loss", "eval:far")


# --- broken files ---

GOOD = event_file([event for step in range(1, 5) for event in (*steps(step), *steps(step, tag="eval/loss"))])


def _of_bytes(folder: Path, data: bytes) -> list[Witness]:
    (folder / "events.out.tfevents.1.host.1.0").write_bytes(data)
    return read(folder)


def test_a_flipped_byte_in_a_record_costs_that_record(tmp_path: Path) -> None:
    data = bytearray(GOOD)
    place = GOOD.index(b"train/loss", 200)
    data[place] ^= 1
    (witness,) = _of_bytes(tmp_path, bytes(data))
    assert sum(len(series) for series in witness.series) == 7
    start = GOOD.rindex(b"\t", 0, place)
    assert f"at byte {start:,} does not match its checksum" in told(witness)


def test_reading_goes_on_behind_a_damaged_length(tmp_path: Path) -> None:
    records = [tfrecord(event) for event in steps(*range(1, 9))]
    data = bytearray(event_file([]) + b"".join(records))
    place = len(event_file([])) + len(b"".join(records[:3]))
    data[place + 1] ^= 0xFF
    (witness,) = _of_bytes(tmp_path, bytes(data))
    assert list(points(witness, "loss")) == [1, 2, 3, 5, 6, 7, 8]
    assert f"is damaged at byte {place:,}; {len(records[3])} bytes were passed over" in told(witness)


def test_two_writers_in_one_file(tmp_path: Path) -> None:
    first, second = tfrecord(steps(1)[0]), tfrecord(steps(2)[0])
    (witness,) = _of_bytes(tmp_path, event_file([]) + first[:20] + second + first[20:] + second)
    assert 2 in points(witness, "loss") and "is damaged at byte" in told(witness)


@pytest.mark.parametrize("lost", [1, 4, 11, 20, 45])
def test_a_killed_writers_last_record_is_told(tmp_path: Path, lost: int) -> None:
    (witness,) = _of_bytes(tmp_path, GOOD[:-lost])
    assert sum(len(series) for series in witness.series) == 7
    assert "ends in the middle of a record at byte" in told(witness)


def test_empty_and_foreign_files(tmp_path: Path) -> None:
    assert "is empty" in told(_of_bytes(tmp_path, b"")[0])
    assert "holds no records of TensorBoard" in told(_of_bytes(tmp_path, b"no records here at all")[0])
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    assert "Git LFS pointer" in told(_of_bytes(tmp_path, pointer)[0])


def test_records_that_are_no_events_are_told(tmp_path: Path) -> None:
    (witness,) = _of_bytes(tmp_path, GOOD + tfrecord(b"\x0bgroup") + tfrecord(b"") + tfrecord(b"\x0a\xff\xff"))
    assert sum(len(series) for series in witness.series) == 8
    assert "is no event (has a field of the unknown kind 3)" in told(witness)


def test_a_large_record_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfrecords, "LARGEST", 1 << 10)
    monkeypatch.setattr(tfrecords, "WINDOW", 1 << 10)
    picture = tfrecord(field(1, 1.0) + field(5, bytes(3000)))
    (witness,) = _of_bytes(tmp_path, event_file(steps(1)) + picture + b"".join(map(tfrecord, steps(2))))
    assert list(points(witness, "loss")) == [1, 2] and "passed over" in told(witness)


@given(st.integers(40, 400), st.integers(0, 3))
@settings(max_examples=25)
def test_windows_of_any_size_give_the_same_points(
    tmp_path_factory: pytest.TempPathFactory, size: int, extra: int
) -> None:
    folder = tmp_path_factory.mktemp("windows")
    data = GOOD + b"".join(tfrecord(scalar("x" * (300 * n), 1, 1.0)) for n in range(extra))
    whole = _of_bytes(folder, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfrecords, "WINDOW", size)
        parts = _of_bytes(folder, data)
    for a, b in zip(whole[0].series, parts[0].series, strict=True):
        assert (a.name, a.steps.tolist(), a.rows.tolist()) == (b.name, b.steps.tolist(), b.rows.tolist())


@given(st.data())
@settings(max_examples=150)
def test_damage_never_raises_and_is_always_told(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("damage")
    place = data.draw(st.integers(0, len(GOOD) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "insert", "drop"]))
    noise = data.draw(st.binary(min_size=1, max_size=40))
    if kind == "flip":
        broken = GOOD[:place] + bytes([GOOD[place] ^ (noise[0] or 1)]) + GOOD[place + 1 :]
    elif kind == "cut":
        broken = GOOD[:place]
    else:
        broken = GOOD[:place] + (noise if kind == "insert" else b"") + GOOD[place + (kind == "drop") * len(noise) :]
    (witness,) = _of_bytes(folder, broken)
    exact = {
        (name, split, step, float(step))
        for name, split in (("loss", "train"), ("loss", "eval"))
        for step in range(1, 5)
    }
    found = {
        (s.name, s.split, int(a), float(v)) for s in witness.series for a, v in zip(s.steps, s.values, strict=True)
    }
    assert found <= exact
    assert found == exact or told(witness) or kind == "cut"


@given(st.binary(max_size=400), st.booleans())
@settings(max_examples=150)
def test_any_bytes_with_right_checksums_are_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, twice: bool
) -> None:
    event = scalar("train/loss", 300, 1.0)
    mixed = event[: len(noise) % len(event)] + noise
    (witness,) = _of_bytes(tmp_path_factory.mktemp("noise"), event_file([event, mixed, *([mixed] * twice)]))
    assert witness.reader == "tensorboard"


@pytest.mark.parametrize("filling", ["zeros", "ones", "random", "headers", "empty records"])
def test_garbage_takes_bounded_time(tmp_path: Path, filling: str) -> None:
    size = 3 << 20
    header = tfrecord(bytes(40))[:12]
    data = {
        "zeros": bytes(size),
        "ones": b"\x01" * size,
        "random": np.random.default_rng(0).bytes(size),
        "headers": header * (size // 12),
        "empty records": tfrecord(b"") * (size // 16),
    }[filling]
    started = time.process_time()
    (witness,) = _of_bytes(tmp_path, data)
    assert time.process_time() - started < 10
    assert not witness.series


def test_equal_shapes_in_bulk_are_what_they_are_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dpo_report.plugins.readers.tensorboard import scalars

    events = [
        scalar(tag, step, step / 7) for step in (0, 1, 127, 128, 16384, 1 << 40) for tag in ("a", "b", "cc", "dd")
    ]
    (bulked,) = _of_bytes(tmp_path, event_file(events))
    monkeypatch.setattr(scalars, "LONGEST", 0)
    (single,) = _of_bytes(tmp_path, event_file(events))
    for a, b in zip(bulked.series, single.series, strict=True):
        assert (a.name, a.steps.tolist(), a.values.tolist()) == (b.name, b.steps.tolist(), b.values.tolist())


def test_a_file_given_alone(tmp_path: Path) -> None:
    file = write(tmp_path, "events.out.tfevents.100.host.7.0", steps(1, 2))
    renamed = file.rename(tmp_path / "log.bin")
    assert points(one(renamed), "loss") == {1: 1, 2: 2}


def test_lightning_counts_the_epochs_of_its_event_files(tmp_path: Path) -> None:
    logged = [scalar("epoch", step, step // 4) for step in range(8)]
    logged += [scalar("train_loss", step, 1 / (step + 1)) for step in range(8)]
    logged += [scalar("val_loss", step, 1.5 - step / 8) for step in (3, 7)]
    write(tmp_path / "version_0", "events.out.tfevents.1.host.1.0", logged)
    (tmp_path / "version_0" / "hparams.yaml").write_text("lr: 0.1\n")
    run = load(tmp_path / "version_0")
    assert (run.trainer, run.global_step, run.epoch) == ("lightning.Trainer", 8, 2.0)
    assert any("Lightning counts steps from 0" in problem.message for problem in run.problems)
