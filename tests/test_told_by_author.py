"""`[run]` and `[settings]` of dpo-report.toml: what the logs leave out, never what they tell."""

import json

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.loader import load

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
