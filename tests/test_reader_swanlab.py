"""SwanLab's files: both versions, the local dashboard's logs, and damage."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binary import field, leveldb
from dpo_report.core.folder import Folder
from dpo_report.core.model import Witness
from dpo_report.plugins.readers.swanlab.witness import READER
from witnesses import points, told

FORMATS = Path(__file__).parent / "formats" / "swanlab"
HEADER = b":SWL\xd6\xe1"


def read(path: Path) -> list[Witness]:
    folder = Folder.open(path)
    return list(READER.read(folder)) if READER.detect(folder) else []


def one(path: Path) -> Witness:
    (found,) = read(path)
    return found


def message(key: str, step: int, value: float) -> bytes:
    return field(13, field(1, key) + (field(2, step) if step else b"") + field(5, field(1, value)))


def line(key: str, step: int, value: float) -> bytes:
    told_ = {"model_type": "Scalar", "data": {"metric": {"index": step, "data": value}, "key": key, "step": step}}
    return json.dumps(told_).encode()


@pytest.mark.parametrize("release", ["0.6.12", "0.10.3"])
def test_runs_of_each_version(release: str) -> None:
    witness = one(FORMATS / release)
    assert points(witness, "loss") == {step: 0.693 / step for step in range(1, 13)}
    assert points(witness, "loss", "eval") == {4: 0.125, 8: 0.0625, 12: 0.5 / 12}
    assert {key: datum.value for key, datum in witness.summary.items()} == {"train_loss": 0.179, "train_runtime": 3.5}
    known = {name: setting.value for name, setting in witness.settings.items()}
    assert known == {"learning_rate": 5e-6, "beta": 0.1, "optimizer.name": "adamw"}
    assert (witness.name, witness.status, witness.global_step) == ("tiny", "completed", 12)
    assert not witness.problems


def test_local_logs_stand_in_for_a_missing_file(tmp_path: Path) -> None:
    shutil.copytree(FORMATS / "0.10.3", tmp_path / "swanlog")
    (run,) = (tmp_path / "swanlog").iterdir()
    next(run.glob("*.swanlab")).unlink()
    witness = one(tmp_path)
    assert points(witness, "log 1") == {step: 0.693 / step for step in range(1, 13)}
    assert witness.folder == f"swanlog/{run.name}" and "holds the names of the curves, is missing" in told(witness)
    (run / "logs" / "1").rename(run / "logs" / "train%2Floss")
    assert len(points(one(tmp_path), "loss")) == 12


@pytest.mark.parametrize(("end", "status"), [(1, "completed"), (2, "incomplete"), (3, "incomplete")])
def test_how_the_run_ended(tmp_path: Path, end: int, status: str) -> None:
    records = [message("train/loss", 1, 0.5), field(11, field(1, end))]
    (tmp_path / "run.swanlab").write_bytes(leveldb(HEADER + b"\x02", records))
    assert one(tmp_path).status == status


def test_a_run_whose_end_was_never_written(tmp_path: Path) -> None:
    (tmp_path / "run.swanlab").write_bytes(leveldb(HEADER + b"\x02", [message("train/loss", 0, 0.5)]))
    witness = one(tmp_path)
    assert points(witness, "loss") == {0: 0.5}
    assert witness.status == "unknown" and "never recorded that this run ended" in told(witness)


def test_the_machines_own_curves_are_left_out(tmp_path: Path) -> None:
    records = [line("__swanlab__.mem", 0, 50.0), line("train/loss", 1, 0.5)]
    (tmp_path / "backup.swanlab").write_bytes(leveldb(HEADER + b"\x01", records))
    assert [series.name for series in one(tmp_path).series] == ["loss"]


def test_the_dashboards_database_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "runs.swanlab").write_bytes(b"SQLite format 3\0")
    assert read(tmp_path) == []


@pytest.mark.parametrize("lost", [1, 5, 20])
def test_a_killed_writers_last_record(tmp_path: Path, lost: int) -> None:
    data = leveldb(HEADER + b"\x02", [message("train/loss", step, 0.5) for step in range(1, 6)])
    (tmp_path / "run.swanlab").write_bytes(data[:-lost])
    witness = one(tmp_path)
    assert list(points(witness, "loss")) == [1, 2, 3, 4] and "ends in the middle of record 4" in told(witness)


@given(st.data())
@settings(max_examples=100)
def test_damage_never_raises_and_never_makes_numbers_up(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    make, version = data.draw(st.sampled_from([(message, b"\x02"), (line, b"\x01")]))
    good = leveldb(HEADER + version, [make("train/loss", step, 0.5 * step) for step in range(1, 6)])
    place = data.draw(st.integers(4, len(good) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=20))
    flipped = good[:place] + bytes([good[place] ^ (noise[0] or 1)]) + good[place + 1 :]
    broken = data.draw(st.sampled_from([flipped, good[:place], good[:place] + noise + good[place:]]))
    file = tmp_path_factory.mktemp("damage") / "run.swanlab"
    file.write_bytes(broken)
    witness = one(file)
    found = {(s.name, int(a), float(v)) for s in witness.series for a, v in zip(s.steps, s.values, strict=True)}
    assert found <= {("loss", step, 0.5 * step) for step in range(1, 6)}


@given(
    st.lists(st.one_of(st.binary(max_size=60), st.binary(max_size=40).map(lambda body: field(13, body))), max_size=6)
)
@settings(max_examples=100)
def test_any_records_with_right_checksums_are_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, records: list[bytes]
) -> None:
    file = tmp_path_factory.mktemp("noise") / "run.swanlab"
    odd = [b'{"model_type": "Scalar", "data": {"metric": 1, "key": 2}}', b"{", struct.pack("<d", 1.0)]
    file.write_bytes(leveldb(HEADER + b"\x02", [*records, *odd]))
    assert "none of SwanLab's" in told(one(file))
