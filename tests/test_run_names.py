"""Runs are asked for by their own names, whatever characters those have, also where one file holds several runs."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dpo_report.core.cli import main
from dpo_report.core.loader import load, load_all
from dpo_report.core.manager import Host

FORMATS = Path(__file__).parent / "formats"
NAMES = ["outputs/dpo", "outputs-dpo", "/home/me/out", "../../up", "..", "line\nbreak", "ß [1], 漢", "a" * 300, "-x"]


def test_runs_of_a_database_are_reported_whatever_they_are_called(tmp_path: Path) -> None:
    """A run's name often is its output directory: the Trainer named runs so."""
    home = tmp_path / "store"
    home.mkdir()
    with closing(sqlite3.connect(home / "mlflow.db")) as store, store:
        store.execute("create table runs (run_uuid text, name text, status text, lifecycle_stage text)")
        store.execute("create table metrics (run_uuid text, key text, value real, step integer, timestamp integer)")
        for number, name in enumerate(NAMES):
            store.execute("insert into runs values (?, ?, 'FINISHED', 'active')", (f"{number:08}" * 4, name))
            rows = [(f"{number:08}" * 4, "loss", number + 1 / step, step, step) for step in range(1, 9)]
            store.executemany("insert into metrics values (?, ?, ?, ?, ?)", rows)
    runs = load_all(home, Host(discover=False))
    assert sorted(run.witnesses[0].name for run in runs) == sorted(NAMES)
    for run in runs:
        alone = load(home / run.witnesses[0].identity, host=Host(discover=False))
        assert alone.witnesses[0].name == run.witnesses[0].name
        assert alone.series["loss", "train"].values.tolist() == run.series["loss", "train"].values.tolist()
    for place in (home, home / "mlflow.db"):
        out = tmp_path / f"of {place.name}"
        assert main(["build", str(place), "--all", "-f", "json", "-j", "1", "-q", "-o", str(out)]) == 0
        made = [json.loads(file.read_text())["runs"][0] for file in out.glob("*/report.json")]
        assert len({one["series"][0]["last"]["value"] for one in made}) == len(NAMES)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["of mlflow.db", "of store", "store"]


def test_runs_of_trackio_whose_names_are_paths_stay_apart(tmp_path: Path) -> None:
    shutil.copytree(FORMATS / "trackio" / "old", tmp_path / "trackio")
    with closing(sqlite3.connect(tmp_path / "trackio" / "old.db")) as store, store:
        store.execute("update metrics set run_name = 'outputs/dpo' where run_name = 'first'")
        store.execute("update metrics set run_name = 'outputs-dpo' where run_name = 'second'")
    runs = load_all(tmp_path, Host(discover=False))
    assert {run.witnesses[0].name for run in runs} == {"outputs/dpo", "outputs-dpo"}
    assert len({run.witnesses[0].identity for run in runs}) == 2
    for run in runs:
        place = run.directory / run.witnesses[0].identity
        assert load(place, host=Host(discover=False)).witnesses[0].name == run.witnesses[0].name


def test_what_a_file_of_several_runs_offers_exists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = shutil.copy(FORMATS / "mlflow" / "sqlite" / "mlflow.db", tmp_path)
    assert main(["build", str(file)]) == 1
    told = capsys.readouterr().err
    path = told.partition("for example ")[2].partition(", or report each: dpo-report build ")
    assert Path(path[0]).parent == tmp_path and path[2].startswith(f"{tmp_path} --all")
    assert main(["inspect", path[0]]) == 0
