"""Many runs below one folder: listed with what distinguishes them, reported all, by one process or many."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dpo_report.core import build, many
from dpo_report.core.cli import main
from dpo_report.core.commands import all_runs
from dpo_report.core.errors import ReportError
from dpo_report.core.folder import Folder
from dpo_report.core.listed import Listed
from dpo_report.core.listing import survey
from dpo_report.core.loader import load, load_all
from dpo_report.core.manager import Host
from dpo_report.core.many import Failure, Where, each
from dpo_report.core.model import Run
from dpo_report.core.progress import progress
from dpo_report.core.siblings import bundled, told, unbundled
from reads import bytes_read
from tasks import killed, square

RUNS = Path(__file__).parent / "runs"


def state(folder: Path, rows: int = 4, planned: int = 4, loss: float = 0.7) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    history = [{"loss": loss - step / 100, "grad_norm": 1.5 + step / 7, "step": step} for step in range(1, rows + 1)]
    whole = {"epoch": 1.0, "global_step": rows, "log_history": history, "max_steps": planned}
    (folder / "trainer_state.json").write_text(json.dumps(whole, indent=2))


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """Three real seeds, one of them twice, a torn run, and a link."""
    parent = tmp_path / "sweep"
    shutil.copytree(RUNS / "dpo-seeds", parent)
    shutil.copytree(parent / "seed-2", parent / "latest-run")
    (parent / "newest").symlink_to(parent / "seed-3")
    return parent


def test_a_parent_is_listed_with_what_distinguishes_its_runs(parent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(parent)]) == 0
    told = capsys.readouterr()
    header, *rows = told.out.splitlines()
    assert header.split() == ["run", "method", "status", "steps", "last", "loss", "seed"]
    assert rows[0].split() == ["latest-run", "a", "copy", "of", "seed-2"]
    runs = [load(parent / f"seed-{seed}") for seed in (1, 2, 3)]
    for seed, row, run in zip((1, 2, 3), rows[1:], runs, strict=True):
        last = f"{run.series['loss', 'train'].values[-1]:.4g}"
        assert row.split() == [f"seed-{seed}", "dpo", "completed", "16/16", last, str(seed)]
    assert f"dpo-report build {parent} --all -o DIR" in told.err


def test_the_example_of_a_parent_is_a_whole_run_and_no_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "my runs"
    (home / "a broken").mkdir(parents=True)
    (home / "a broken" / "trainer_state.json").write_text('{"log_hist')
    shutil.copytree(RUNS / "dpo-killed", home / "b killed")
    for name in ("c latest", "d whole"):
        shutil.copytree(RUNS / "dpo-seeds" / "seed-1", home / name)
    for given, example in (("my runs/", "'my runs/d whole'"), (".", "'d whole'")):
        monkeypatch.chdir(tmp_path if given != "." else home)
        assert main(["inspect", given]) == 0
        assert f"for example {example}, or report each" in capsys.readouterr().err
        assert main(["build", given]) == 1
        assert "c latest" not in (told := capsys.readouterr().err).partition("choose one")[2]
        assert f"for example {example}, or report each" in told


def test_the_list_for_programs(parent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(parent), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["runs"]
    assert [(row["path"], row["copy_of"], row["settings"].get("seed")) for row in rows] == [
        ("latest-run", "seed-2", 2), ("seed-1", None, 1), ("seed-2", None, 2), ("seed-3", None, 3),
    ]  # fmt: skip


def test_the_list_reads_no_more_of_a_state_than_its_ends(tmp_path: Path) -> None:
    for number in range(3):
        state(tmp_path / f"run-{number}", rows=5000, planned=6000, loss=100.0 + number)
    host = Host(discover=False)
    found: list[Listed] = []
    assert host.readers  # importing them reads too
    survey(RUNS / "dpo-seeds", host)
    assert bytes_read(lambda: found.extend(survey(tmp_path, host).listed)) < 3 * 20_000
    assert [(one.path, one.status, one.step, one.planned, one.loss) for one in found] == [
        (f"run-{number}", "incomplete", 5000, 6000, pytest.approx(100 + number - 50)) for number in range(3)
    ]
    assert min((tmp_path / f"run-{n}" / "trainer_state.json").stat().st_size for n in range(3)) > 300_000


def test_the_list_says_what_reading_whole_says(tmp_path: Path) -> None:
    """Killed, diverged, and resumed runs, those with an older state on top, and two runs in one folder."""
    names = ["dpo-killed", "dpo-nan", "dpo-resumed", "dpo-log1", "two-runs-one-folder", "kto", "orpo", "dpo-eval"]
    for name in names:
        shutil.copytree(RUNS / name, tmp_path / name)
    state(tmp_path / "older" / "checkpoint-4", rows=4)
    state(tmp_path / "older", rows=2)
    host = Host(discover=False)
    listed = {one.path: one for one in survey(tmp_path, host).listed}
    assert set(listed) >= {*names, "older", "two-runs-one-folder/checkpoint-16"}
    for name in (*names, "older"):
        run = load(tmp_path / name, host=host)
        one = listed[name]
        loss = run.get("loss")
        assert (one.method, one.status, one.step, one.planned) == (
            run.method, run.status, run.global_step, run.max_steps,
        )  # fmt: skip
        assert (one.loss is None) == (loss is None)
        if loss is not None and one.loss is not None:
            at = np.flatnonzero(loss.steps <= run.global_step)[-1]
            assert one.loss == loss.values[at]


def test_what_torn_states_do_not_tell_is_sought_in_the_logs_beside(tmp_path: Path) -> None:
    for name in ("dpo-log1", "kto"):
        shutil.copytree(RUNS / name, tmp_path / name)
        for file in (tmp_path / name).rglob("trainer_state.json"):
            file.write_bytes(b"")
    host = Host(discover=False)
    for one in survey(tmp_path, host).listed:
        run = load(tmp_path / one.path, host=host)
        loss = float(run.series["loss", "train"].values[-1])
        assert (one.status, one.step, one.loss) == ("completed", run.global_step, loss)


def test_what_another_trainer_left_beside_is_listed_too(tmp_path: Path) -> None:
    state(tmp_path / "a")
    state(tmp_path / "b", loss=0.5)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "log.csv").write_text("step,loss\n1,0.5\n2,0.25\n")
    found = survey(tmp_path, Host(discover=False)).listed
    assert [(one.path, one.loss) for one in found] == [("a", 0.7 - 0.04), ("b", 0.5 - 0.04), ("c", 0.25)]


def test_one_of_several_runs_in_a_folder_is_chosen_by_its_name(tmp_path: Path) -> None:
    run = tmp_path / "two"
    shutil.copytree(RUNS / "two-runs-one-folder", run)
    other = load_all(run)[1]
    (run / "logs").mkdir()
    attempts = [[0.5, 0.25], [0.75, 0.5]]
    for number, losses in enumerate(attempts):
        rows = "".join(f"{step},{loss}\n" for step, loss in enumerate(losses, 1))
        (run / "logs" / f"try_{number}.csv").write_text("step,loss\n" + rows)
    found = {run.witnesses[0].identity: run for run in load_all(run / "logs")}
    assert len(found) == 2
    for name, one in found.items():
        chosen = load(run / "logs" / name)
        assert (chosen.name, chosen.series["loss", "train"].values.tolist()) == (
            one.name, one.series["loss", "train"].values.tolist(),
        )  # fmt: skip
        assert main(["build", str(run / "logs" / name), "-f", "json", "-q"]) == 0
        assert (run / "logs" / f"report-{name}" / "report.json").is_file()
    assert load(run / other.witnesses[0].identity).global_step == other.global_step
    with pytest.raises(ReportError):
        load(run / "checkpoint-77")


def test_a_run_with_many_checkpoints_is_no_parent(tmp_path: Path) -> None:
    for step in range(1, 31):
        state(tmp_path / f"checkpoint-{step}", rows=step, planned=30)
    found = survey(tmp_path, Host(discover=False), (), lambda folders: pytest.fail("read apart"))
    assert (found.listed, found.runs[0].global_step) == ((), 30)


def test_a_report_of_every_run_and_a_table(parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in parent.rglob("*")}
    out = tmp_path / "reports"
    assert main(["build", str(parent), "--all", "-f", "json", "-o", str(out), "-j", "1"]) == 0
    told = capsys.readouterr()
    assert told.out.count("files") == 3
    assert "latest-run: a copy of seed-2, left out" in told.err
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "seed-1", "seed-2", "seed-3"]
    table = (out / "README.md").read_text()
    assert "| seed-2 | dpo | completed | 16 of 16 |" in table
    assert "[seed-3](seed-3/)" in table
    assert {path: path.stat().st_mtime_ns for path in parent.rglob("*")} == before
    assert main(["build", str(parent), "--all", "-f", "json", "-o", str(out), "-j", "1", "-q"]) == 0


def test_a_list_tells_of_a_killed_run_what_its_logs_tell(tmp_path: Path) -> None:
    """Not only what its last checkpoint tells; and a folder of event files within a run is no run of its own."""
    for name in ("dpo-killed", "dpo-eval"):
        shutil.copytree(RUNS / name, tmp_path / name)
    state(tmp_path / "other", 4, 8)
    lines = [{"current_steps": n, "total_steps": 8, "loss": 0.7 - n / 100} for n in range(1, 9)]
    (tmp_path / "other" / "trainer_log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = survey(tmp_path, Host()).listed
    assert [one.path for one in found] == ["dpo-eval", "dpo-killed", "other"]
    for one in found:
        run = load(tmp_path / one.path)
        assert (one.method, one.status, one.step, one.planned) == (
            run.method, run.status, run.global_step, run.max_steps
        )  # fmt: skip
        assert one.loss == run.series["loss", "train"].values[-1]
    assert (found[2].status, found[2].step) == ("completed", 8)


def test_a_folder_that_is_a_run_comes_before_those_below_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, loss in (("aaa", 0.5), (".", 0.7), *((f"v{n}", 0.6 + n / 10) for n in range(3))):
        (tmp_path / name).mkdir(exist_ok=True)
        rows = [f"{step},{loss - step / 100}\n" for step in range(1, 5)]
        (tmp_path / name / "metrics.csv").write_text("step,train_loss_step\n" + "".join(rows))
    run = load(tmp_path)
    assert run.series["loss", "train"].values[0] == pytest.approx(0.69)
    assert "4 more runs lie below this folder" in run.problems[-1].message
    assert run.problems[-1].hint == "give their paths to report them: aaa, v0, v1, ..."
    assert main(["inspect", str(tmp_path)]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "aaa, v0, v1" in told
    assert f"to report this run and each below it: dpo-report build {tmp_path} --all -o DIR" in told
    assert main(["inspect", str(tmp_path / "v0")]) == 0
    assert "--all" not in capsys.readouterr().err


def test_each_report_knows_the_other_runs(parent: Path, tmp_path: Path) -> None:
    """As where they are named one by one; a copy is no second run, and one that cannot be read is none."""
    (parent / "torn").mkdir()
    (parent / "torn" / "trainer_state.json").write_text('{"log_history": [{"loss": 0.5, "st')
    out, named = tmp_path / "all", tmp_path / "named"
    main(["build", str(parent), "--all", "-f", "json,markdown", "-q", "-o", str(out), "-j", "1"])
    seeds = [f"seed-{seed}" for seed in (1, 2, 3)]
    assert main(["build", *(str(parent / seed) for seed in seeds), "-f", "json,markdown", "-q", "-o", str(named)]) == 0
    for seed in seeds:
        assert contents(out / seed) == contents(named / seed)
        (told,) = json.loads((out / seed / "report.json").read_text())["runs"]
        (rule,) = [one for one in told["findings"] if one["code"] == "J2"]
        assert rule["status"] == "found"
        assert rule["text"].startswith("Over 3 runs that differ in their seed only")


def test_every_run_is_read_once_for_the_others(parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(path: Path | str, **named: Any) -> Run:
        read.append(Path(path).name)
        return load(path, **named)

    monkeypatch.setattr(build, "load", counted)
    monkeypatch.setattr(all_runs, "load", counted)
    assert main(["build", str(parent), "--all", "-f", "json", "-q", "-o", str(tmp_path / "out"), "-j", "1"]) == 0
    assert sorted(read) == sorted(2 * [f"seed-{seed}" for seed in (1, 2, 3)])


def test_what_others_are_told_of_a_run_is_small(tmp_path: Path) -> None:
    state(tmp_path, rows=5000, planned=5000)
    run = load(tmp_path)
    spoilt = np.where(np.arange(5000) < 4998, run.series["loss", "train"].values, np.nan)
    run = replace(run, series={**run.series, ("loss", "train"): replace(run.series["loss", "train"], values=spoilt)})
    (other,) = (one for one in unbundled(bundled([told(run)])) if one is not None)
    assert len(told(run)) < 20_000
    assert {place: one.steps.tolist() for place, one in other.series.items()} == {
        ("loss", "train"): [1, 4998, 5000], ("grad_norm", "train"): [1, 5000],
    }  # fmt: skip
    assert (other.settings, other.global_step, other.files) == (run.settings, 5000, ())


def test_all_takes_a_run_and_those_below_it(tmp_path: Path) -> None:
    state(tmp_path / "run")
    state(tmp_path / "run" / "ablation", loss=0.5)
    out = tmp_path / "out"
    assert main(["build", str(tmp_path / "run"), "--all", "-f", "json", "-q", "-o", str(out), "-j", "1"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "ablation", "run"]
    shutil.rmtree(tmp_path / "run" / "ablation")
    assert main(["build", str(tmp_path / "run"), "--all", "-f", "json", "-q", "-o", str(tmp_path / "one")]) == 0
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["README.md", "run"]


def test_a_folder_with_a_foreign_table_is_refused(parent: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert main(["build", str(parent), "--all", "-o", str(tmp_path), "-j", "1"]) == 1
    assert (tmp_path / "README.md").read_text() == "mine"
    assert not (tmp_path / "seed-1").exists()


def test_without_all_a_parent_is_explained(parent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(parent)]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"dpo-report: {parent} holds 4 runs:"
    assert told[3].split()[:4] == ["seed-1", "dpo", "completed", "16/16"]
    assert told[-1].endswith(f"or report each: dpo-report build {parent} --all -o DIR")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_one_failing_run_costs_only_itself_and_processes_write_the_same_bytes(
    parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "many" / "seed-2"
    taken.mkdir(parents=True)
    (taken / "thesis.tex").write_text("mine")
    words = ["build", str(parent), "--all", "-f", "json,markdown"]
    assert main([*words, "-o", str(tmp_path / "many"), "-j", "2"]) == 1
    told = capsys.readouterr()
    assert "1 of 3 runs could not be reported" in told.err
    assert "seed-2: " in told.err
    assert contents(taken) == {"thesis.tex": b"mine"}
    assert "| seed-2 |" in (tmp_path / "many" / "README.md").read_text()
    assert main([*words, "-o", str(tmp_path / "one"), "-j", "1"]) == 0
    for seed in ("seed-1", "seed-3"):
        assert contents(tmp_path / "many" / seed) == contents(tmp_path / "one" / seed)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_parent_leaves_whole_reports_only(jobs: str, tmp_path: Path) -> None:
    for number in range(20):
        state(tmp_path / "runs" / f"run-{number}", loss=number / 10)
    out = tmp_path / "out"
    program = "import sys; from dpo_report.core.cli import main; sys.exit(main())"
    words = ["build", str(tmp_path / "runs"), "--all", "-o", str(out), "-j", jobs]
    with subprocess.Popen(
        [sys.executable, "-c", program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as one:
        assert one.stdout is not None
        one.stdout.readline()  # the first report stands
        one.send_signal(signal.SIGINT)
        told = one.communicate(timeout=60)
    assert one.returncode == 130
    assert told[1].decode().splitlines()[-1] == "dpo-report: interrupted"
    made = [path.name for path in out.iterdir()]
    assert 0 < len(made) < 20
    assert all((out / name / "report.json").is_file() for name in made)


def test_a_bar_is_drawn_on_terminals_only(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with progress(2, done="read") as (advance, say):
        advance()
        say("a line")
    assert capfd.readouterr() == ("a line\n", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress(2, done="read") as (advance, say):
        advance()
        say("a line")
    told = capfd.readouterr()
    assert told.out == ""
    assert "a line" in told.err
    assert "1/2" in told.err
    with progress(2, quiet=True) as (advance, _):
        advance()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_task_raises_is_its_own_outcome(jobs: int) -> None:
    found = dict(each(square, range(5), Where(jobs=jobs)))
    assert found == {0: 0, 1: 1, 2: 4, 3: Failure("ValueError: three"), 4: 16}


def test_a_killed_process_costs_only_what_kills_it_again(tmp_path: Path) -> None:
    names = ["a", "once", "b", "always", "c"]
    found = dict(each(killed, [str(tmp_path / name) for name in names], Where(jobs=2)))
    assert [found[place] for place in (0, 1, 2, 4)] == ["a", "once", "b", "c"]
    assert found[3] == Failure("the process that worked on it was killed", "is there enough memory?")


def test_a_missing_backend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("ray", "distributed", "joblib"):
        monkeypatch.setitem(sys.modules, module, None)
    for backend, needs in (("ray", "pip install ray"), ("dask", "dpo-report[dask]"), ("loky", "joblib")):
        with pytest.raises(ReportError) as caught:
            list(each(square, [1, 2], Where(backend, jobs=2)))
        assert needs in caught.value.hint


def test_no_pool_is_set_up_for_one_run() -> None:
    program = (
        "import sys; from dpo_report.core.cli import main; status = main(sys.argv[1:]);"
        "print({'joblib', 'dask', 'fsspec'} & set(sys.modules)); sys.exit(status)"
    )
    for words in (["inspect", str(RUNS / "dpo-log1")], ["inspect", str(RUNS / "dpo-seeds")]):
        done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "set()"


def test_a_host_travels_as_what_was_asked_for(tmp_path: Path) -> None:
    import pickle

    plugin = tmp_path / "mine.py"
    plugin.write_text("import dpo_report\n\n@dpo_report.hookimpl\ndef register_metrics():\n    return []\n")
    host = pickle.loads(pickle.dumps(Host(files=[plugin], disabled=["wandb"], discover=False)))
    assert [one.name for one in host.plugins][-1] == "mine"
    assert pickle.loads(pickle.dumps(host)) is pickle.loads(pickle.dumps(host))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A Dask scheduler and two workers, each a process of its own; gives the address and the workers."""
    distributed = pytest.importorskip("distributed")
    tests = os.environ | {"PYTHONPATH": str(Path(__file__).parent), "DASK_DISTRIBUTED__ADMIN__EVENT_LOOP": "asyncio"}
    file = tmp_path / "scheduler.json"

    def start(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:], "--scheduler-file", str(file)]
        return subprocess.Popen(command, env=tests, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path)

    processes = [start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
    address = ""
    until = time.monotonic() + 60
    while not address and time.monotonic() < until:
        time.sleep(0.05)
        with suppress(OSError, ValueError):  # not there yet, or not yet written to its end
            address = json.loads(file.read_text())["address"]
    worker = ("worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path / "w"))
    processes += [start(*worker), start(*worker)]
    try:
        with distributed.Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_a_dask_cluster_writes_the_same_bytes_also_when_a_worker_is_killed(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, workers = cluster
    for number in range(4, 10):
        state(parent / f"run-{number}", loss=number / 10)
    seen: list[int] = []
    real = many.each

    def watched(*args: Any) -> Iterator[Any]:
        for place, result in real(*args):
            seen.append(place)
            if len(seen) == 11:  # all were read, two are reported
                workers[0].kill()
            yield place, result

    monkeypatch.setattr(many, "each", watched)
    monkeypatch.setattr(many, "PATIENCE", 60)
    words = ["build", str(parent), "--all", "-f", "json", "-q"]
    out = tmp_path / "dask"
    assert main([*words, "-o", str(out), "--backend", "dask", "--scheduler", address]) == 0
    assert workers[0].wait(10) == -signal.SIGKILL
    assert sorted(seen) == sorted(2 * list(range(9)))
    monkeypatch.undo()
    assert main([*words, "-o", str(tmp_path / "one"), "-j", "1"]) == 0
    assert contents(out) == contents(tmp_path / "one")


def test_no_cluster_at_that_address(
    parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(many, "PATIENCE", 1)
    words = ["--backend", "dask", "--scheduler", "tcp://127.0.0.1:9"]
    assert main(["build", str(parent), "--all", "-o", str(tmp_path / "out"), *words]) == 1
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_tree_is_taken_apart_by_its_innermost_folders(tmp_path: Path) -> None:
    for name in ("a/x", "a/b/y", "a/b/c/z", "other/w", "v"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    parts = Folder.open(tmp_path).parted(["a", "a/b"])
    assert {home: [entry.path for entry in part.entries] for home, part in parts.items()} == {
        "a": ["x"], "a/b": ["c/z", "y"],
    }  # fmt: skip
    assert [entry.path for entry in Folder.open(tmp_path).parted([""])[""].entries][-1] == "v"


@pytest.mark.parametrize("most", [0, 1 << 30])
def test_many_folders_are_listed_alike_at_once_and_apart(most: int, tmp_path: Path, monkeypatch: Any) -> None:
    """Also where one of them is more than a reader can bear."""
    from dpo_report.core import listing
    from dpo_report.plugins.readers import layout

    monkeypatch.setattr(listing, "_BYTES", most)
    for number in range(listing.MANY + 2):
        (tmp_path / f"run-{number:02}").mkdir()
        rows = "".join(f"{epoch},{1 / (epoch + number + 2)},0.5\n" for epoch in range(5))
        (tmp_path / f"run-{number:02}" / "training.log").write_text("epoch,loss,val_loss\n" + rows)
    host, where = Host(discover=False), Where(jobs=1)
    apart: list[str] = []

    def spread(folders: Any) -> Any:
        apart.extend(folder.name for folder in folders)
        return listing.spread_over(folders, host, where)

    listed = survey(tmp_path, host, (), spread).listed
    assert [(one.path, one.loss) for one in listed] == [
        (f"run-{number:02}", 1 / (number + 6)) for number in range(listing.MANY + 2)
    ]
    assert bool(apart) == (not most)
    parts = layout.Layout._parts

    def weak(self: layout.Layout, folder: Folder, entry: Any) -> Any:
        if "run-07" in f"{folder.root}/{entry.path}":
            raise MemoryError
        return parts(self, folder, entry)

    monkeypatch.setattr(layout.Layout, "_parts", weak)
    listed = survey(tmp_path, host, (), spread).listed
    assert apart
    assert sum(one.loss is not None for one in listed) == listing.MANY + 1
