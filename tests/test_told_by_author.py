"""`[run]` and `[settings]` of dpo-report.toml: what the logs leave out, never what they tell."""

import json
import shutil
from pathlib import Path

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.cli import main
from dpo_report.core.loader import load

RUNS = Path(__file__).parent / "runs"
SUMMARY = {"train_runtime": 19.619, "train_samples_per_second": 0.816, "train_steps_per_second": 0.204,
           "train_loss": 0.4595, "epoch": 2.0}  # fmt: skip
TOLD = """
[run]
method = "dpo"
status = "completed"
global_step = 4
max_steps = 4

[settings]
num_train_epochs = 2.0
per_device_train_batch_size = 1
gradient_accumulation_steps = 4
learning_rate = 5e-6
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps(SUMMARY))
    return tmp_path


def test_five_numbers_and_the_settings_give_the_derived_facts(folder):
    (folder / "dpo-report.toml").write_text(TOLD)
    values = analyse(load(folder)).values
    told = {name: values[name].value for name in ("steps.done", "batch.effective", "data.rows", "data.presentations")}
    assert told == {"steps.done": 4, "batch.effective": 4, "data.rows": 8, "data.presentations": 16}
    assert values["loss.train.rest"].value == pytest.approx(0.3816, abs=1e-4)


def test_the_source_of_a_told_setting_is_the_file(folder):
    (folder / "dpo-report.toml").write_text(TOLD)
    run = load(folder)
    assert str(run.settings["learning_rate"].source) == "dpo-report.toml: settings.learning_rate"
    assert run.method_why == "dpo-report.toml, run.method"


def test_a_log_counts_more_and_the_difference_is_told(folder):
    rows = [{"loss": 0.69, "step": 1, "epoch": 1.0}, {"loss": 0.5, "step": 2, "epoch": 2.0}]
    state = {"log_history": rows, "global_step": 2, "max_steps": 2, "train_batch_size": 8}
    (folder / "trainer_state.json").write_text(json.dumps(state))
    known = load(folder).setting("per_device_train_batch_size")
    (folder / "dpo-report.toml").write_text(TOLD)
    run = load(folder)
    assert run.global_step == 2
    assert run.setting("per_device_train_batch_size") == (1 if known is None else known)
    assert run.setting("gradient_accumulation_steps") == 4


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("metod = 'dpo'", "[run] metod is not known"),
        ("global_step = 'four'", "[run] global_step is four, left out"),
        ("global_step = true", "[run] global_step is True, left out"),
        ("status = 'finished'", "[run] status 'finished' is not known"),
    ],
)
def test_a_slip_is_told_and_left_out(folder, line, said):
    (folder / "dpo-report.toml").write_text(f"[run]\n{line}\n")
    run = load(folder)
    assert any(said in problem.message for problem in run.problems)
    assert run.method is None
    assert run.global_step is None


ELSEWHERE = """
[answers]
hardware = "one borrowed laptop"
[facts]
train_pairs = 12
device.name = "a GPU"
"""


@pytest.fixture
def kept(folder, tmp_path_factory):
    """A run with its own answers, and a file of others that stands elsewhere."""
    (folder / "dpo-report.toml").write_text(
        TOLD + '\n[answers]\nhardware = "mine"\nbeta = "0.1"\n[facts]\ntrain_pairs = 8\n'
    )
    file = tmp_path_factory.mktemp("kept") / "answers.toml"
    file.write_text(ELSEWHERE)
    return folder, file


def test_answers_that_are_kept_elsewhere_count_before_the_runs_own(kept, tmp_path):
    folder, file = kept
    before = file.read_bytes(), (folder / "dpo-report.toml").read_bytes()
    out = str(tmp_path / "out")
    assert main(["build", str(folder), "-o", out, "-f", "markdown", "--answers", str(file)]) == 0
    run = json.loads((tmp_path / "out" / "report.json").read_text())["runs"][0]
    answers = {question["id"]: question["answer"] for question in run["questions"]}
    assert answers["hardware"] == "one borrowed laptop"
    assert run["facts"]["train_pairs"] == {
        "value": 12,
        "source": {"file": "answers.toml", "where": "facts.train_pairs"},
    }
    assert run["facts"]["device.name"]["value"] == "a GPU"
    assert "The run used one borrowed laptop." in (tmp_path / "out" / "report.md").read_text()
    assert (file.read_bytes(), (folder / "dpo-report.toml").read_bytes()) == before


def test_a_single_file_gets_answers_too(kept, tmp_path, capsys):
    folder, file = kept
    assert main(["inspect", str(folder / "metrics.json"), "--json", "--answers", str(file)]) == 0
    told = json.loads(capsys.readouterr().out)["runs"][0]
    assert next(one["answer"] for one in told["questions"] if one["id"] == "hardware") == "one borrowed laptop"


def test_a_paper_is_checked_with_them(kept, tmp_path, capsys):
    folder, file = kept
    file.write_text('[facts]\nsafety_evaluation = "a named test"\n')
    (tmp_path / "paper.md").write_text("The trained model is safe.\n")
    paper = ["check", str(tmp_path / "paper.md"), str(folder)]
    assert main(paper) == 1
    assert "K10" in capsys.readouterr().out
    assert main([*paper, "--answers", str(file)]) == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot read the answers in"),
        ("[answers", "is not valid TOML"),
        ("\xff", "is not valid TOML"),
        ("x = 1\n" + "#" * (1 << 20), "is larger than 1 MiB"),
    ],
)
@pytest.mark.parametrize("command", ["build", "inspect"])
def test_a_file_of_answers_that_is_none_is_told_in_a_line(kept, tmp_path, capsys, command, content, told):
    folder, _ = kept
    file = Path(tmp_path / "other.toml")
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
    words = [
        command,
        str(folder),
        "--answers",
        str(file),
        *(["-o", str(tmp_path / "out")] if command == "build" else []),
    ]
    assert main(words) == 1
    first, hint = capsys.readouterr().err.splitlines()
    assert told in first and hint.strip()
    assert not (tmp_path / "out").exists()


def test_other_tables_of_such_a_file_are_told(kept, tmp_path, capsys):
    folder, file = kept
    file.write_text("[settings]\nbeta = 0.5\n[thresholds]\nG8.steps = 1\n[answers]\nhardware = 3\n")
    assert main(["build", str(folder), "-o", str(tmp_path / "out"), "-f", "json", "--answers", str(file)]) == 0
    assert "answers.toml: [settings], [thresholds] left out" in capsys.readouterr().err
    run = json.loads((tmp_path / "out" / "report.json").read_text())["runs"][0]
    assert "beta" not in run["settings"] or run["settings"]["beta"]["value"] != 0.5


def test_answers_elsewhere_are_not_for_all_runs_of_a_folder(kept, capsys):
    folder, file = kept
    assert main(["build", str(folder), "--all", "--answers", str(file)]) == 1
    assert "--answers is for runs that are named one by one" in capsys.readouterr().err


def test_an_answer_whose_name_is_misspelt_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another name may be one that a template of the author's prints, or a checklist's."""
    run = tmp_path / "run"
    shutil.copytree(RUNS / "dpo-log1", run)
    (run / "dpo-report.toml").write_text(
        '[answers]\nhardwares = "mine"\nreference = "none"\nbase_model = "x"\nacl-b2 = "yes"\nours = "x"\n'
    )
    assert main(["inspect", str(run)]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "[answers] hardwares: answers no question (did you mean hardware?)" in told
    assert "[answers] base_model: answers no question (did you mean base-model?)" in told
    assert told.count("answers no question") == 2
