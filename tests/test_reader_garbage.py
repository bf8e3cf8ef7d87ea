"""Every reader on broken copies of every family's files: it may find less, it may not raise, and it changes nothing."""

import random
import shutil
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_report.core.folder import Folder
from dpo_report.core.model import Series, Witness
from dpo_report.plugins.readers import register_readers
from dpo_report.plugins.readers.hf.state import LFS
from witnesses import FORMATS, read

READERS = register_readers()
BINARY = {"tensorboard", "wandb", "swanlab"}
"""These have tests of their own."""
FAMILIES = sorted(
    path.name for path in FORMATS.iterdir() if path.is_dir() and path.name not in (*BINARY, "__pycache__")
)


def read_all(path: Path) -> list[Witness]:
    """What all readers tell, each asked as the loader would."""
    folder = Folder.open(path)
    return [witness for reader in READERS if reader.detect(folder) for witness in reader.read(folder)]


def sound(series: Series) -> bool:
    """Whether steps rise and every point has a source."""
    rising = bool((series.steps[1:] > series.steps[:-1]).all())
    return rising and len(series) > 0 and all(series.source_at(place).file for place in range(len(series)))


def spoilt(data: bytes, way: str) -> bytes:
    chance = random.Random(len(data))
    if way == "empty":
        return b""
    if way == "cut":
        return data[: len(data) * 2 // 3]
    if way == "garbage":
        return chance.randbytes(500)
    if way == "pointer":
        return LFS + b"v1\noid sha256:0\nsize 1\n"
    broken = bytearray(data)
    for _ in range(max(1, len(broken) // 50)):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    return bytes(broken)


@pytest.mark.parametrize("way", ["empty", "cut", "garbage", "pointer", "flipped"])
@pytest.mark.parametrize("family", FAMILIES)
def test_spoilt_files(tmp_path: Path, family: str, way: str) -> None:
    run = tmp_path / "run [1], é"
    shutil.copytree(FORMATS / family, run)
    for file in run.rglob("*"):
        if file.is_file() and file.stat().st_size:
            file.write_bytes(spoilt(file.read_bytes(), way))
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    found = read_all(run)
    assert all(sound(series) for witness in found for series in witness.series)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("family", FAMILIES)
def test_whole_files_give_sound_series_under_a_difficult_path(tmp_path: Path, family: str) -> None:
    run = tmp_path / "a b, [c]" / "läuft?#%20"
    shutil.copytree(FORMATS / family, run)
    found = read_all(run)
    assert found and all(sound(series) for witness in found for series in witness.series)


@settings(max_examples=60)
@given(st.data())
def test_databases_with_flipped_bytes(data: st.DataObject) -> None:
    import tempfile

    name = data.draw(st.sampled_from(["mlflow/sqlite/mlflow.db", "trackio/old/old.db"]))
    content = bytearray((FORMATS / name).read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=40)):
        content[place] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / Path(name).name).write_bytes(content)
        for witness in read_all(Path(home)):
            assert all(sound(series) for series in witness.series)


def test_a_zip_bomb_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dpo_report.plugins.readers import archive

    monkeypatch.setattr(archive, "MEMBER", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as inner:
        inner.writestr("experiment.json", "{}")
        inner.writestr("messages.json", b" " * (64 << 20))
    (run,) = read("comet", tmp_path)
    assert "is larger than 1 MiB" in "".join(problem.message for problem in run.problems)


def test_a_view_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    from dpo_report.core.model import Problem
    from dpo_report.plugins.readers import sqlitedb

    monkeypatch.setattr(sqlitedb, "SECONDS", 0.2)
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute("create table t (a)")
    connection.commit()
    connection.close()
    folder = Folder.open(tmp_path)
    problems: list[Problem] = []
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    with sqlitedb.opened(folder, folder.entries[0], problems) as database:
        assert database is not None and list(database.rows(endless)) == []
        assert database.columns("t") == ["a"] and database.columns("missing") == []
    assert "interrupted" in problems[0].message
