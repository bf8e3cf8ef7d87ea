"""A run at a URL is read like one on disk: listed first, only what is read is fetched, nothing is written there."""

import functools
import http.server
import json
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dpo_report.core import remote
from dpo_report.core.cli import main
from dpo_report.core.errors import ReportError
from dpo_report.core.loader import load, load_all
from dpo_report.core.model import Run

fsspec = pytest.importorskip("fsspec")
RUNS = Path(__file__).parent / "runs"
FORMATS = Path(__file__).parent / "formats"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(remote.CACHE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def memory() -> Iterator[Any]:
    """fsspec's file system in memory, with one run and a large file in it."""
    files = fsspec.filesystem("memory")
    files.put(str(RUNS / "dpo-eval"), "/bucket/dpo-eval", recursive=True)
    files.pipe("/bucket/dpo-eval/model.safetensors", b"\0" * 3_000_000)
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


class Server(http.server.ThreadingHTTPServer):
    asked: list[str]
    refused: str = "no file"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Server]]:
    """A web server on this machine that lists its folders."""
    pytest.importorskip("aiohttp")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            server.asked.append(f"{self.command} {self.path}")

        def send_head(self) -> Any:
            return self.send_error(500) if self.path.endswith(server.refused) else super().send_head()

    server = Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(RUNS)))
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def same(one: Run, other: Run) -> None:
    assert (one.name, one.method, one.status, one.global_step) == (
        other.name, other.method, other.status, other.global_step,
    )  # fmt: skip
    assert one.series.keys() == other.series.keys()
    for place, series in other.series.items():
        assert np.array_equal(one.series[place].values, series.values, equal_nan=True)
        assert one.series[place].source == series.source
    assert {name: setting.value for name, setting in one.settings.items()} == {
        name: setting.value for name, setting in other.settings.items()
    }


def test_a_run_in_memory_is_read_as_on_disk(memory: Any, cache: Path) -> None:
    run = load("memory://bucket/dpo-eval")
    same(run, load(RUNS / "dpo-eval"))
    assert ("model.safetensors", 3_000_000) in [(file.path, file.bytes) for file in run.files]
    fetched = {path.name for path in cache.rglob("*") if path.is_file()}
    assert "trainer_state.json" in fetched
    assert "model.safetensors" not in fetched


