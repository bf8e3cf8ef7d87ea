"""MLflow's stores of many runs: what a list says of them, and each run by itself."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from dpo_report.core.cli import main
from dpo_report.core.errors import ReportError
from dpo_report.core.folder import Folder
from dpo_report.core.listing import survey
from dpo_report.core.loader import load, load_all
from dpo_report.core.manager import Host
from dpo_report.plugins.readers.mlflow import reader as mlflow
from glanced import agree, interval, of_whole, seen
from reads import bytes_read


def points(steps: Iterable[int], worth: float = 0.75) -> list[str]:
    return [f"{1_700_000_000_000 + 40 * number} {worth - step / 4096} {step}\n" for number, step in enumerate(steps)]


def stored(run: Path, metrics: dict[str, list[str]], status: int = 3, **params: object) -> None:
    """A run of MLflow's file store."""
    for kind, texts in (("metrics", metrics), ("params", params), ("tags", {"mlflow.user": "me"})):
        for key, told in texts.items():
            file = run / kind / key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(told) if isinstance(told, list) else str(told))
    (run / "meta.yaml").write_text(f"run_id: {run.name}\nrun_name: mine\nstatus: {status}\n")
    (run.parent / "meta.yaml").write_text("experiment_id: 0\n")


LOSSES = points(range(1, 3001))
ODD_METRICS: dict[str, list[str]] = {
    "even": LOSSES,
    "every tenth step": points(range(10, 9000, 10)),
    "begins late": points(range(2001, 5000)),
    "resumed, and killed before it got as far": LOSSES + points(range(1500, 2000)),
    "a last line that is torn": [*LOSSES, "17000"],
    "a first line that is none": ["\x00\x00\x00", *LOSSES],
    "no number in the middle": [*LOSSES[:1500], "1700000000000 nan 1501\n", *LOSSES[1501:]],
    "no number at the end": [*LOSSES, "1700000000000 nan 3001\n"],
    "infinity at the end": [*LOSSES, "1700000000000 1.7976931348623157e+308 3001\n"],
    "no word of the steps": [line.rpartition(" ")[0] + "\n" for line in LOSSES],
    "each step twice": [line for line in LOSSES for _ in range(2)],
    "a gap of some thousand steps": LOSSES + points(range(9001, 9500)),
    "line breaks of Windows": [line[:-1] + "\r\n" for line in LOSSES],
    "nothing": [],
}


@pytest.mark.parametrize("name", ODD_METRICS)
def test_a_metric_of_mlflow_is_told_alike_whatever_its_lines_are(name: str, tmp_path: Path) -> None:
    stored(
        tmp_path / "mlruns" / "0" / "abc",
        {"loss": ODD_METRICS[name], "grad_norm": LOSSES[:100], "lr": LOSSES[:20]},
        beta=0.1,
    )
    (quick,) = agree(mlflow.READER, tmp_path)
    (whole,) = mlflow.READER.read(Folder.open(tmp_path))
    assert interval(quick) == interval(whole)
    assert {key: one.value for key, one in quick.settings.items()} == {"beta": 0.1}


def test_of_a_metric_of_mlflow_little_is_read(tmp_path: Path) -> None:
    stored(tmp_path / "mlruns" / "0" / "abc", {f"train/{name}": LOSSES for name in "abcdef"})
    glance = mlflow.READER.glance
    assert glance is not None
    agree(mlflow.READER, tmp_path)  # what it imports is read too
    assert bytes_read(lambda: list(glance(Folder.open(tmp_path)))) < 60_000
    assert (tmp_path / "mlruns" / "0" / "abc" / "metrics" / "train" / "a").stat().st_size > 90_000


