"""Trackers' files that were cut off or damaged: the run's account says which, why, and what to do."""

import json
import sqlite3
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from dpo_report.core.cli import main
from dpo_report.core.loader import load
from dpo_report.core.model import Run
from dpo_report.plugins import reading
from dpo_report.plugins.readers import archive

FORMATS = Path(__file__).parent / "formats"
ARCHIVES = {"clearml": FORMATS / "clearml/archive/offline-12.zip", "comet": FORMATS / "comet/comet/ab12.zip"}
DATABASES = {"old.db": FORMATS / "trackio/old/old.db", "tiny.db": FORMATS / "trackio/trackio/tiny dpo.db"}


def flipped(data: bytes, *places: int) -> bytes:
    changed = bytearray(data)
    for place in places:
        changed[place] ^= 0xFF
    return bytes(changed)


def account(file: Path, data: bytes, capsys: pytest.CaptureFixture[str]) -> Run:
    """The run in a folder that holds nothing but that file; ``inspect`` names the file first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    run = load(file.parent)
    unread = reading.unread_log(run)
    assert unread is not None
    assert unread.where == file.name
    assert unread.hint.startswith("copy it again")
    assert main(["inspect", str(file.parent)]) == 0
    told = capsys.readouterr()
    assert told.err.startswith(f"problem: {file.name}: ")
    assert "No held-out data" not in " ".join(told.out.split())
    return run


@pytest.mark.parametrize("reader", ARCHIVES)
@pytest.mark.parametrize("left", [-30, 0.5])
def test_an_archive_without_its_end_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reader: str, left: float
) -> None:
    whole = ARCHIVES[reader].read_bytes()
    data = whole[:left] if isinstance(left, int) else whole[: int(len(whole) * left)]
    run = account(tmp_path / "run" / ARCHIVES[reader].name, data, capsys)
    assert run.reader == reader
    assert "broken archive" in run.problems[0].message


def test_a_broken_archive_of_something_else_is_none_of_a_trackers(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as inner:
        inner.writestr("policy.pth", b"weights")
    whole = (tmp_path / "model.zip").read_bytes()
    (tmp_path / "model.zip").write_bytes(whole[:-30])
    (tmp_path / "loss.csv").write_text("step,loss\n1,0.7\n2,0.6\n3,0.5\n")
    run = load(tmp_path)
    assert run.get("loss") is not None
    assert not [problem for problem in run.problems if "model.zip" in problem.where]


@pytest.mark.parametrize("name", DATABASES)
def test_a_database_whose_tables_are_gone_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    whole = DATABASES[name].read_bytes()
    for place, data in (("flip", flipped(whole, 100, 105)), ("half", whole[: len(whole) // 2])):
        run = account(tmp_path / place / name, data, capsys)
        assert run.reader == "trackio"
        assert run.problems[0].message.startswith("is damaged or no whole database")
    run = account(tmp_path / "trackio" / name, b"\x00" * 64 + whole[64:], capsys)
    assert run.problems[0].message == "is no SQLite database"


def test_the_rows_before_the_damage_are_used(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as made:
        made.execute("create table metrics (id integer primary key, timestamp, run_name, step, metrics)")
        rows = [("t", "one", step, json.dumps({"loss": 1 / step, "note": "x" * 900})) for step in range(1, 200)]
        made.executemany("insert into metrics (timestamp, run_name, step, metrics) values (?, ?, ?, ?)", rows)
    made.close()
    whole = (tmp_path / "x.db").read_bytes()
    (tmp_path / "x.db").write_bytes(whole[: len(whole) // 2])
    run = load(tmp_path)
    loss = run.get("loss")
    assert loss is not None
    assert 60 < len(loss) < 130
    assert "what is left of it is read" in run.problems[0].message


def test_a_database_of_something_else_stays_unread(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"no database, though create table metrics of run_name stands in it")
    (tmp_path / "loss.csv").write_text("step,loss\n1,0.7\n2,0.6\n3,0.5\n")
    assert [witness.reader for witness in load(tmp_path).witnesses] == ["general"]


@pytest.mark.parametrize("line", [b" " * (1 << 20), (b'{"payload": {}, "x": "' + b"y" * 1000 + b'"}\n') * 1024])
def test_a_zip_bomb_takes_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes) -> None:
    monkeypatch.setattr(archive, "MEMBER", 20 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as inner:
        inner.writestr("experiment.json", "{}")
        with inner.open("messages.json", "w") as member:
            for _ in range(24):
                member.write(line)
    tracemalloc.start()
    try:
        run = load(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "messages.json is larger than 20 MiB; the rest is left out" in {one.message for one in run.problems}
    assert peak < 60 << 20


def test_a_member_that_is_taken_whole_has_a_smaller_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "WHOLE", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as inner:
        inner.writestr("experiment.json", json.dumps({"experiment_name": "x" * (2 << 20)}))
        inner.writestr("messages.json", "")
    problems = [problem.message for problem in load(tmp_path).problems]
    assert "experiment.json is larger than 1 MiB; the rest is left out" in problems
