"""The evaluation after training, which only results files tell: a held-out point of the run, or a value of its own."""

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.loader import load
from dpo_report.core.manager import Host
from dpo_report.core.model import Analysis, Finding
from dpo_report.plugins.readers.hf.final import quantities

HOST = Host(discover=False)
TRAIN = [{"loss": 3.0 - step / 10, "step": step, "epoch": step / 10} for step in range(2, 21, 2)]
LAST = {"epoch": 2.0, "eval_loss": 1.5, "eval_accuracy": 0.75, "eval_runtime": 2.0, "eval_samples_per_second": 5.0}
BEST = {"best_global_step": 10, "best_model_checkpoint": "/there/checkpoint-10", "best_metric": 1.25}


def logged(step: int, **values: float) -> dict[str, Any]:
    """An evaluation's row in the log."""
    return {"step": step, "epoch": step / 10, **values}


def arguments(folder: Path, **told: Any) -> None:
    """The trainer's arguments as torch saves them."""
    body = pickle.dumps(told, 2)[2:-1]
    with zipfile.ZipFile(folder / "training_args.bin", "w") as archive:
        head = b"\x80\x02ctransformers.training_args\nTrainingArguments\n)\x81"
        archive.writestr("training_args/data.pkl", head + body + b"b.")


def made(
    folder: Path,
    *rows: dict[str, Any],
    results: dict[str, Any] | None = None,
    best: bool | None = False,
    **state: Any,
) -> Analysis:
    """A run of 20 steps with these evaluations and results; ``best``: ``load_best_model_at_end``, None if untold."""
    history = sorted([*TRAIN, *rows], key=lambda row: row["step"])
    history.append({"step": 20, "epoch": 2.0, "train_loss": 2.0, "train_runtime": 10.0})
    whole = {"global_step": 20, "max_steps": 20, "epoch": 2.0, "log_history": history, **state}
    (folder / "trainer_state.json").write_text(json.dumps(whole))
    if best is not None:
        arguments(folder, load_best_model_at_end=best, output_dir="x")
    for name in ("eval_results.json", "all_results.json"):
        (folder / name).write_text(json.dumps(LAST if results is None else results))
    run = load(folder, host=HOST)
    assert run.setting("load_best_model_at_end") is best
    return analyse(run, HOST)


def finding(analysis: Analysis, code: str) -> Finding:
    return next(one for one in analysis.findings if one.code == code)


def test_it_is_the_last_held_out_point(tmp_path: Path) -> None:
    found = made(tmp_path, logged(10, eval_loss=1.75, eval_accuracy=0.5))
    last = found.values["loss.eval.last"]
    assert (last.value, str(last.sources[0])) == (1.5, "eval_results.json: eval_loss")
    assert last.note == "evaluation at step 20; made after training, told by eval_results.json"
    assert found.values["loss.eval.first"].note == "evaluation at step 10"
    assert "At step 20 the held-out loss was 1.500" in str(finding(found, "F2").text)
    assert "it includes 1 evaluation and" in str(finding(found, "I1").text)  # the last one is not of the loop
    assert not [name for name in found.values if name.endswith(".after")]
    assert not found.problems


def test_it_may_be_the_only_one(tmp_path: Path) -> None:
    found = made(tmp_path, results={**LAST, "perplexity": 4.48, "eval_samples": 10})
    assert found.values["loss.eval.last"].value == 1.5
    assert found.values["logged.accuracy.eval.last"].value == 0.75
    assert found.values["data.eval_rows"].value == 10
    assert found.values["perplexity.eval.after"].value == 4.48
    assert finding(found, "F1").grants == ("held-out",)
    assert any(question.id == "split" for question in found.questions)


def test_equal_ones_are_one(tmp_path: Path) -> None:
    found = made(tmp_path, logged(20, eval_loss=1.5, eval_accuracy=0.75, eval_runtime=3.0, eval_num_tokens=100))
    assert str(found.values["loss.eval.last"].sources[0]) == "trainer_state.json: log_history[10].eval_loss"
    assert found.values["loss.eval.last"].note == "evaluation at step 20"
    assert not [name for name in found.values if name.endswith(".after")]
    assert not found.problems


def test_a_count_that_goes_on_contradicts_nothing(tmp_path: Path) -> None:
    found = made(tmp_path, logged(20, eval_loss=1.5, eval_num_tokens=100), results={**LAST, "eval_num_tokens": 200})
    assert not found.problems


