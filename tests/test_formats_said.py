"""What the rules say of runs of other trainers is no more than those runs tell."""

from pathlib import Path

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.loader import load
from dpo_report.core.manager import Host
from dpo_report.core.text import Text

FORMATS = Path(__file__).parent / "formats"


@pytest.fixture(scope="module")
def host() -> Host:
    return Host(discover=False)


def said(path: Path, host: Host) -> dict[str, str]:
    """Sentences by the code of their rule."""
    analysis = analyse(load(path, host=host), host)
    found = {one.code: one.text for one in analysis.findings if one.status == "found"}
    return {code: text.plain(analysis.works) if isinstance(text, Text) else text for code, text in found.items()}


def test_rows_rarer_than_the_trainer_logs_are_no_resumption(host: Host) -> None:
    """Simple Transformers writes a row at each evaluation, and has a setting ``logging_steps`` of its own."""
    run = load(FORMATS / "simpletransformers", host=host)
    assert run.setting("logging_steps") < run.series["loss", "train"].steps[0]
    assert "A4" not in said(FORMATS / "simpletransformers", host)


def test_a_held_out_loss_that_is_no_number_is_told_and_spoils_claims(host: Host) -> None:
    path = FORMATS / "trackio" / "trackio"
    run = load(path, host=host)
    assert run.status == "completed"  # its training losses are finite
    assert said(path, host)["C12"].startswith("The held-out loss was not finite at step 20. Nothing is claimed")
    assert analyse(run, host).level < 1


def test_of_a_store_that_cannot_be_read_nothing_is_said_to_be_missing(host: Host) -> None:
    found = said(FORMATS / "aim", host)
    assert found["A2"].startswith("No log could be read")
    assert "not known" in found["F1"]


def test_settings_without_a_log_are_no_run_without_evaluations(host: Host) -> None:
    found = said(FORMATS / "accelerate" / "tiny", host)
    assert "no log" in found["A2.none"] and not {"A2", "F1"} & found.keys()


def test_parts_of_epochs_are_told_as_such(host: Host) -> None:
    told = said(FORMATS / "general" / "console", host)["C4"]
    assert "(log position 0.1)" in told and "(log position 0.3)" in told


def test_the_place_of_an_evaluation_is_no_step_where_none_is_counted(host: Host) -> None:
    assert said(FORMATS / "keras", host)["F2"].startswith("At log position 4 the held-out loss was")


def test_the_best_checkpoint_that_a_state_notes_is_told(host: Host) -> None:
    run = FORMATS.parent / "runs" / "dpo-eval"
    found = said(run, host)
    assert "checkpoint-16" in found["F4"] and "F5" in found