@pytest.mark.parametrize("beside", ["", "notes.md", "mlruns/0/a/artifacts/log.csv", "log.csv", "mlruns/mlflow.db"])
def test_runs_of_one_store_are_listed_as_reading_whole_tells_them(beside: str, tmp_path: Path) -> None:
    """What lies beside them is not left out."""
    for number, name in enumerate("abc"):
        metrics = {"loss": points(range(1, 600 + number), number), "eval_loss": points(range(100, 600, 100))}
        stored(tmp_path / "mlruns" / "0" / name, metrics, 3 - (number == 2), seed=number)
    if beside:
        (tmp_path / beside).parent.mkdir(exist_ok=True)
        (tmp_path / beside).write_text("step,loss\n1,0.5\n2,0.25\n3,0.125\n")
    listed = survey(tmp_path, Host(discover=False)).all
    assert [seen(one) for one in listed] == of_whole(tmp_path)
    assert [(one.path, one.step) for one in listed if one.name == "mine"] == [
        ("mlruns/0/a", 599),
        ("mlruns/0/b", 600),
        ("mlruns/0/c", 601),
    ]
    assert (listed[0].path == ".") == (beside == "log.csv")


def test_runs_of_one_store_are_runs_of_their_own_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, called in (("a" * 32, "first"), ("b" * 32, "se\x1b[31mcond")):
        stored(tmp_path / "mlruns" / "0" / name, {"loss": points(range(1, 30))}, seed=len(called))
        meta = tmp_path / "mlruns" / "0" / name / "meta.yaml"
        meta.write_text(meta.read_text().replace("mine", json.dumps(called)))
        (meta.parent / "artifacts").mkdir()
        (meta.parent / "artifacts" / f"{name[0]}.pkl").write_bytes(b"model")
    assert main(["inspect", str(tmp_path)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split()[:3] == ["run", "name", "method"] and shown[1].split()[:2] == [
        "mlruns/0/" + "a" * 32,
        "first",
    ]
    assert "\x1b" not in "".join(shown) and "cond" in shown[2]
    run = load(tmp_path / "mlruns" / "0" / ("a" * 32))
    assert run.name == "first"
    assert {file.path for file in run.files} == {
        "meta.yaml", "metrics/loss", "params/seed", "tags/mlflow.user", "artifacts/a.pkl"
    }  # fmt: skip


def database(path: Path, steps: dict[str, int], index: str = "run_uuid, key, step", latest: bool = True) -> Path:
    """A store of MLflow's that holds runs with so many steps; of the last one MLflow does not know that it ended."""
    ends = [*["FINISHED"] * (len(steps) - 1), "RUNNING"]
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("create table runs (run_uuid, name, status, lifecycle_stage)")
        store.execute("create table params (key, value, run_uuid)")
        tables = ["metrics", "latest_metrics"] if latest else ["metrics"]
        for table in tables:
            store.execute(f"create table {table} (key, value, timestamp, run_uuid, step, is_nan)")
        if index:
            store.execute(f"create index points on metrics ({index})")
        for number, ((name, last), end) in enumerate(zip(steps.items(), ends, strict=True)):
            store.execute("insert into runs values (?, ?, ?, 'active')", (name * 32, f"run-{name}", end))
            store.execute("insert into params values ('seed', ?, ?)", (str(number), name * 32))
            for key in ("loss", "eval_loss", "grad_norm"):
                every = 10 if key == "eval_loss" else 1
                rows = [
                    (key, number + 1 / step, 1000 * step, name * 32, step, key == "grad_norm" and step == last)
                    for step in range(every, last + 1, every)
                ]
                for table, some in zip(tables, (rows, rows[-1:]), strict=False):
                    store.executemany(f"insert into {table} values (?, ?, ?, ?, ?, ?)", some)
    return path


@pytest.mark.parametrize("latest", [True, False])
@pytest.mark.parametrize("index", ["run_uuid, key, step", "run_uuid", ""])
def test_runs_of_one_database_are_listed_as_reading_whole_tells_them(index: str, latest: bool, tmp_path: Path) -> None:
    database(tmp_path / "mlflow.db", {"a": 500, "b": 300, "c": 410}, index, latest)
    for name in ("model.pkl", "MLmodel", "conda.yaml"):
        (tmp_path / "mlruns" / "0" / "a" / "artifacts").mkdir(parents=True, exist_ok=True)
        (tmp_path / "mlruns" / "0" / "a" / "artifacts" / name).write_text("name: mine\n")
    listed = survey(tmp_path, Host(discover=False)).all
    assert [seen(one) for one in listed] == of_whole(tmp_path)
    assert [one.step for one in listed] == [500, 300, 410]
    intervals = [one.span.interval if one.span else None for one in listed]
    assert intervals == [1, 1, 1] or (latest and "key" not in index)
    assert not any(one.copy_of for one in listed)


def test_a_run_of_a_database_is_read_by_itself(tmp_path: Path) -> None:
    """Also in a folder of very many files."""
    database(tmp_path / "mlflow.db", {"a": 50, "b": 30, "c": 40})
    runs = {run.witnesses[0].identity: run for run in load_all(tmp_path, Host(discover=False))}
    for number in range(2_001):
        (tmp_path / f"weights-{number}.bin").touch()
    for identity, whole in runs.items():
        run = load(tmp_path / identity, host=Host(discover=False))
        assert (run.name, run.global_step, run.settings) == (whole.name, whole.global_step, whole.settings)
        assert [repr(one.values) for one in run.series.values()] == [repr(one.values) for one in whole.series.values()]
    with pytest.raises(ReportError, match="no such file"):
        load(tmp_path / "run-d-dddddddd", host=Host(discover=False))


def test_of_a_database_the_latest_values_suffice(tmp_path: Path) -> None:
    database(tmp_path / "mlflow.db", {"a": 50, "b": 30})
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as store, store:
        store.execute("delete from metrics where step between 6 and 29")
    host = Host(discover=False)
    assert [(one.step, one.loss) for one in survey(tmp_path, host).all] == [(50, 1 / 50), (30, 1 + 1 / 30)]


def test_runs_of_one_file_are_no_copies_and_tell_only_their_own_end(tmp_path: Path) -> None:
    database(tmp_path / "mlflow.db", {"a": 50, "b": 50, "c": 50})
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as store, store:
        store.execute("update runs set status = case name when 'run-b' then 'RUNNING' else 'FINISHED' end")
        for table in ("metrics", "latest_metrics"):
            store.execute(f"update {table} set value = 1.0 / step where not is_nan")
    host = Host(discover=False)
    assert [one.copy_of for one in survey(tmp_path, host).all] == ["", "", ""]
    told = ["never recorded" in str(run.problems) for run in load_all(tmp_path, host)]
    assert told == [False, True, False]


def test_deleted_runs_of_a_file_store_are_left_out(tmp_path: Path) -> None:
    for name, stage in (("a", "active"), ("b", "deleted"), ("c", "active")):
        stored(tmp_path / "mlruns" / "0" / name, {"loss": points(range(1, 30))}, seed=ord(name))
        with (tmp_path / "mlruns" / "0" / name / "meta.yaml").open("a") as meta:
            meta.write(f"lifecycle_stage: {stage}\n")
    host = Host(discover=False)
    assert [one.path for one in survey(tmp_path, host).all] == ["mlruns/0/a", "mlruns/0/c"]
    assert [run.directory.name for run in load_all(tmp_path, host)] == ["a", "c"]


@pytest.mark.parametrize(("count", "said"), [(1, "logged once, without a step"), (6, "the last value is used")])
def test_metrics_that_were_logged_without_steps_are_told_as_that(count: int, said: str, tmp_path: Path) -> None:
    lines = [f"{1_700_000_000_000 + number} {1 / (number + 1)} 0\n" for number in range(count)]
    stored(tmp_path / "mlruns" / "0" / "a", {"loss": lines})
    run = load(tmp_path)
    assert not run.series and run.summary["loss"].value == 1 / count
    assert [said in problem.message for problem in run.problems] == [True]