@pytest.mark.parametrize(
    ("results", "more"),
    [
        ({"epoch": 2.0, "eval_loss": 1.234}, ""),
        ({"epoch": 2.0, "eval_loss": 1.234, "eval_accuracy": 0.5}, ", and 1 more of its values differ"),
    ],
)
def test_a_difference_is_told_with_both_values(results: dict[str, float], more: str, tmp_path: Path) -> None:
    found = made(tmp_path, logged(20, eval_loss=1.5, eval_accuracy=0.75), results=results)
    (told,) = found.problems
    assert told.where == "eval_results.json"
    said = f"eval_loss is 1.234 here and 1.5 in trainer_state.json at step 20{more}"
    assert told.message == f"{said}: another evaluation, of other weights or data"
    assert found.values["loss.eval.last"].value == 1.5
    assert found.values["loss.eval.after"].value == 1.234
    assert found.values["loss.eval.after"].note == (
        "told by eval_results.json; the log tells another value of the last step"
    )


def test_the_best_weights_loaded_at_the_end_have_no_place_after_the_last_step(tmp_path: Path) -> None:
    rows = logged(10, eval_loss=1.25), logged(20, eval_loss=1.5)
    found = made(tmp_path, *rows, results={"epoch": 2.0, "eval_loss": 1.25}, best=True, **BEST)
    assert found.values["loss.eval.last"].value == 1.5
    assert found.values["loss.eval.after"].value == 1.25
    assert found.values["loss.eval.after"].note == "of the best weights, loaded at the end: those of step 10"
    assert not found.problems


def test_best_weights_that_give_another_value_than_when_they_were_chosen(tmp_path: Path) -> None:
    rows = logged(10, eval_loss=1.25), logged(20, eval_loss=1.5)
    found = made(tmp_path, *rows, results={"epoch": 2.0, "eval_loss": 1.75}, best=True, **BEST)
    (told,) = found.problems
    assert "eval_loss is 1.75 here and 1.25 in trainer_state.json at step 10" in told.message
    note = found.values["loss.eval.after"].note
    assert note == "told by eval_results.json, of the best weights, loaded at the end"


@pytest.mark.parametrize(
    ("results", "best", "state"),
    [
        ({"eval_loss": 1.5}, False, {}),  # made by a program that had not just trained
        ({"epoch": 3.0, "eval_loss": 1.5}, False, {}),  # the state is an older one
        ({"epoch": 2.0, "eval_loss": 1.5}, None, BEST),  # whether the best was loaded is not told
        ({"epoch": 2.0, "eval_loss": 1.5}, True, {}),  # which was the best is not told
        ({"epoch": float("nan"), "eval_loss": 1.5}, False, {}),
    ],
)
def test_where_the_weights_are_not_known_it_has_no_step(
    results: dict[str, float], best: bool | None, state: dict[str, Any], tmp_path: Path
) -> None:
    found = made(tmp_path, logged(20, eval_loss=1.75), results=results, best=best, **state)
    assert found.values["loss.eval.last"].value == 1.75
    assert found.values["loss.eval.after"].value == 1.5
    assert not found.problems


def test_an_epoch_rounded_to_two_decimals_is_the_same(tmp_path: Path) -> None:
    found = made(tmp_path, results={"epoch": 1.99, "eval_loss": 1.5}, epoch=1.9888)
    assert found.values["loss.eval.last"].note.startswith("evaluation at step 20; made after training")


def test_results_without_a_log(tmp_path: Path) -> None:
    (tmp_path / "eval_results.json").write_text(json.dumps({"eval_loss": 1.5, "eval_runtime": 2.0}))
    found = analyse(load(tmp_path, host=HOST), HOST)
    assert found.values["loss.eval.after"].value == 1.5
    assert found.values["loss.eval.after"].note == "told by eval_results.json; its step is not known"
    assert finding(found, "F1").status == "passed"


def test_every_held_out_set_has_its_own(tmp_path: Path) -> None:
    results = {"epoch": 2.0, "eval_near_loss": 1.5, "eval_near_runtime": 1.0, "eval_far_loss": 2.5}
    found = made(tmp_path, results={**results, "eval_far_runtime": 1.0})
    assert found.values["loss.eval.near.last"].value == 1.5
    assert found.values["loss.eval.far.last"].value == 2.5
    assert quantities(["eval_near_loss"], ["eval:near"]) == {"eval_near_loss": ("loss", "eval:near")}
    assert quantities(["eval_loss", "eval_runtime"], ["eval"])["eval_loss"] == ("loss", "eval")


def test_another_log_that_contradicts_it_is_told_with_its_file(tmp_path: Path) -> None:
    rows = [{"loss": row["loss"], "current_steps": row["step"], "total_steps": 20} for row in TRAIN]
    rows.append({"eval_loss": 1.75, "current_steps": 20, "total_steps": 20})
    (tmp_path / "trainer_log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = made(tmp_path, logged(10, eval_loss=2.0))
    assert [(told.where, told.message) for told in found.problems] == [
        ("trainer_log.jsonl", "eval loss differs from eval_results.json at step 20; the latter is used")
    ]