def test_what_is_fetched_is_kept_until_it_changes(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = type(memory).cat_file
    monkeypatch.setattr(
        type(memory), "cat_file", lambda self, path, **k: (asked.append(path), real(self, path, **k))[1]
    )
    load("memory://bucket/dpo-eval")
    first = len(asked)
    load("memory://bucket/dpo-eval")
    assert first > 5
    assert len(asked) == first
    memory.pipe("/bucket/dpo-eval/trainer_state.json", b'{"global_step": 1, "log_history": []}')
    load("memory://bucket/dpo-eval")
    assert asked[first:] == ["/bucket/dpo-eval/trainer_state.json"]


def test_a_file_that_the_server_lists_and_does_not_give_costs_only_itself(web: tuple[str, Server], cache: Path) -> None:
    url, server = web
    server.refused = "all_results.json"
    run = load(f"{url}/dpo-eval/")
    assert run.status == "completed"
    (problem,) = [problem for problem in run.problems if problem.where == "all_results.json"]
    assert problem.message == "is listed, but the server does not give it"
    assert not [asked for asked in server.asked if "//" in asked]


def test_a_name_that_leads_out_of_the_cache_is_not_fetched(memory: Any, cache: Path) -> None:
    for name in ("x\\..\\..\\evil.json", "..\\evil.json"):
        memory.pipe(f"/bucket/dpo-eval/{name}", b'{"log_history": [], "global_step": 1}')
    load("memory://bucket/dpo-eval")
    assert not [path for path in cache.rglob("*") if "evil" in path.name]


def test_a_report_of_a_run_in_memory(memory: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: bytes(file.getvalue()) for name, file in memory.store.items()}
    assert main(["build", "memory://bucket/dpo-eval", "-f", "json", "-o", str(tmp_path / "out")]) == 0
    told = json.loads((tmp_path / "out" / "report.json").read_text())["runs"][0]
    assert (told["name"], told["method"], told["status"]) == ("dpo-eval", "dpo", "completed")
    assert main(["inspect", "memory://bucket/dpo-eval"]) == 0
    assert "dpo-report build memory://bucket/dpo-eval" in capsys.readouterr().out
    assert {name: bytes(file.getvalue()) for name, file in memory.store.items()} == before


def test_a_report_of_a_remote_run_needs_a_folder_here(memory: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "memory://bucket/dpo-eval"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "dpo-report: a report of a run at a URL needs a folder here",
        "  give one with -o",
    ]


def test_a_parent_and_a_single_file_in_memory(memory: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    memory.put(str(RUNS / "dpo-log1"), "/bucket/dpo-log1", recursive=True)
    assert main(["inspect", "memory://bucket"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == ["dpo-eval", "dpo-log1"]
    assert main(["build", "memory://bucket", "--all", "-f", "json", "-o", str(tmp_path / "out"), "-j", "1"]) == 0
    assert (tmp_path / "out" / "dpo-log1" / "report.json").is_file()
    run = load("memory://bucket/dpo-log1/trainer_state.json")
    assert len(run.series["loss", "train"]) == 4


def test_one_of_several_runs_at_a_url_is_read_by_the_path_that_is_offered(
    memory: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    memory.put(str(FORMATS / "mlflow" / "sqlite"), "/bucket/sqlite", recursive=True)
    assert main(["inspect", "memory://bucket/sqlite"]) == 0
    offered = capsys.readouterr().err.partition("for example ")[2].partition(", or report each")[0]
    assert main(["inspect", offered, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["runs"]
    same(load(offered), load(FORMATS / "mlflow" / "sqlite" / offered.rpartition("/")[2]))
    assert told["status"] == load(offered).status
    assert (
        main(["build", "memory://bucket/sqlite", "--all", "-f", "json", "-j", "1", "-q", "-o", str(tmp_path / "out")])
        == 0
    )
    assert main(["inspect", "memory://bucket/sqlite/nothing"]) == 1
    assert "nothing is at memory://bucket/sqlite/nothing" in capsys.readouterr().err


def test_what_was_fetched_for_a_parent_serves_its_runs(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.put(str(RUNS / "dpo-seeds"), "/bucket/seeds", recursive=True)
    asked: list[str] = []
    real = type(memory).cat_file

    def counted(self: Any, path: str, *args: Any, **named: Any) -> Any:
        asked.append(path)
        return real(self, path, *args, **named)

    monkeypatch.setattr(type(memory), "cat_file", counted)
    assert main(["inspect", "memory://bucket/seeds"]) == 0
    assert any(path.endswith("seed-2/trainer_state.json") for path in asked)
    asked.clear()
    same(load("memory://bucket/seeds/seed-2"), load(RUNS / "dpo-seeds" / "seed-2"))
    assert not [path for path in asked if path.endswith("trainer_state.json")]


@pytest.mark.parametrize(
    "name", ["dvclive", "mlflow", "wandb", "swanlab", "sacred", "lightning", "allennlp", "general"]
)
def test_runs_of_other_trainers_are_fetched_too(name: str, memory: Any) -> None:
    """Also where a reader looks at the folders of its runs one by one."""
    memory.put(str(FORMATS / name), f"/bucket/{name}", recursive=True)
    near, far = load_all(FORMATS / name), load_all(f"memory://bucket/{name}")
    assert len(near) == len(far)
    for one, other in zip(far, near, strict=True):
        same(one, other)


def test_our_own_reports_are_no_part_of_a_remote_run(memory: Any) -> None:
    memory.pipe("/bucket/dpo-eval/report/report.json", b'{"schema": 1, "generator": {"name": "dpo-report"}}')
    memory.pipe("/bucket/dpo-eval/report/report.tex", b"x")
    memory.pipe("/bucket/dpo-eval/notes/report.json", b"{}")
    paths = [file.path for file in load("memory://bucket/dpo-eval").files]
    assert "notes/report.json" in paths
    assert not [path for path in paths if path.startswith("report/")]


def test_names_that_lead_out_of_the_cache_are_left_out(memory: Any, cache: Path) -> None:
    memory.pipe("/bucket/dpo-eval/x/../../../../evil.json", b"{}")
    memory.pipe("/bucket/dpo-eval/..", b"{}")
    load("memory://bucket/dpo-eval")
    assert not list(cache.parent.rglob("evil.json"))
    assert all(".." not in path.relative_to(cache).parts for path in cache.rglob("*"))


def test_no_more_is_fetched_than_the_bounds(memory: Any, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "LARGEST", 1000)
    run = load("memory://bucket/dpo-eval")
    assert any("too large to be fetched" in problem.message for problem in run.problems)
    assert all(path.stat().st_size <= 1000 for path in cache.rglob("*") if path.is_file())


def test_a_run_on_a_web_server(web: tuple[str, Server], cache: Path) -> None:
    address, server = web
    same(load(f"{address}/dpo-log1/"), load(RUNS / "dpo-log1"))
    assert not [asked for asked in server.asked if asked.split()[0] not in ("GET", "HEAD")]
    assert any("training_args.bin" in asked for asked in server.asked)
    assert len(load(f"{address}/dpo-log1/trainer_state.json").series["loss", "train"]) == 4
    server.asked.clear()
    same(load(f"{address}/dpo-log1/"), load(RUNS / "dpo-log1"))
    files = {
        f"GET /dpo-log1/{path.relative_to(RUNS / 'dpo-log1').as_posix()}"
        for path in (RUNS / "dpo-log1").rglob("*.*")
        if path.is_file()
    }
    again = files.intersection(server.asked)
    assert not again  # the server tells when each file changed last, and only folders are looked at anew


def test_what_is_not_there_is_told_in_a_line(
    web: tuple[str, Server], memory: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    address, _ = web
    for url in (f"{address}/no-such-run", "memory://bucket/no-such-run"):
        assert main(["inspect", url]) == 1
        assert capsys.readouterr().err.splitlines()[0] == f"dpo-report: nothing is at {url}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9/run", "cannot be reached"),
        ("nonsense://bucket/run", "cannot be opened"),
        ("s3://bucket/run", "cannot be"),
    ],
)
def test_what_cannot_be_reached_is_told_in_a_line(
    url: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    assert main(["inspect", url]) == 1
    first, hint = capsys.readouterr().err.splitlines()
    assert first.startswith(f"dpo-report: {url} {said}")
    assert hint


def test_without_fsspec_the_extra_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert main(["inspect", "s3://bucket/run"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "dpo-report: s3://bucket/run is far away, which needs fsspec",
        "  pip install 'dpo-report[remote]'",
    ]


def test_a_run_on_an_sftp_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Listed, fetched once, and never written to; every failure is one line without the password."""
    pytest.importorskip("paramiko")
    from sftp import PASSWORD, USER, served

    shutil.copytree(RUNS / "dpo-eval", tmp_path / "there" / "dpo-eval")
    (tmp_path / "there" / "dpo-eval" / "model.safetensors").write_bytes(b"\0" * 3_000_000)
    shutil.copytree(RUNS / "dpo-seeds", tmp_path / "there" / "seeds")
    with served(tmp_path / "there") as (host, opened):
        place = f"sftp://{USER}:{PASSWORD}@{host}"
        same(load(f"{place}/dpo-eval"), load(RUNS / "dpo-eval"))
        assert opened
        assert not [path for path in opened if path.endswith(".safetensors")]
        opened.clear()
        load(f"{place}/dpo-eval")
        assert not opened
        assert main(["inspect", f"{place}/seeds"]) == 0
        assert main(["build", f"{place}/seeds"]) == 1
        assert main(["inspect", f"{place}/none"]) == 1
        told = capsys.readouterr()
        assert [line.split()[0] for line in told.out.splitlines()] == ["run", "seed-1", "seed-2", "seed-3"]
        assert f"nothing is at sftp://{USER}@{host}/none" in told.err
        assert main(["inspect", f"sftp://{USER}:{PASSWORD[::-1]}@{host}/dpo-eval"]) == 1
        said, hint = capsys.readouterr().err.splitlines()
        assert said == f"dpo-report: sftp://{USER}@{host}/dpo-eval cannot be opened: Authentication failed."
        assert "key" in hint
        assert PASSWORD not in told.err + told.out
        assert PASSWORD[::-1] not in said + hint


def test_a_server_that_never_answers_is_left_soon(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], memory: Any
) -> None:
    monkeypatch.setattr(remote, "PATIENCE", 0.2)
    answer = threading.Event()
    monkeypatch.setattr(type(memory), "info", lambda *_, **__: answer.wait(30))
    assert main(["inspect", "memory://bucket/dpo-eval"]) == 1
    answer.set()
    assert capsys.readouterr().err.splitlines() == [
        "dpo-report: memory://bucket/dpo-eval cannot be reached: no answer within 0.2 seconds",
        "  is there a network, and is the address right?",
    ]


class NoCredentialsError(Exception):
    """Named as botocore names it."""


class RepositoryNotFoundError(Exception):
    """Named as huggingface_hub names it."""


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said", "advice"),
    [
        (caused(FileNotFoundError("me/run"), RepositoryNotFoundError("404")), "or it is private", "AWS_PROFILE"),
        (PermissionError("Access Denied"), "may not be read: Access Denied", "AWS_PROFILE"),
        (NoCredentialsError("Unable to locate credentials"), "cannot be opened: Unable to locate", "AWS_PROFILE"),
        (FileNotFoundError("The specified bucket does not exist"), "its bucket does not exist", "URL"),
        (RepositoryNotFoundError("404"), "or it is private", "AWS_PROFILE"),
        (OSError("Connect timeout"), "cannot be reached: Connect timeout", "network"),
    ],
)
def test_each_failure_has_its_own_advice(
    error: Exception, said: str, advice: str, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(type(memory), "info", refused)
    monkeypatch.setattr(fsspec.core, "url_to_fs", lambda *_, **__: (memory, "/bucket/run"))
    with pytest.raises(ReportError) as caught:
        load("s3://bucket/run")
    assert said in caught.value.message
    assert advice in caught.value.hint


@pytest.mark.parametrize("login", ["me:secret", "secret", ":secret"])
def test_passwords_in_urls_are_not_told(login: str) -> None:
    for scheme in ("nonsense", "https") if ":" in login else ("https",):
        with pytest.raises(ReportError) as caught:
            load(f"{scheme}://{login}@127.0.0.1:9/run")
        assert "secret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("path", "far"),
    [
        ("s3://a/b", True),
        ("s3:/a/b", True),
        ("memory://x", True),
        ("C:/runs", False),
        ("runs/a:b", False),
        ("a", False),
    ],
)
def test_what_counts_as_a_url(path: str, far: bool) -> None:
    assert remote.is_url(path) is far
    assert remote.is_url(Path(path)) is far
