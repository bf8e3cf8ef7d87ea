"""All or nothing: a report is complete or was never there, and nothing else in the world changes."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dpo_report.core import build as building
from dpo_report.core import target
from dpo_report.core.build import build, build_runs
from dpo_report.core.contract import Format
from dpo_report.core.errors import ReportError
from dpo_report.core.folder import TEMPORARY, Folder
from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.manager import Host

RUNS = Path(__file__).parent / "runs"
HEAD = '{\n "schema": 1,\n "generator": {\n  "name": "dpo-report", "version": "0"}, "written": '
OLD = {"report.json": f'{HEAD}["old.txt", "figures/old.pdf"]}}'.encode(), "old.txt": b"old"}


@pytest.fixture
def run(tmp_path):
    shutil.copytree(RUNS / "dpo-log1", tmp_path / "run")
    return tmp_path / "run"


def tree(folder):
    """Every file and folder with its content."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "/"
        for path in sorted(folder.rglob("*"))
    }


def put(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


class Plugin:
    """A format and a listener of a test."""

    def __init__(self, convert=lambda kit: {"x.txt": b"x"}, built=None):
        self.convert, self.built = convert, built

    @hookimpl
    def register_formats(self):
        return [Format("own", ".txt", self.convert)]

    @hookimpl
    def report_built(self, report):
        if self.built:
            self.built(report)


def host(**given):
    return Host(discover=False, extra=[Plugin(**given)])


def test_the_run_is_left_as_it_was_but_for_the_report(run):
    before = tree(run)
    report = build(run, ["latex", "markdown"])
    after = tree(run)
    assert report.directory == run / "report"
    new = {name for name in set(after) - set(before) if after[name] != "/"}
    assert {path.relative_to(run).as_posix() for path in report.files} == new
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("epoch", [None, "1700000000"])
def test_twice_the_same_bytes_wherever_it_is_written(run, tmp_path, monkeypatch, epoch):
    if epoch is not None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    build(run, ["latex", "markdown"], tmp_path / "a")
    first = tree(tmp_path / "a")
    build(run, ["markdown", "latex"], tmp_path / "deep" / "er" / "b")
    build(run, ["latex", "markdown"], tmp_path / "a")
    assert tree(tmp_path / "a") == first == tree(tmp_path / "deep" / "er" / "b")


def test_a_report_inside_the_run_is_no_part_of_it(run):
    first = tree(build(run).directory)
    assert tree(build(run).directory) == first
    assert not [entry for entry in Folder.open(run).entries if entry.path.startswith("report/")]


def test_an_old_report_is_replaced_whole_but_for_files_of_somebody_else(tmp_path):
    put(tmp_path / "out", {**OLD, "figures/old.pdf": b"old", "report.pdf": b"compiled", "figures/mine.pdf": b"mine"})
    (tmp_path / "out" / "link").symlink_to(tmp_path)
    target.write({tmp_path / "out": {"report.json": b"{}", "a/b.txt": b"new"}})
    mine = {"out/report.pdf", "out/figures", "out/figures/mine.pdf", "out/link"}
    assert set(tree(tmp_path)) == {"out", "out/report.json", "out/a", "out/a/b.txt", *mine}
    assert (tmp_path / "out" / "link").is_symlink()


def test_a_report_names_its_files_so_that_the_next_one_leaves_the_others(run):
    out = build(run, ["latex"]).directory
    (out / "notes.md").write_text("mine")
    build(run, ["json"])
    assert set(tree(out)) == {"report.json", "notes.md"}
    (out / "report.md").write_text("mine")
    with pytest.raises(ReportError, match=r"report\.md was not written by dpo-report"):
        build(run, ["markdown"])
    assert set(tree(out)) == {"report.json", "notes.md", "report.md"}
    assert [path.name for path in run.iterdir() if path.name.startswith(TEMPORARY)] == []


def test_a_report_that_lists_no_files_gives_way_where_the_new_one_needs_it(tmp_path):
    put(tmp_path / "out", {"report.json": HEAD.replace(', "written": ', "}").encode(), "a": b"old", "b": b"old"})
    target.write({tmp_path / "out": {"report.json": b"{}", "a": b"new"}})
    assert [(tmp_path / "out" / name).read_bytes() for name in "ab"] == [b"new", b"old"]


@pytest.mark.parametrize("mine", ["a", "a/b.txt/c", "c.txt"])
def test_a_file_of_somebody_else_in_the_way_is_told_and_stays(tmp_path, mine):
    put(tmp_path / "out", {**OLD, mine: b"mine"})
    before = tree(tmp_path)
    with pytest.raises(ReportError, match="was not written by dpo-report"):
        target.write({tmp_path / "out": {"report.json": b"{}", "a/b.txt": b"new", "c.txt": b"new"}})
    assert tree(tmp_path) == before


def test_what_takes_the_place_of_a_report_while_the_new_one_is_made_stays(tmp_path, monkeypatch):
    put(tmp_path / "out", OLD)
    stage = target._stage

    def swapped(folder, *given):
        folder.rename(tmp_path / "moved")
        put(folder, {"thesis.tex": b"mine"})
        return stage(folder, *given)

    monkeypatch.setattr(target, "_stage", swapped)
    with pytest.raises(ReportError, match="changed while its report was made"):
        target.write({tmp_path / "out": {"report.json": b"{}"}})
    assert set(tree(tmp_path)) == {"out", "out/thesis.tex", "moved", "moved/report.json", "moved/old.txt"}


def test_two_processes_that_write_one_report_leave_one_of_the_two(tmp_path):
    code = (
        "import sys; from pathlib import Path; from dpo_report.core import target\n"
        "target_, me = Path(sys.argv[1]), sys.argv[2].encode()\n"
        f"files = {{'a': me, 'b': me, 'report.json': {HEAD.encode()} + b'[\"a\", \"b\"]}}'}}\n"
        "for _ in range(100): target.write({target_: files})"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "out")]
    put(tmp_path / "out", {"report.json": OLD["report.json"], "mine": b"mine"})
    both = [subprocess.Popen([*words, name]) for name in ("one", "two")]
    assert [process.wait(60) for process in both] == [0, 0]
    assert set(tree(tmp_path)) == {"out", "out/a", "out/b", "out/report.json", "out/mine"}
    assert (tmp_path / "out" / "a").read_bytes() == (tmp_path / "out" / "b").read_bytes()


