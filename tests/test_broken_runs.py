"""Runs made to break the tool, through the command line: numbers that no training can have, names made to hurt."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.cli import main
from dpo_report.core.loader import load
from dpo_report.core.manager import Host

RUNS = Path(__file__).parent / "runs"
Row = dict[str, Any]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A run of seven logged steps with held-out rows, whose only witness is its state."""
    source, run = RUNS / "dpo-eval", tmp_path / "run"
    run.mkdir()
    for name in ("trainer_state.json", "training_args.bin", "config.json"):
        shutil.copy(source / name, run / name)
    return run


def rewrite(run: Path, change: Callable[[int, Row], Row]) -> None:
    path = run / "trainer_state.json"
    state = json.loads(path.read_text())
    state["log_history"] = [change(index, row) for index, row in enumerate(state["log_history"])]
    path.write_text(json.dumps(state))


def inspected(run: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the run says as JSON; nothing in it failed, and nothing but known problems was told."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        status = main(["inspect", str(run), "--json"])
    out, err = capsys.readouterr()
    assert status == 0, err
    (told,) = json.loads(out)["runs"]
    assert [finding for finding in told["findings"] if finding["status"] == "failed"] == []
    assert [problem for problem in told["problems"] if "failed: " in problem["message"]] == []
    return dict(told)


@pytest.mark.parametrize(
    "numbers",
    [(1e308,), (1e308, -1e308), (5e-324,), (-0.0,), (10**400,), (float("inf"), -1e308), (-5.0, 1e308)],
    ids=str,
)
def test_numbers_at_the_ends_of_what_a_float_holds(
    numbers: tuple[float, ...], broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(
        broken,
        lambda at, row: {
            key: numbers[at % len(numbers)] if isinstance(value, float) and key != "epoch" else value
            for key, value in row.items()
        },
    )
    inspected(broken, capsys)


def test_rates_whose_product_is_no_number(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rates = {
        "train_runtime": -5.0,
        "train_samples_per_second": 1e308,
        "train_steps_per_second": float("inf"),
        "train_loss": -1e308,
    }
    rewrite(broken, lambda _, row: {**row, **rates} if "train_runtime" in row else row)
    inspected(broken, capsys)


@pytest.mark.parametrize("share", [7.5, -7.5])
def test_an_accuracy_outside_0_to_1_is_none(share: float, broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(broken, lambda _, row: {key: share if "accurac" in key else value for key, value in row.items()})
    told = inspected(broken, capsys)
    assert not [value["name"] for value in told["values"] if value["name"].startswith("accuracy.")]


@pytest.mark.parametrize(
    "setting",
    [
        "num_train_epochs = 1e308",
        "num_train_epochs = 5e-324",
        "num_train_epochs = -3",
        "num_train_epochs = 1_000_000_000",
        "per_device_train_batch_size = -3",
        "per_device_train_batch_size = 1_000_000_000_000",
        "per_device_train_batch_size = 1e300",
        "gradient_accumulation_steps = 0",
        "warmup_ratio = 1e308",
        "warmup_ratio = nan",
        "beta = 'x'",
        "beta = 0",
        "learning_rate = [1]",
        "logging_steps = " + "9" * 400,
        "loss_type = {a = 1}",
    ],
)
def test_settings_that_no_training_can_have(setting: str, broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (broken / "training_args.bin").unlink()
    (broken / "dpo-report.toml").write_text(f"[settings]\n{setting}\n[facts]\nworld_size = 1_000_000_000_000\n")
    inspected(broken, capsys)


def test_a_model_type_that_is_a_list(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (broken / "config.json").write_text(json.dumps({"model_type": ["gpt2"], "n_embd": [1], "vocab_size": {"a": 1}}))
    inspected(broken, capsys)


def test_facts_nested_without_end_are_left_out(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (broken / "dpo-report.toml").write_text("[facts]\n" + ".".join("a" * 5000) + " = 1\n")
    told = inspected(broken, capsys)
    assert "nested too deeply" in " ".join(problem["message"] for problem in told["problems"])


def test_a_name_of_thousands_of_letters_is_cut_in_figures(broken: Path) -> None:
    rewrite(broken, lambda _, row: {key.replace("eval_", f"eval_{'x' * 3000}_"): row[key] for key in row})
    assert main(["build", str(broken), "-q"]) == 0


@pytest.mark.parametrize("section", ["facts", "settings", "answers"])
def test_of_very_many_entries_the_first_are_kept(
    section: str, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (broken / "dpo-report.toml").write_text(f"[{section}]\n" + "".join(f"k{i} = {i}\n" for i in range(60_000)))
    told = inspected(broken, capsys)
    assert f"[{section}] holds more than 1,000 entries" in " ".join(problem["message"] for problem in told["problems"])


def test_a_model_configuration_of_very_many_entries(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (broken / "config.json").write_text(json.dumps({f"k{i}": i for i in range(60_000)}))
    assert sum(name.startswith("model.") for name in inspected(broken, capsys)["settings"]) == 1000


def test_whole_numbers_that_no_float_holds(broken: Path) -> None:
    (broken / "config.json").write_text(f'{{"model_type": "gpt2", "n_embd": {"9" * 400}, "a": [{"9" * 400}]}}')
    huge = "9" * 4000
    (broken / "dpo-report.toml").write_text(f"[facts]\ntrain_pairs = {huge}\n[run]\nglobal_step = {huge}\n")
    assert main(["build", str(broken), "-q", "-f", "latex,markdown,html"]) == 0
    (told,) = json.loads((broken / "report" / "report.json").read_text())["runs"]
    assert told["settings"]["model.n_embd"]["value"] == "1.000000e+400"
    assert "global_step is 9999" in " ".join(problem["message"] for problem in told["problems"])


def test_points_at_steps_that_none_can_be_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["1,0.7", "2,0.6", "1e20,0.5", "1e308,0.4"]
    (tmp_path / "metrics.csv").write_text("step,loss\n" + "\n".join(rows) + "\n")
    told = inspected(tmp_path, capsys)
    assert [series["points"] for series in told["series"]] == [2]
    assert "2 points stand at steps that no training reaches" in told["problems"][-1]["message"]


def test_steps_too_near_to_be_told_apart_are_drawn(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("step,loss\n0,0.7\n5e-324,0.6\n1e-323,0.5\n")
    assert main(["build", str(tmp_path), "-q"]) == 0
    assert list((tmp_path / "report" / "figures").iterdir())


@pytest.mark.parametrize(
    "settings",
    [
        "loss_type = 'ipo'\nbeta = 1e-200",
        "loss_type = 'exo_pair'\nlabel_smoothing = 1.0",
        "loss_type = 'exo_pair'\nlabel_smoothing = 1e-320",
        "loss_type = 'sigmoid'\nlabel_smoothing = 0.5",
        "loss_type = ['sigmoid']\nloss_weights = ['x']",
        "loss_type = ['sigmoid', 'hinge']\nloss_weights = [1e308, 1e308]",
    ],
)
def test_losses_without_a_start(settings: str, broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (broken / "training_args.bin").unlink()
    (broken / "dpo-report.toml").write_text(f"[run]\nmethod = 'dpo'\n[settings]\n{settings}\n")
    inspected(broken, capsys)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "9" * 400, "-1"])
def test_counts_that_are_none(number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = '{{"current_steps": {0}, "total_steps": {1}, "loss": 0.5, "epoch": {1}}}\n'
    (tmp_path / "trainer_log.jsonl").write_text(row.format(1, 2) + row.format(2, number))
    told = inspected(tmp_path, capsys)
    assert told["max_steps"] in (None, -1)


def test_a_name_that_no_disk_holds(broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["inspect", "x" * 5000], ["build", str(broken), "-o", str(tmp_path / ("x" * 300))]):
        assert main(words) == 1
        assert capsys.readouterr().err.count("\n") == 2


def test_a_slip_in_a_name_does_not_read_all_that_lies_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2_001):
        (tmp_path / f"{number}.csv").touch()
    monkeypatch.setattr("dpo_report.core.loader.loaded", lambda *_: pytest.fail("the folder was read"))
    assert main(["inspect", str(tmp_path / "rnu")]) == 1


def test_a_folder_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(["build", "."]) == 1
    assert capfd.readouterr().err.splitlines()[0] == "dpo-report: the current folder is gone"


def test_outputs_that_were_closed_before(broken: Path) -> None:
    program = "import sys; from dpo_report.core.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", program, "inspect", str(broken)]
    done = subprocess.run(["sh", "-c", '"$@" >&- 2>&-', "sh", *words], check=False, timeout=60)
    assert done.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_build_that_is_stopped_while_it_writes_leaves_nothing(number: int, broken: Path) -> None:
    program = (
        "import os, pathlib, sys\n"
        "from dpo_report.core import cli, target\n"
        f"target._swap = lambda *_: os.kill(os.getpid(), {int(number)})\n"
        f"sys.argv = ['dpo-report', 'build', {str(broken)!r}]\n"
        "sys.exit(cli.main())\n"
    )
    before = sorted(broken.iterdir())
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "dpo-report: interrupted\n")
    assert sorted(broken.iterdir()) == before


def test_a_parent_of_folders_that_hold_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(40):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "x.txt").write_text("x")
    for words in (["inspect", str(tmp_path)], ["build", str(tmp_path), "--all", "-q"]):
        assert main(words) == 1
        assert "tells of a training run (it holds 0/x.txt" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("C7.flat = 1" + "0" * 400, "C7.flat = a number of hundreds of digits is not a number from 0 on"),
        ("C7.flat = 0x" + "f" * 5000, "C7.flat = a number of hundreds of digits"),
        (".".join("a" * 3000) + " = 1", "no rule has a threshold a.a.a"),
        ('"\\u001b[31m" = 1', "no rule has a threshold \u241b[31m"),
        ("C7.flat = nan", "C7.flat = nan is not a number"),
        ("k = '" + "x" * (1 << 20) + "'", "larger than 1 MiB"),
    ],
    ids=["huge", "huger", "deep", "escape", "nan", "long"],
)
def test_thresholds_that_none_can_be(
    content: str,
    says: str,
    broken: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "dpo-report.toml").write_text(f"[thresholds]\n{content}\n")
    monkeypatch.chdir(tmp_path)
    status = main(["build", str(broken), "-q", "-f", "json"])
    err = capsys.readouterr().err
    assert status == (0 if "larger" in says else 1)
    assert says in err
    assert max(map(len, err.splitlines())) < 400


@pytest.mark.parametrize(
    "deed",
    [
        "os.write(1, b'loud')",
        "subprocess.run(['echo', 'loud'])",
        "sys.__stdout__.write('loud'); sys.__stdout__.flush()",
        "sys.stdout.close()",
        "os.close(1)",
        "sys.exit(0)",
        "raise type('Panic', (BaseException,), {})('boo')",
    ],
)
def test_json_stays_json_whatever_a_plugin_does(deed: str, broken: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "loud.py"
    plugin.write_text(
        "import os, subprocess, sys\nfrom dpo_report import hookimpl\n"
        f"@hookimpl\ndef register_curves():\n    {deed}\n    return []\n"
    )
    program = "import sys; from dpo_report.core.cli import main; sys.exit(main())"
    words = [sys.executable, "-c", program, "inspect", str(broken), "--json", "--plugin", str(plugin)]
    done = subprocess.run(words, check=False, timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)["runs"]
    failed = [problem["message"] for problem in told["problems"] if problem["where"].startswith("plugin loud")]
    assert len(failed) == (deed.startswith(("raise", "sys.exit")))


@pytest.mark.parametrize(
    "deed",
    [
        "run.settings.clear()",
        "run.series.popitem()",
        "run.series['loss', 'train'].values.sort()",
        "run.series['loss', 'train'].steps.__setitem__(0, 9.0)",
        "run.facts.update(x=1)",
    ],
)
def test_a_plugin_cannot_change_the_run_of_the_others(deed: str, broken: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "writes.py"
    plugin.write_text(
        "from dpo_report import hookimpl\nfrom dpo_report.core.contract import Metric\n"
        f"def compute(run):\n    {deed}\n"
        "@hookimpl\ndef register_metrics():\n    return [Metric('a.writes', 'writes', compute)]\n"
    )
    analysis = analyse(load(broken), Host(discover=False, files=[plugin]))
    (failed,) = [problem.message for problem in analysis.problems if problem.where.startswith("plugin writes")]
    assert "metric a.writes failed" in failed
    assert analysis.run.settings
    assert ("loss", "train") in analysis.run.series


def test_a_pipe_in_place_of_the_answers_is_not_waited_for(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(broken / "dpo-report.toml")
    assert main(["ask", str(broken)]) == 1
    assert "dpo-report.toml is no plain file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("left", "why"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "is a Git LFS pointer"),
        ('{"log_his', "ends in the middle of a value"),
    ],
    ids=["pointer", "torn"],
)
@pytest.mark.parametrize("results", [False, True], ids=["alone", "beside results"])
def test_of_a_log_that_cannot_be_read_nothing_is_said_to_be_missing(
    left: str, why: str, results: bool, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (broken / "trainer_state.json").write_text(left)
    if results:
        (broken / "train_results.json").write_text('{"train_loss": 0.5, "epoch": 3.0}')
    said = {finding["code"]: json.dumps(finding) for finding in inspected(broken, capsys)["findings"]}
    assert "not known, as no log could be read" in said["F1"]
    assert "No log could be read" in said["A2"]
    assert why in said["A2"]


def test_what_kept_everything_from_being_read_stands_first(broken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (broken / "trainer_state.json").write_text('{"log_his')
    both = io.StringIO()
    monkeypatch.setattr(sys, "stdout", both)
    monkeypatch.setattr(sys, "stderr", both)
    assert main(["inspect", str(broken)]) == 0
    assert both.getvalue().startswith("problem: trainer_state.json: ")


@pytest.mark.parametrize("name", ["dpo-eval", "dpo-log1"])
def test_no_reason_prints_the_signs_of_a_markup(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    reasons = [f["text"] for f in inspected(RUNS / name, capsys)["findings"] if f["status"] == "not_applicable"]
    assert "the run was not evaluated with dpo-report evaluate" in map(str, reasons)
    assert not [reason for reason in map(str, reasons) if "`" in reason]


@pytest.mark.parametrize(("columns", "told"), [(100, False), (160, True)])
def test_what_a_number_means_is_told_where_there_is_room_for_it(
    columns: int, told: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["inspect", str(RUNS / "dpo-eval")]) == 0
    assert ("what it means" in capsys.readouterr().out) is told


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{\n "train_loss": 0.45,\n "train_runt', "is not valid JSON"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 233\n", "is a Git LFS pointer"),
        ("", "is empty"),
    ],
    ids=["torn", "not fetched", "empty"],
)
def test_results_that_cannot_be_read_are_not_called_missing(
    content: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train_results.json").write_text(content)
    told = inspected(tmp_path, capsys)
    sentences = {finding["code"]: finding["text"] for finding in told["findings"] if finding["status"] == "found"}
    assert told["status"] == "unknown"
    assert "A2.none" not in sentences
    assert "No log could be read" in sentences["A2"] and why in sentences["A2"]
