"""`dpo-report watch`: the report follows a run that trains, whatever state its files are in, and ends with it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from dpo_report.core.cli import main
from dpo_report.plugins.watching.watch import stamp

ROOT = Path(__file__).parents[1]
STEPS = 18

TRAINER = """
import json, sys, time
from pathlib import Path
log = Path(sys.argv[1]) / "trainer_log.jsonl"
log.parent.mkdir(parents=True)
steps, until, pause = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
with log.open("w") as stream:
    for step in range(1, until + 1):
        row = {"current_steps": step, "total_steps": steps, "loss": 0.7 - step / 100, "lr": 5e-6, "epoch": step / steps}
        text = json.dumps(row) + "\\n"
        for part in (text[:20], text[20:]):  # a row is half-written for as long as a pause
            stream.write(part)
            stream.flush()
            time.sleep(pause)
"""


def trainer(folder, until=STEPS, pause=0.12):
    """A process that trains, as far as its log is concerned."""
    words = [sys.executable, "-c", TRAINER, str(folder), str(STEPS), str(until), str(pause)]
    return subprocess.Popen(words)


def watcher(folder, *words):
    program = "import sys; from dpo_report.core.cli import main; sys.exit(main())"
    words = [sys.executable, "-u", "-c", program, "watch", str(folder), "--every", "0.1", *words]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told_steps(lines):
    return [int(line.partition("step ")[2].split()[0]) for line in lines if "step " in line]


def test_the_report_follows_a_run_and_ends_with_it(tmp_path):
    """The watcher is there first; rows come in halves; every report on disk is whole."""
    run = tmp_path / "run"
    seen = set()
    with watcher(run, "-f", "json") as process:
        time.sleep(0.5)
        with trainer(run) as training:
            while process.poll() is None:
                with suppress(FileNotFoundError):  # before the first one, or between the two renames
                    seen.add(json.loads((run / "report-live" / "report.json").read_bytes())["runs"][0]["global_step"])
                time.sleep(0.02)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, training.returncode) == (0, 0), err
    steps = told_steps(out.splitlines())
    assert steps == sorted(steps)
    assert len(set(steps)) > 1
    assert out.splitlines()[-1].endswith(f"report-live: step {STEPS} of {STEPS}, completed")
    assert {STEPS} <= seen <= set(steps)
    assert "Traceback" not in err
    assert sorted(path.name for path in run.iterdir()) == ["report-live", "trainer_log.jsonl"]


def test_ctrl_c_gives_130_and_the_report_stays(tmp_path):
    run = tmp_path / "run"
    with trainer(run, until=4, pause=0.01) as training:
        training.wait()
    with watcher(run, "-f", "markdown", "-o", str(tmp_path / "out")) as process:
        assert "step 4 of 18" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert err.splitlines()[-1] == "dpo-report: interrupted"
    assert (tmp_path / "out" / "report.md").is_file()
    assert [path.name for path in run.iterdir()] == ["trainer_log.jsonl"]


def test_a_report_that_was_built_stays_as_it_was(tmp_path):
    run = tmp_path / "run"
    shutil.copytree(ROOT / "tests" / "runs" / "dpo-log1", run)
    assert main(["build", str(run), "-q"]) == 0
    before = {path: path.read_bytes() for path in (run / "report").rglob("*") if path.is_file()}
    assert main(["watch", str(run), "--every", "0.05", "-q", "-f", "json"]) == 0
    assert {path: path.read_bytes() for path in (run / "report").rglob("*") if path.is_file()} == before
    assert [path.name for path in (run / "report-live").iterdir()] == ["report.json"]


@pytest.mark.parametrize("there", [True, False])
def test_where_no_run_comes_none_is_claimed(tmp_path, there, capsys):
    if there:
        (tmp_path / "run").mkdir()
    assert main(["watch", str(tmp_path / "run"), "--every", "0.05", "--patience", "0.005"]) == 1
    *told, last, _ = capsys.readouterr().err.splitlines()
    assert last.endswith("nothing changed for 0.005 min; no report was made")
    assert ("is not there yet; waiting for it" in "".join(told)) is not there
    assert list(tmp_path.rglob("report*")) == []


def test_it_gives_up_when_nothing_changes(tmp_path, capsys):
    run = tmp_path / "run"
    with trainer(run, until=4, pause=0.01) as training:
        training.wait()
    words = ["watch", str(run), "--every", "0.05", "--patience", "0.02", "-f", "json"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert [line.rpartition("report-live: ")[2] for line in said.out.splitlines()] == [
        "step 4 of 18, running",
        "step 4 of 18, incomplete",
    ]
    told = json.loads((run / "report-live" / "report.json").read_bytes())["runs"][0]
    assert told["status"] == "incomplete", "the report that stays says what the files tell"
    assert "nothing changed for 0.02 min" in said.err


def test_while_it_goes_on_the_report_says_so(tmp_path):
    run = tmp_path / "run"
    with trainer(run, until=4, pause=0.01) as training:
        training.wait()
    with watcher(run, "-f", "markdown") as process:
        assert process.stdout.readline().endswith("report-live: step 4 of 18, running\n")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    said = (run / "report-live" / "report.md").read_text()
    assert "Training is under way: these are the numbers of step 4 of 18" in said
    assert "no claim: training has not come to its end yet" in said
    assert not re.search("incomplete|stopped|killed|unavailable", said)


def test_a_log_that_is_ahead_of_the_checkpoint_tells_how_far_it_is(tmp_path, capsys):
    run, whole = tmp_path / "run", ROOT / "tests" / "runs" / "dpo-eval"
    shutil.copytree(whole / "checkpoint-12", run / "checkpoint-12", copy_function=shutil.copyfile)
    (log,) = whole.rglob("events.out.*.0")
    (run / log.name).write_bytes(log.read_bytes()[: log.stat().st_size * 3 // 4])
    assert main(["watch", str(run), "--every", "0.05", "--patience", "0.05", "-f", "markdown"]) == 0
    said = capsys.readouterr()
    first, last = said.out.splitlines()
    step = int(re.search(r"step (\d+) of 24, running", first)[1])
    assert 12 < step < 24
    assert last.endswith("step 12 of 24, incomplete")
    assert said.err.count("what was saved last, stands at step 12") == 1, "told when training is over, not before"


def test_an_old_log_is_of_no_run_that_goes_on(tmp_path, capsys):
    run = tmp_path / "run"
    with trainer(run, until=4, pause=0.01) as training:
        training.wait()
    os.utime(run / "trainer_log.jsonl", (1.7e9, 1.7e9))
    assert main(["watch", str(run), "--every", "0.05", "--patience", "0.02", "-f", "json"]) == 0
    assert capsys.readouterr().out.count("step 4 of 18, incomplete") == 1


def test_a_run_that_ends_early_and_says_so_ends_the_watch(tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(ROOT / "examples" / "runs" / "kg-8pairs-log1", run, ignore=shutil.ignore_patterns("report"))
    state = run / "trainer_state.json"
    state.write_text(state.read_text().replace('"max_steps": 4', '"max_steps": 40'))
    shutil.rmtree(run / "checkpoint-4")
    for path in run.rglob("*"):
        os.utime(path)
    assert main(["watch", str(run), "--every", "0.05", "--patience", "0.5", "-f", "json"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].endswith("step 4 of 40, incomplete")
    assert "nothing changed" not in said.err


def test_what_cannot_be_read_is_told_once_and_read_when_it_can_be(tmp_path):
    """A state that stands half-written for a while costs nothing of the report that was."""
    run = tmp_path / "run"
    run.mkdir()
    whole = (ROOT / "examples" / "runs" / "kg-8pairs-log1" / "trainer_state.json").read_bytes()
    state = run / "trainer_state.json"
    state.write_bytes(b"")
    with watcher(run, "-f", "json") as process:
        said = process.stderr.readline()
        assert "trainer_state.json" in said
        state.write_bytes(whole[:10])
        time.sleep(0.5)
        state.write_bytes(whole)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.splitlines()[-1].endswith("completed")
    assert err.count("\n") < 6, err


def test_what_can_never_be_is_refused_at_once(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    assert main(["watch", str(tmp_path / "run"), "-f", "htlm"]) == 1
    assert "unknown format 'htlm'" in capsys.readouterr().err
    assert main(["watch", str(tmp_path / "run"), "-o", str(tmp_path / "out")]) == 1
    assert "holds files that are not a report" in capsys.readouterr().err
    for word in ("0", "-1", "x", "nan"):
        assert main(["watch", str(tmp_path / "run"), "--every", word]) == 2


def test_only_what_belongs_to_the_run_counts_as_a_change(tmp_path):
    run = tmp_path / "run"
    assert stamp(run) == ()
    run.mkdir()
    assert stamp(run) == ()
    (run / "log.txt").write_text("a")
    before = stamp(run)
    assert [path for path, _, _ in before] == ["log.txt"]
    (run / "report").mkdir()
    (run / "report" / "report.json").write_text('{"schema": 1, "generator": {"name": "dpo-report"}}')
    (run / ".dpo-report-abc").mkdir()
    (run / ".dpo-report-abc" / "x").write_text("staged")
    assert stamp(run) == before
    os.utime(run / "log.txt", (1, 1))
    assert stamp(run) != before


@pytest.mark.parametrize("word", ["--help"])
def test_help_says_when_it_stops(word, capsys):
    assert main(["watch", word]) == 0
    assert "status 130" in capsys.readouterr().out