@pytest.mark.parametrize("at", range(1, 5))
def test_a_process_that_is_killed_costs_no_report(tmp_path, at):
    """At each rename; what it left is taken away by a later one, and a report that it had moved aside comes back."""
    code = (
        "import os, sys; from pathlib import Path; from dpo_report.core import target\n"
        "real, calls = Path.rename, []\n"
        "def rename(self, other):\n"
        "    calls.append(self)\n"
        "    if len(calls) == int(sys.argv[2]): os.kill(os.getpid(), 9)\n"
        "    return real(self, other)\n"
        "Path.rename = rename\n"
        "folder = Path(sys.argv[1])\n"
        "target.write({folder / name: {'report.json': b'{}', 'new': b'x'} for name in ('one', 'two')})"
    )
    for name in ("one", "two"):
        put(tmp_path / name, OLD)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), str(at)], check=False, timeout=60)
    assert done.returncode == -9
    left = [path for path in tmp_path.iterdir() if path.name.startswith(TEMPORARY)]
    assert left
    for path in left:
        os.utime(path, (1, 1))
    target.write({tmp_path / "three": {"report.json": b"{}"}})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "three", "two"]
    for name in ("one", "two"):
        assert set(tree(tmp_path / name)) in ({"report.json", "old.txt"}, {"report.json", "new"})


def test_what_another_process_stages_just_now_is_left_to_it(tmp_path):
    (tmp_path / f"{TEMPORARY}now").mkdir()
    target.write({tmp_path / "out": {"report.json": b"{}"}})
    assert (tmp_path / f"{TEMPORARY}now").is_dir()


