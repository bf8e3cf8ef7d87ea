"""A run directory may hold anything: it is answered in one line or read as far as it goes, and never changed."""

import hashlib
import json
import math
import os
import shutil
import signal
import socket
import sqlite3
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpo_report.core.errors import ReportError
from dpo_report.core.loader import load, load_all
from dpo_report.core.manager import Host
from dpo_report.core.model import Run

RUNS = Path(__file__).parent / "runs"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """Whatever waits for a pipe fails instead of waiting."""
    signal.alarm(60)
    yield
    signal.alarm(0)


def fingerprint(root: Path) -> str:
    """Names, kinds, sizes, times and contents of a tree."""
    found = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        about = path.lstat()
        found.update(f"{path} {about.st_mode} {about.st_size} {about.st_mtime_ns}\n".encode())
        if path.is_file() and not path.is_symlink():
            found.update(path.read_bytes())
    return found.hexdigest()


@pytest.fixture
def answer(trainer: Host) -> Callable[[Path], Run]:
    """Loads a run and makes sure that this changes nothing and tells everything in single lines."""

    def loaded(path: Path) -> Run:
        before = fingerprint(path)
        try:
            run = load(path, host=trainer)
        finally:
            assert fingerprint(path) == before
        for problem in run.problems:
            assert "\n" not in problem.message
            assert str(path) not in problem.where
        return run

    return loaded


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A copy of a good run."""
    return Path(shutil.copytree(RUNS / "dpo-log1", tmp_path / "run"))


def state(folder: Path, content: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "trainer_state.json").write_text(text)
    return folder


def refused(path: Path, host: Host) -> ReportError:
    with pytest.raises(ReportError) as caught:
        load(path, host=host)
    assert "\n" not in caught.value.message
    return caught.value


def test_reading_a_good_run_changes_nothing(run_folder: Path, answer: Callable[[Path], Run]) -> None:
    assert answer(run_folder).status == "completed"


def test_nothing_there(tmp_path: Path, trainer: Host) -> None:
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "missing", trainer).message == f"no such file or folder: {tmp_path / 'missing'}"
    assert refused(tmp_path / "empty", trainer).message == f"{tmp_path / 'empty'} is empty"
    (tmp_path / "empty" / "weights.bin").write_bytes(b"\0" * 100)
    assert "nothing in" in refused(tmp_path / "empty", trainer).message


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\0" * 5000, b"[]", b'{"a": 1}', b"\x93NUMPY", "№".encode("utf-16")]
)
def test_a_file_that_no_reader_knows(content: bytes, tmp_path: Path, trainer: Host) -> None:
    (tmp_path / "file").write_bytes(content)
    assert "no training log that a reader knows" in refused(tmp_path / "file", trainer).message


@pytest.mark.parametrize("name", ["run.zip", "run.tar.gz", "RUN.TGZ"])
def test_of_an_archive_it_says_to_unpack_it(name: str, tmp_path: Path, trainer: Host) -> None:
    (tmp_path / name).write_bytes(b"PK\3\4")
    assert refused(tmp_path / name, trainer).hint == "unpack it and give the folder"


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{last}'] * 8)}]\n" for last, name in pairwise("abcdefgh")
)


@pytest.mark.parametrize(
    ("name", "content", "said", "hint"),
    [
        ("offline.zip", b"PK\x03\x04" + b"\7" * 300, "is a broken archive (BadZipFile)", "copy it again"),
        ("runs.db", b"SQLite format 3\0" + b"\7" * 300, "is a damaged SQLite database", "copy it again"),
        (
            "settings.yaml",
            BOMB.encode(),
            "has more than 200,000 values (aliases included)",
            "give the output directory",
        ),
    ],
)
def test_a_broken_file_alone_is_named(name: str, content: bytes, said: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "notes.md").write_text("mine\n")
    alone, beside = refused(tmp_path / name, Host()), refused(tmp_path, Host())
    assert alone.message.startswith(f"{tmp_path / name} {said}")
    assert beside.message.startswith(f"nothing in {tmp_path} tells of a training run ({name}: {said}")
    assert alone.hint.startswith(hint)
    assert beside.hint.startswith(hint)
    for number in range(30):  # one of many files is not why they tell nothing
        (tmp_path / f"{number}.txt").write_text("")
    assert "it holds" in refused(tmp_path, Host()).message


def test_whole_archives_and_databases_of_others_are_not_called_broken(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("notes.txt", "mine")
    with closing(sqlite3.connect(tmp_path / "b.db")) as database:
        database.execute("create table mine (x)")
    (tmp_path / "c.yaml").write_text("mine: 1\n")
    assert refused(tmp_path, Host()).message.endswith("(it holds a.zip, b.db, c.yaml)")


def test_a_home_that_the_shell_did_not_open_is_told(trainer: Host) -> None:
    assert refused(Path("~/no-such-run"), trainer).hint == "a shell opens ~ only outside quotes"


def test_pointers_of_git_lfs(tmp_path: Path, answer: Callable[[Path], Run]) -> None:
    for name in (
        "trainer_state.json",
        "checkpoint-4/trainer_state.json",
        "all_results.json",
        "training_args.bin",
        "README.md",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(LFS)
    run = answer(tmp_path)
    assert (run.status, run.series, run.summary, run.settings) == ("unknown", {}, {}, {})
    (problem,) = run.problems
    assert "and 4 more: each is a Git LFS pointer" in problem.message
    assert "git lfs pull" in problem.hint


def test_weights_that_are_pointers_are_told(run_folder: Path, answer: Callable[[Path], Run]) -> None:
    (run_folder / "model.safetensors").write_text(LFS)
    run = answer(run_folder)
    assert [problem.where for problem in run.problems] == ["model.safetensors"]
    assert len(run.series) == 15


def test_a_truncated_state_gives_its_complete_rows(run_folder: Path, answer: Callable[[Path], Run]) -> None:
    shutil.rmtree(run_folder / "checkpoint-4")
    path = run_folder / "trainer_state.json"
    text = path.read_text()
    path.write_text(text[: text.index('"step": 3')])
    run = answer(run_folder)
    assert run.series["loss", "train"].steps.tolist() == [1, 2]
    assert "the 2 complete rows before that are used" in run.problems[0].message
    assert run.setting("learning_rate") == 5e-6


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        '"text"',
        "null",
        "3",
        "",
        "{",
        "[" * 10_000,
        '{"a":' * 10_000,
        '{"log_history": 3}',
        '{"log_history": []',
        "\ufeff",
    ],
)
def test_a_state_that_is_none(content: str, tmp_path: Path, answer: Callable[[Path], Run]) -> None:
    run = answer(state(tmp_path, content))
    assert run.status == "unknown"
    assert run.series == {}
    assert len(run.problems) == 1


def test_an_empty_history_is_a_run(tmp_path: Path, answer: Callable[[Path], Run]) -> None:
    run = answer(state(tmp_path, {"log_history": [], "global_step": 4, "max_steps": 4, "epoch": 2.0}))
    assert (run.status, run.global_step, run.epoch, run.problems) == ("completed", 4, 2.0, ())


def test_rows_that_are_none(tmp_path: Path, answer: Callable[[Path], Run]) -> None:
    rows = [{"loss": "0.5", "step": 1}, {"loss": 0.4}, 5, {"loss": [1], "step": 2}, {"loss": 0.25, "step": 3}] * 1000
    run = answer(state(tmp_path, {"log_history": rows, "global_step": "3", "max_steps": True, "epoch": "2"}))
    assert run.series["loss", "train"].values.tolist() == [0.25]
    assert (run.global_step, run.max_steps, run.epoch) == (3, None, None)
    assert len(run.problems) == 4


def test_pipes_sockets_and_devices_are_not_opened(tmp_path: Path, trainer: Host, run_folder: Path) -> None:
    for name in ("README.md", "training_args.bin", "trainer_state.json"):
        (run_folder / name).unlink()
    os.mkfifo(run_folder / "README.md")
    os.mkfifo(run_folder / "trainer_state.json")
    here = Path.cwd()
    os.chdir(run_folder)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("training_args.bin")
    os.chdir(here)
    run = load(run_folder, host=trainer)
    assert len(run.series["loss", "train"]) == 4
    assert sorted(problem.where for problem in run.problems) == ["README.md", "trainer_state.json", "training_args.bin"]
    assert "neither a file nor a folder" in refused(run_folder / "trainer_state.json", trainer).message
    assert "neither a file nor a folder" in refused(Path("/dev/null"), trainer).message


def test_a_lone_pipe_is_told(tmp_path: Path, trainer: Host) -> None:
    os.mkfifo(tmp_path / "trainer_state.json")
    assert "trainer_state.json: not a plain file" in refused(tmp_path, trainer).message


def test_links_that_lead_out_or_in_circles(run_folder: Path, tmp_path: Path, answer: Callable[[Path], Run]) -> None:
    outside = state(tmp_path / "outside", {"log_history": [{"loss": 99.0, "step": 99}], "global_step": 99})
    (run_folder / "checkpoint-99").symlink_to(outside)
    (run_folder / "config.json").unlink()
    (run_folder / "config.json").symlink_to("/etc/passwd")
    (run_folder / "device").symlink_to("/dev/zero")
    (run_folder / "gone").symlink_to(run_folder / "nowhere")
    (run_folder / "circle").symlink_to(run_folder)
    (run_folder / "self").symlink_to(run_folder / "self")
    run = answer(run_folder)
    assert run.global_step == 4
    assert "passwd" not in str(run.settings)
    assert {"checkpoint-99", "config.json", "device"} <= {problem.where for problem in run.problems}
    assert len(run.files) == len({file.path for file in run.files})


@pytest.mark.parametrize(
    "name",
    ["trainer_state.json", "training_args.bin", "README.md", "config.json", "all_results.json", "dpo-report.toml"],
)
@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), FileNotFoundError(2, "No such file"), OSError(5, "I/O")]
)
def test_files_that_cannot_be_read(
    name: str, error: OSError, run_folder: Path, trainer: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run_folder / "dpo-report.toml").write_text("[facts]\na = 1\n")
    whole = Path.open

    def denied(self: Path, *args: Any, **named: Any) -> Any:
        if self.name == name and self.parent == run_folder and args == ("rb",):
            monkeypatch.setattr(Path, "open", whole)
            raise error
        return whole(self, *args, **named)

    before = fingerprint(run_folder)
    monkeypatch.setattr(Path, "open", denied)
    try:
        run = load(run_folder, host=trainer)
    finally:
        monkeypatch.setattr(Path, "open", whole)
    assert fingerprint(run_folder) == before
    assert len(run.series["loss", "train"]) == 4
    assert run.global_step == 4


def test_a_lone_file_that_cannot_be_read(run_folder: Path, trainer: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path, *args: Any, **named: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert refused(run_folder / "trainer_state.json", trainer).message.endswith("trainer_state.json: Permission denied")


def test_folders_in_the_place_of_files(run_folder: Path, answer: Callable[[Path], Run]) -> None:
    for name in ("trainer_state.json", "training_args.bin", "README.md", "config.json", "dpo-report.toml"):
        (run_folder / name).unlink(missing_ok=True)
        (run_folder / name).mkdir()
    run = answer(run_folder)
    assert len(run.series["loss", "train"]) == 4


def test_arguments_that_would_run_code(run_folder: Path, tmp_path: Path, answer: Callable[[Path], Run]) -> None:
    mark = tmp_path / "mark"
    (run_folder / "training_args.bin").write_bytes(b"cos\nsystem\n(S'touch " + str(mark).encode() + b"'\ntR.")
    run = answer(run_folder)
    assert not mark.exists()
    assert "the settings in it are not known" in run.problems[0].message
    assert run.setting("learning_rate") == 5e-6  # those beside the checkpoint


def test_a_read_only_folder(run_folder: Path, answer: Callable[[Path], Run]) -> None:
    for path in (run_folder, *run_folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert answer(run_folder).status == "completed"


def test_a_run_of_a_mac_and_a_report_of_ours(run_folder: Path, answer: Callable[[Path], Run]) -> None:
    (run_folder / "._trainer_state.json").write_bytes(b"\x00\x05\x16\x07")
    state(run_folder / "__MACOSX" / "checkpoint-9", "\x00\x05")
    state(run_folder / "report", {"log_history": [{"loss": 1.0, "step": 400}], "global_step": 400})
    (run_folder / "report" / "report.json").write_text('{"schema": 1, "generator": {"name": "dpo-report"}}')
    run = answer(run_folder)
    assert (run.global_step, run.problems) == (4, ())
    assert not any("report" in file.path or "__MACOSX" in file.path for file in run.files)


@pytest.mark.parametrize("name", ["a_b & %#$~^{}", "\\input{etc}", "漢字 🙂", "x" * 200, "new\nline", "[0.0, 0.2]"])
def test_folders_of_any_name(name: str, run_folder: Path, trainer: Host) -> None:
    odd = run_folder.rename(run_folder.with_name(name))
    run = load(odd, host=trainer)
    assert run.name == name
    assert len(load_all(odd.parent, trainer)) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
members = st.sampled_from(
    [
        "global_step",
        "max_steps",
        "epoch",
        "best_metric",
        "best_model_checkpoint",
        "total_flos",
        "logging_steps",
        "log_history",
    ]
)
numbers = st.floats() | st.integers() | json_values
named = st.sampled_from(
    ["eval_loss", "epoch", "train_runtime", "train_loss", "rewards/chosen", "eval_a_loss", "", "step "]
)
known = st.fixed_dictionaries({}, optional={"step": st.integers(0, 9) | numbers, "loss": numbers})
full = st.builds(lambda one, other: one | other, known, st.dictionaries(named, numbers, max_size=2))
rows = st.lists(full | full | full | json_values, max_size=8)


@given(content=st.dictionaries(members, json_values, max_size=5), history=rows, results=json_values)
def test_any_state_is_answered_and_no_valid_row_is_lost(
    content: dict[str, Any], history: list[Any], results: Any, trainer: Host, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = state(tmp_path_factory.mktemp("run"), content | {"log_history": history})
    (folder / "all_results.json").write_text(json.dumps(results))
    run = load(folder, host=trainer)
    wanted: dict[float, float] = {}
    for row in (row for row in history if isinstance(row, dict)):
        step, loss = number(row.get("step")), number(row.get("loss"))
        if number(row.get("train_runtime")) is None and loss is not None and step is not None and abs(step) <= 1e15:
            wanted[step] = loss
    series = run.get("loss")
    found = {} if series is None else dict(zip(series.steps.tolist(), series.values.tolist(), strict=True))
    assert found.keys() == wanted.keys()
    assert all(repr(found[step]) == repr(wanted[step]) for step in wanted)
    assert any(isinstance(row, dict) and number(row.get("train_runtime")) is not None for row in history) is (
        "train_runtime" in run.summary and run.summary["train_runtime"].source.file == "trainer_state.json"
    )


def number(value: Any) -> float | None:
    """A JSON number as the reader must take it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= sys.float_info.max or value != value else math.copysign(math.inf, value)
