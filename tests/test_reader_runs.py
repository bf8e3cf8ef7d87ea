"""Every run in tests/runs is read to the last digit: against its files by a plain loop, and against its manifest."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from dpo_report.core.loader import load, load_all
from dpo_report.core.manager import Host
from dpo_report.core.model import Source

RUNS = Path(__file__).parent / "runs"
NAMES = sorted(path.name.removesuffix(".MANIFEST.json") for path in RUNS.glob("*.MANIFEST.json"))


def place(path: Path, source: Source) -> Any:
    """The value that stands at a source: ``log_history[3].eval_loss``, or a member."""
    state = json.loads((path / source.file).read_text())
    if not source.where.startswith("log_history["):
        return state[source.where]
    row, _, key = source.where.removeprefix("log_history[").partition("].")
    return state["log_history"][int(row)][key]


def equal(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def repeats(row: dict[str, float], before: list[dict[str, float]]) -> bool:
    """Whether an evaluation was logged before with the same values, its timing apart."""
    said = {key: value for key, value in row.items() if not key.endswith(("runtime", "_per_second"))}
    return "eval_loss" in row and any(said.items() <= other.items() for other in before)


def test_there_are_runs_of_every_kind() -> None:
    assert len(NAMES) > 15


@pytest.mark.parametrize("name", NAMES)
def test_every_point_stands_where_its_source_says(name: str, trainer: Host) -> None:
    for run in load_all(RUNS / name, trainer):
        for series in run.series.values():
            for index in range(len(series)):
                source = series.source_at(index)
                assert equal(float(place(run.directory, source)), float(series.values[index]))
                at = Source(source.file, source.where.rpartition("].")[0] + "].step")
                assert place(run.directory, at) == series.steps[index]
        for datum in run.summary.values():
            told = place(run.directory, datum.source)
            if isinstance(datum.value, str):
                assert told.endswith(datum.value)
            else:
                assert equal(float(told), datum.value)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_told(name: str, trainer: Host) -> None:
    """Each number of the newest state is a point, or part of the summary, or a repeated evaluation that is told."""
    for run in load_all(RUNS / name, trainer):
        file = run.witnesses[0].files[0]
        rows = json.loads((run.directory / file).read_text())["log_history"]
        told = {(s.source_at(i).file, s.source_at(i).where) for s in run.series.values() for i in range(len(s))}
        told |= {(datum.source.file, datum.source.where) for datum in run.summary.values()}
        twice = [problem for problem in run.problems if "stand twice" in problem.message]
        for number, row in enumerate(rows):
            missing = [key for key in row if key != "step" and (file, f"log_history[{number}].{key}") not in told]
            assert not missing or twice or repeats(row, rows[:number])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("dpo-seeds", "two-runs-one-folder")])
def test_the_manifest_is_met(name: str, trainer: Host) -> None:
    manifest = json.loads((RUNS / f"{name}.MANIFEST.json").read_text())
    last = manifest["processes"][-1]
    run = load(RUNS / name, host=trainer)
    for key, value in last["passed"].items():
        if key != "output_dir":
            assert run.setting(key) == value or run.setting(key) == [value], key
    for package, version in run.versions.items():
        assert manifest["versions"][package] == version
    assert run.setting("world_size") == 1
    output = last.get("train_output")
    if output is None:
        assert (run.status, run.number("train_loss")) == ("incomplete", None)
        return
    assert run.global_step == output["global_step"] == run.max_steps
    assert run.status == ("diverged" if "nan" in name else "completed")
    if "train_loss" in run.summary:
        for key, value in output["metrics"].items():
            assert equal(run.summary[key].value, value), key  # type: ignore[arg-type]
    assert run.method == last["trainer"].removesuffix("Trainer").lower()
    assert run.trainer is not None
    assert run.trainer.endswith(f".{last['trainer']}")


def test_a_run_shorter_than_its_logging_interval_has_no_rows(trainer: Host) -> None:
    run = load(RUNS / "dpo-default-log", host=trainer)
    assert (run.status, run.global_step, run.epoch) == ("completed", 4, 2.0)
    assert run.series == {}
    assert run.setting("logging_steps") == 10
    assert run.settings["logging_steps"].is_default is True
    assert run.settings["learning_rate"].is_default is False
    assert run.problems == ()


def test_metrics_of_the_closing_row_stay_out_of_the_curves(trainer: Host) -> None:
    run = load(RUNS / "dpo-savestate", host=trainer)
    assert run.series == {}
    assert str(run.summary["rewards/accuracies"].source) == "trainer_state.json: log_history[0].rewards/accuracies"
    assert run.number("train_loss") is not None


def test_the_evaluation_of_the_best_model_does_not_replace_that_of_the_last_step(trainer: Host) -> None:
    run = load(RUNS / "dpo-eval", host=trainer)
    rows = json.loads((RUNS / "dpo-eval" / "trainer_state.json").read_text())["log_history"]
    at_the_end = [row["eval_loss"] for row in rows if row["step"] == 24 and "eval_loss" in row]
    assert len(set(at_the_end)) == 2
    series = run.get("loss", "eval")
    assert series is not None
    assert series.values[-1] == at_the_end[0]
    assert run.number("eval_loss") == at_the_end[1]
    assert run.summary["best_model_checkpoint"].value == "checkpoint-16"
    for told in (run, load(RUNS / "dpo-eval" / "runs")):  # the state and the event files say so alike
        (twice, *same) = {problem.message for problem in told.problems if "stand twice at step 24" in problem.message}
        assert twice.endswith("the other is of the weights of step 16, whose values it repeats")
        assert not same


def test_named_evaluation_sets_are_kept_apart(trainer: Host) -> None:
    run = load(RUNS / "dpo-two-evalsets", host=trainer)
    for name in ("near", "far"):
        margins = run.get("rewards/margins", f"eval:{name}")
        assert margins is not None
        assert len(margins) == 4
        assert run.get("loss", f"eval:{name}") is not None
    assert run.get("loss", "eval") is None
    assert run.problems == ()


def test_two_runs_in_one_folder_are_never_merged(trainer: Host) -> None:
    main, other = load_all(RUNS / "two-runs-one-folder", trainer)
    assert (main.max_steps, other.max_steps) == (20, 16)
    assert main.setting("seed") != other.setting("seed") or main.setting("learning_rate") != other.setting(
        "learning_rate"
    )
    assert [len(series) for series in main.series.values()] == [20] * len(main.series)
    assert [len(series) for series in other.series.values()] == [16] * len(other.series)
    assert "planned for 16 steps, not 20" in main.problems[0].message
    assert main.problems[0].where == "checkpoint-8, checkpoint-16"


def test_not_a_number_is_kept(trainer: Host) -> None:
    run = load(RUNS / "dpo-nan-nofilter", host=trainer)
    loss = run.get("loss")
    assert loss is not None
    assert math.isnan(loss.values[-1])
    assert math.isfinite(loss.values[0])
    assert math.isnan(float(run.summary["train_loss"].value))
    assert run.number("train_loss") is None


def test_a_filtered_divergence_is_seen_in_the_rewards(trainer: Host) -> None:
    run = load(RUNS / "dpo-nan", host=trainer)
    loss = run.get("loss")
    assert loss is not None
    assert loss.values[-1] == 0.0
    assert run.status == "diverged"


def test_files_have_a_role_and_a_meaning(trainer: Host) -> None:
    run = load(RUNS / "dpo-lora", host=trainer)
    roles = {file.path: file.role for file in run.files}
    assert roles["trainer_state.json"] == "state"
    assert roles["training_args.bin"] == roles["adapter_config.json"] == "config"
    assert roles["README.md"] == "card"
    assert all(file.bytes == (RUNS / "dpo-lora" / file.path).stat().st_size for file in run.files)
    assert all(file.meaning for file in run.files), [file.path for file in run.files if not file.meaning]
    assert run.setting("lora.r") == 4
    assert run.setting("base_model")
