"""Files that grow while they are watched: what was read is not read again, and the run is the one a fresh look sees."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from binary import event_file, field, leveldb, scalar, tfrecord
from dpo_report.core.errors import ReportError
from dpo_report.core.growing import Memory, remembering, unchanged
from dpo_report.core.loader import load
from dpo_report.core.manager import Host
from dpo_report.core.model import Run
from dpo_report.plugins.readers.swanlab import store as swanlab_store
from dpo_report.plugins.readers.wandb import store as wandb_store

NAME = "events.out.tfevents.1700000000.host.7.0"
HOST = Host(disabled=["all"])


def events(count: int) -> bytes:
    """A log with two curves that is not too regular: steps of all widths, a NaN, a text-like tag now and then."""
    rows = []
    for step in range(count):
        rows.append(scalar("train/loss", step * 60, float("nan") if step == 5 else 0.7 - step / 999))
        if step % 3 == 0:
            rows.append(scalar("eval/loss", step * 60, 0.6))
    return event_file(rows)


def watched(path: Path, memory: Memory) -> Run | None:
    with remembering(memory):
        try:
            return load(path, host=HOST)
        except ReportError:
            return None


def grown(file: Path, data: bytes, cuts: list[int], memory: Memory) -> Run:
    """What was read last of a file that grew from cut to cut."""
    for cut in [*sorted(cuts), len(data)]:
        file.write_bytes(data[:cut])
        run = watched(file.parent, memory)
    assert run is not None
    return run


def same(one: Run, other: Run) -> None:
    assert one.series.keys() == other.series.keys()
    for key, series in one.series.items():
        other_one = other.series[key]
        for mine, theirs in ((series.steps, other_one.steps), (series.values, other_one.values)):
            np.testing.assert_array_equal(mine, theirs)
        assert [str(series.source_at(i)) for i in range(len(series))] == [
            str(other_one.source_at(i)) for i in range(len(series))
        ]
    plain = [replace(run, series={}, witnesses=(), files=()) for run in (one, other)]
    assert plain[0] == plain[1]


@given(cuts=st.lists(st.integers(0, 4200), max_size=8), window=st.sampled_from([1 << 21, 300]))
@settings(max_examples=25, deadline=None)
def test_a_growing_event_file_is_read_as_a_whole_one(
    cuts: list[int], window: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from dpo_report.plugins.readers import tfrecords

    folder = tmp_path_factory.mktemp("run")
    data, memory = events(50), Memory()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfrecords, "WINDOW", window)
        for cut in [*sorted(cuts), len(data)]:
            (folder / NAME).write_bytes(data[:cut])
            run = watched(folder, memory)
    assert run is not None
    assert not memory.loose
    same(run, load(folder, host=HOST))


def test_only_new_bytes_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dpo_report.plugins.readers.tensorboard.scalars import Scalars

    taken: list[int] = []
    add = Scalars.add
    monkeypatch.setattr(
        Scalars, "add", lambda self, piece: (taken.append(len(piece.lengths)), add(self, piece))[1], raising=True
    )
    (tmp_path / NAME).write_bytes(events(50))
    memory = Memory()
    watched(tmp_path, memory)
    assert sum(taken) == 68
    taken.clear()
    watched(tmp_path, memory)
    assert sum(taken) == 0
    with (tmp_path / NAME).open("ab") as stream:
        stream.write(tfrecord(scalar("train/loss", 9000, 0.1)) + tfrecord(scalar("train/loss", 9060, 0.1))[:20])
    run = watched(tmp_path, memory)
    assert sum(taken) == 1
    assert run is not None and len(run.series["loss", "train"]) == 51
    assert memory.loose, "half a record is still to come"
    assert not any("middle" in problem.message for problem in run.problems)
    assert any("middle" in problem.message for problem in load(tmp_path, host=HOST).problems)


@pytest.mark.parametrize("change", ["shorter", "rewritten", "replaced", "damaged end"])
def test_what_is_not_the_same_file_any_more_is_read_anew(tmp_path: Path, change: str) -> None:
    file, memory = tmp_path / NAME, Memory()
    data = events(50)
    file.write_bytes(data if change != "damaged end" else data[:-40] + bytes(40))
    watched(tmp_path, memory)
    if change == "shorter":
        file.write_bytes(events(20))
    elif change == "rewritten":
        file.write_bytes(event_file([scalar("train/loss", step, 0.25) for step in range(200)]))
    elif change == "replaced":
        file.rename(tmp_path / "kept")
        file.write_bytes(data + tfrecord(scalar("train/loss", 9000, 0.1)))
        (tmp_path / "kept").unlink()
    else:
        file.write_bytes(data)
    run = watched(tmp_path, memory)
    assert run is not None
    same(run, load(tmp_path, host=HOST))


def test_outside_of_a_watcher_nothing_is_kept(tmp_path: Path) -> None:
    made = []
    file = tmp_path / "a"
    file.write_text("x")
    for _ in range(2):
        unchanged(file, "test", lambda: made.append(1))
    assert len(made) == 2


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    made = []
    file, memory = tmp_path / "a", Memory()
    file.write_text("x")

    def look() -> None:
        with remembering(memory):
            unchanged(file, "test", lambda: made.append(1))

    look()
    look()
    assert len(made) == 1
    os.utime(file, (1, 1))
    look()
    assert len(made) == 2
    memory.clear()
    look()
    assert len(made) == 3
    file.unlink()
    look()
    assert len(made) == 4
    assert not memory.wholes, "what is gone is forgotten"


def jsonl(count: int) -> bytes:
    rows = [
        f'{{"current_steps": {n}, "total_steps": 99, "loss": {0.7 - n / 99:.6f}, "lr": 5e-06}}' for n in range(1, count)
    ]
    rows[3:3] = ["{broken", "[]", '{"loss": 1}', "", "\xff"]
    return "\n".join(rows).encode("latin-1") + b"\n"


def csv(count: int) -> bytes:
    rows = [f"{n},{0.7 - n / 99:.6f},{n / 99:.4f}" for n in range(1, count)]
    rows[5:5] = ["", "# a remark", "5,0.1", "step,loss,epoch", "1,0.7,0.1", "2,0.6,0.2"]
    return b"step,loss,epoch\n" + "\n".join(rows).encode() + b"\n"


def console(count: int) -> bytes:
    rows = [f"Step {n} | loss:{0.7 - n / 99:.4f} lr:2e-05 tokens_per_second_per_gpu:812" for n in range(1, count)]
    rows[2:2] = ["  3%|#   | 1/30\r 6%|##  | 2/30", "Traceback: none", ""]
    return "\n".join(rows).encode() + b"\n"


@pytest.mark.parametrize(
    ("name", "made"),
    [("trainer_log.jsonl", jsonl), ("logging.jsonl", jsonl), ("log.csv", csv), ("log_1700000000.txt", console)],
)
@given(cuts=st.lists(st.integers(0, 1500), max_size=6))
@settings(max_examples=15, deadline=None)
def test_a_growing_log_of_rows_is_read_as_a_whole_one(
    cuts: list[int], name: str, made: Callable[[int], bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, memory = tmp_path_factory.mktemp("run"), Memory()
    run = grown(folder / name, made(30), cuts, memory)
    same(run, load(folder, host=HOST))


def test_rows_are_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dpo_report.plugins.readers import tabular

    parsed: list[str] = []
    parse = tabular.parse_json
    monkeypatch.setattr(tabular, "parse_json", lambda text: (parsed.append(text), parse(text))[1])
    file, memory, data = tmp_path / "trainer_log.jsonl", Memory(), jsonl(30)
    file.write_bytes(data)
    watched(tmp_path, memory)
    first = len(parsed)
    with file.open("ab") as stream:
        stream.write(b'{"current_steps": 30, "total_steps": 99, "loss": 0.1, "lr": 1e-06}\n{"current_steps": 31, "tot')
    run = watched(tmp_path, memory)
    assert run is not None
    assert run.series["loss", "train"].steps[-1] == 30
    assert len(parsed) == first + 1
    assert memory.loose


def test_text_that_is_not_utf_8_is_read_whole(tmp_path: Path) -> None:
    file, memory = tmp_path / "trainer_log.jsonl", Memory()
    for count in (10, 20):
        file.write_bytes(jsonl(count).decode("latin-1").replace("\xff", "").encode("utf-16"))
        run = watched(tmp_path, memory)
    assert run is not None
    same(run, load(tmp_path, host=HOST))


def items(values: dict[str, object]) -> bytes:
    return b"".join(field(1, field(1, key) + field(16, json.dumps(value))) for key, value in values.items())


def wandb(count: int) -> bytes:
    """A run with a record that is longer than a block, summaries, settings that change, and records of nothing."""
    about = items({"learning_rate": 5e-6, "beta": 0.1, "note": "x" * 40_000})
    records = [field(17, field(1, "id") + field(4, about) + field(8, "mine"))]
    for n in range(1, count):
        values: dict[str, object] = {"train/loss": 0.7 - n / 999, "train/grad_norm": "NaN" if n == 5 else n / 7}
        if n % 3 == 0:
            values = {"eval/loss": 0.6, "eval/runtime": 1.5}
        records.append(field(2, items({**values, "train/global_step": n, "_step": n})))
        records.append(field(3, items({**values, f"train/last_{n % 4}": n})))
    records[9:9] = [field(5, field(1, items({"beta": 0.2}))), b"\xff", field(3, b"\x0a\x05")]
    records[12:12] = [field(5, items({"beta": 0.3}))]
    records[99:99] = [field(5, items({"learning_rate": 1e-6}))]
    return leveldb(b":W&B\xe1\xbe\x00", [*records, field(18, b"")])


def swanlab(count: int) -> bytes:
    records = [field(10, field(4, "mine" * 12_000))]
    for n in range(1, count):
        keys = ("train/loss", "train/grad_norm", "eval/loss")[: 2 + (n % 3 == 0)]
        records += [field(13, field(1, key) + field(2, n) + field(5, field(1, 0.7 - n / 999))) for key in keys]
    records[5:5] = [b"\xff"]
    return leveldb(b":SWL\xd6\xe1\x02", [*records, field(11, field(1, 1))])


def swanlab_json(count: int) -> bytes:
    records = [{"model_type": "Experiment", "data": {"name": "mine" * 12_000}}]
    for n in range(1, count):
        point = {"metric": {"index": n, "data": 0.7 - n / 999}, "key": "train/loss", "step": n}
        records.append({"model_type": "Scalar", "data": point})
    told = [json.dumps(one).encode() for one in [*records, {"model_type": "Footer", "data": {"success": True}}]]
    return leveldb(b":SWL\xd6\xe1\x01", [*told[:7], b"{", *told[7:]])


RECORDS = [("run-id.wandb", wandb), ("run.swanlab", swanlab), ("backup.swanlab", swanlab_json)]
PLACES = st.one_of(
    st.integers(0, 90_000), st.builds(lambda block, by: 32768 * block + by, st.integers(1, 2), st.integers(-12, 12))
)


@pytest.mark.parametrize(("name", "made"), RECORDS)
@given(cuts=st.lists(PLACES, max_size=6))
@example(cuts=[48_000, 60_000])
@settings(max_examples=15, deadline=None)
def test_a_growing_log_of_records_is_read_as_a_whole_one(
    cuts: list[int], name: str, made: Callable[[int], bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, memory = tmp_path_factory.mktemp("run"), Memory()
    run = grown(folder / name, made(150), cuts, memory)
    assert not memory.loose
    same(run, load(folder, host=HOST))
    assert any("none of" in problem.message for problem in run.problems)


@pytest.mark.parametrize(
    ("name", "made", "module", "taker"),
    [(*RECORDS[0], wandb_store, "_history"), (*RECORDS[1], swanlab_store, "_scalar")],
)
def test_records_are_taken_in_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, made: Callable[[int], bytes], module: object, taker: str
) -> None:
    taken: list[int] = []
    take = getattr(module, taker)
    monkeypatch.setattr(module, taker, lambda store, record, *rest: (taken.append(record), take(store, record, *rest)))
    file, memory, data = tmp_path / name, Memory(), made(150)
    file.write_bytes(data[:-400])
    watched(tmp_path, memory)
    watched(tmp_path, memory)
    assert memory.loose
    first = len(taken)
    assert first == len(set(taken)) > 90
    file.write_bytes(data[:-30])
    run = watched(tmp_path, memory)
    assert first < len(taken) == len(set(taken))
    assert run is not None and not any("in the middle" in problem.message for problem in run.problems)
    assert any("in the middle" in problem.message for problem in load(tmp_path, host=HOST).problems)


@pytest.mark.parametrize(("name", "made"), RECORDS)
def test_a_damaged_log_of_records_is_read_anew(name: str, made: Callable[[int], bytes], tmp_path: Path) -> None:
    data, memory = made(150), Memory()
    for there in (data[:-300] + bytes([data[-300] ^ 1]) + data[-299:], data):
        (tmp_path / name).write_bytes(there)
        run = watched(tmp_path, memory)
        assert run is not None
        same(run, load(tmp_path, host=HOST))
    assert not any("checksum" in problem.message for problem in run.problems)