def test_a_target_that_is_a_circle_of_links_is_refused(run):
    (run / "report").symlink_to("report")
    with pytest.raises(ReportError, match="is a link"):
        build(run)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"notes.txt": b"mine"}, "holds files that are not a report"),
        ({"report.json": b'{"name": "other"}'}, "holds files that are not a report"),
        ({"sub/report.json": OLD["report.json"]}, "holds files that are not a report"),
    ],
)
def test_what_is_not_ours_is_refused_by_name(run, tmp_path, files, says):
    put(tmp_path / "out", files)
    before = tree(tmp_path)
    with pytest.raises(ReportError, match=says) as told:
        build(run, out=tmp_path / "out")
    assert str(tmp_path / "out") in str(told.value)
    assert tree(tmp_path) == before


def test_a_file_or_a_link_is_no_target(run, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    put(tmp_path / "old", OLD)
    (tmp_path / "link").symlink_to(tmp_path / "old")
    for name, says in (("file", "is a file"), ("link", "is a link")):
        with pytest.raises(ReportError, match=says):
            build(run, out=tmp_path / name)
    assert (tmp_path / "old" / "old.txt").read_bytes() == b"old"


def test_an_empty_folder_is_used(run, tmp_path):
    (tmp_path / "out").mkdir()
    build(run, ["json"], tmp_path / "out")
    assert set(tree(tmp_path / "out")) == {"report.json"}


def test_a_report_never_takes_the_place_of_its_run(run):
    put(run, OLD)
    for out in (run, run.parent):
        before = tree(run.parent)
        with pytest.raises(ReportError, match="holds the run itself"):
            build(run, ["json"], out)
        assert tree(run.parent) == before


@pytest.mark.parametrize("stop", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("at", ["write", "first rename", "second rename", "third rename"])
def test_a_failure_leaves_the_old_report_and_nothing_else(tmp_path, monkeypatch, stop, old, at):
    targets = {tmp_path / "x" / "one": {"a/b": b"1", "c": b"2"}, tmp_path / "two": {"d": b"3"}}
    if old:
        for folder in targets:
            put(folder, OLD)
    before = tree(tmp_path)
    calls = []
    name = "write_bytes" if at == "write" else "rename"
    fails_at = {"write": 2, "first rename": 1, "second rename": 2, "third rename": 3}[at]
    real = getattr(Path, name)

    def failing(self, *given):
        calls.append(self)
        if len(calls) == fails_at:
            raise stop
        return real(self, *given)

    monkeypatch.setattr(Path, name, failing)
    if not old and at == "third rename":
        target.write(targets)  # two renames suffice where nothing is replaced
        return
    with pytest.raises(ReportError if isinstance(stop, OSError) else type(stop)) as told:
        target.write(targets)
    monkeypatch.undo()
    assert tree(tmp_path) == before
    if isinstance(stop, OSError):
        assert "No space left on device" in str(told.value)


def test_a_full_disk_is_one_line(run, tmp_path):
    code = (
        "import resource, sys; from pathlib import Path; from dpo_report.core.build import build\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from dpo_report.core.errors import ReportError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: build(sys.argv[1], out=sys.argv[2])\n"
        "except ReportError as error: print(error)"
    )
    put(tmp_path / "out", OLD)
    words = [sys.executable, "-B", "-c", code, str(run), str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "cannot write the report: File too large" in done.stdout
    assert set(tree(tmp_path / "out")) == set(OLD)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(TEMPORARY)]


def test_a_folder_that_cannot_be_written(run, tmp_path, monkeypatch):
    # A process that may write anywhere (root in a container) is never refused, so the refusal is played.
    def refuse(*given, **named):
        raise PermissionError(errno.EACCES, "Permission denied", str(run))

    with monkeypatch.context() as patched:
        patched.setattr(target.tempfile, "mkdtemp", refuse)
        with pytest.raises(ReportError, match="Permission denied") as told:
            build(run)
        assert "-o" in told.value.hint
    run.chmod(0o555)
    try:
        assert build(run, ["json"], tmp_path / "else").directory == tmp_path / "else"
    finally:
        run.chmod(0o755)


def test_the_umask_holds_for_the_folder(run, tmp_path):
    old = os.umask(0o027)
    try:
        build(run, ["json"], tmp_path / "out")
    finally:
        os.umask(old)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o750


def test_several_runs_get_a_folder_each_or_none(tmp_path):
    one, two = tmp_path / "1" / "a b", tmp_path / "2" / "a b"
    shutil.copytree(RUNS / "dpo-log1", one)
    shutil.copytree(RUNS / "dpo-savestate", two)
    reports = build_runs([one, two], ["latex"], tmp_path / "out")
    assert [report.directory.name for report in reports] == ["a-b", "a-b-2"]
    assert "\\newcommand{\\DpoABTwoStepsDone}" in (tmp_path / "out" / "a-b-2" / "numbers.tex").read_text()
    together = build([one, two], ["json"])
    assert together.directory == tmp_path
    assert [path.relative_to(tmp_path).as_posix() for path in together.files] == [
        "1/a b/report/report.json", "2/a b/report/report.json",
    ]  # fmt: skip
    before = tree(tmp_path)
    (tmp_path / "2" / "a b" / "report" / "report.json").write_bytes(b"mine")
    with pytest.raises(ReportError, match="not a report"):
        build([one, two])
    assert tree(one) == {k.removeprefix("1/a b/"): v for k, v in before.items() if k.startswith("1/a b/")}


def test_the_same_run_twice_is_refused(run):
    with pytest.raises(ReportError, match="one folder"):
        build([run, run])


def test_no_run_and_no_such_format(run):
    with pytest.raises(ReportError, match="no run was given"):
        build([])
    with pytest.raises(ReportError, match="unknown format 'latx'"):
        build(run, ["latx"])


def test_a_single_file_is_reported_beside_it(run):
    report = build(run / "trainer_state.json", ["json"])
    assert report.directory == run / "report"


def test_a_format_of_a_plugin_writes_its_files(run):
    told = []
    report = build(run, ["own", "json"], host=host(built=told.append))
    assert {path.name for path in report.files} == {"x.txt", "report.json"}
    assert [one.directory for one in told] == [run / "report"]


@pytest.mark.parametrize(
    ("convert", "says"),
    [
        (lambda kit: 1 / 0, "format own failed: ZeroDivisionError"),
        (lambda kit: {"../out.txt": b"x"}, "outside the report folder"),
        (lambda kit: {"/tmp/out.txt": b"x"}, "outside the report folder"),
        (lambda kit: {"report.md": b"x"}, "two formats write report.md differently"),
        (lambda kit: kit.render("report.tex"), "no templates"),
    ],
)
def test_a_format_that_misbehaves_writes_nothing(run, convert, says):
    before = tree(run)
    with pytest.raises(ReportError, match=says):
        build(run, ["markdown", "own"], host=host(convert=convert))
    assert tree(run) == before


def test_a_listener_that_fails_is_a_problem_and_the_files_stand(run):
    report = build(run, ["json"], host=host(built=lambda report: 1 / 0))
    assert "report_built failed" in report.analyses[0].problems[-1].message
    assert report.files[0].is_file()


def test_strict_refuses_a_report_with_problems(run):
    (run / "train_results.json").write_text('{"train_loss": 0.1')
    assert build(run, ["json"]).analyses[0].problems
    shutil.rmtree(run / "report")
    with pytest.raises(ReportError, match="--strict"):
        build(run, ["json"], strict=True)
    assert not (run / "report").exists()


def test_templates_never_come_from_the_run(run, monkeypatch):
    for folder in (run, run / "templates"):
        put(folder, {"latex/report.tex": b"stolen", "markdown/report.md": b"stolen"})
    monkeypatch.chdir(run)
    report = build(Path(), ["markdown"])
    assert report.directory == Path("report")
    assert "stolen" not in Path("report/report.md").read_text()


def test_names_of_folders_are_no_longer_than_a_disk_takes(tmp_path):
    names = building.unique(["a/" * 300, "a/" * 300 + "b"])
    assert len(set(names)) == 2
    for name in names:
        (tmp_path / name).mkdir()


def test_names_of_folders_are_plain_and_unique():
    assert building.unique(["run_50% é", "run_50% é", "..", ""]) == ["run_50", "run_50-2", "run", "run-2"]


def test_report_json_names_the_figures_that_were_written(run):
    document = json.loads((build(run, ["latex"]).directory / "report.json").read_bytes())
    named = {file for figure in document["runs"][0]["figures"] for file in figure["files"]}
    assert named == {f"figures/{path.name}" for path in (run / "report" / "figures").iterdir()}
