"""What a run logged beside its loss stands in its report, under the run's own names, with its place."""

import json
from pathlib import Path

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.build import build_runs
from dpo_report.core.loader import load
from dpo_report.core.manager import Host
from dpo_report.core.model import Value

TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def host() -> Host:
    return Host(discover=False)


def values(path: Path, host: Host) -> dict[str, Value]:
    found = analyse(load(path, host=host), host).values
    return {name: value for name, value in found.items() if name.startswith(("logged.", "saved."))}


def log(folder: Path, rows: list[dict[str, object]]) -> Path:
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_scores_are_told_by_split_with_their_ends(tmp_path: Path, host: Host) -> None:
    scores = [0.5, 0.75, 0.25, 0.625]
    rows = [{"step": n, "mlogloss": 1 / n, "val_f1": score} for n, score in enumerate(scores, 1)]
    found = values(log(tmp_path, rows), host)
    assert {name: value.value for name, value in found.items()} == {
        "logged.f1.eval.last": 0.625,
        "logged.f1.eval.lowest": 0.25,
        "logged.f1.eval.highest": 0.75,
        "logged.mlogloss.train.last": 0.25,
    }
    best = found["logged.f1.eval.highest"]
    assert best.note == "evaluation at step 2" and "line 2" in str(best.sources[0])


def test_what_does_not_change_is_told_once_and_the_machine_not_at_all(tmp_path: Path, host: Host) -> None:
    rows = [
        {"step": n, "eval_f1": 1.0, "lr": 0.1, "time/fps": 9 + n, "elapsed_seconds": n, "epoch": n} for n in range(1, 6)
    ]
    assert set(values(log(tmp_path, rows), host)) == {"logged.f1.eval.last"}


def test_a_loss_on_test_data_is_told(tmp_path: Path, host: Host) -> None:
    rows = [{"step": n, "loss": 1 / n, "val_loss": 2 / n} for n in range(1, 5)]
    found = values(log(tmp_path, [*rows, {"step": 4, "test_loss": 0.625, "test_acc": 0.75}]), host)
    assert {name: value.value for name, value in found.items()} == {
        "logged.loss.test.last": 0.625,
        "logged.accuracy.test.last": 0.75,
    }


def test_a_last_value_that_is_no_number_is_kept(tmp_path: Path, host: Host) -> None:
    (tmp_path / "log.csv").write_text("step,val_f1\n1,0.5\n2,0.25\n3,0.75\n4,nan\n")
    found = values(tmp_path, host)
    assert str(found["logged.f1.eval.last"].value) == "nan"
    assert (found["logged.f1.eval.lowest"].value, found["logged.f1.eval.highest"].value) == (0.25, 0.75)


def test_names_that_look_alike_stay_apart(tmp_path: Path, host: Host) -> None:
    rows = [{"step": n, "mAP50(B)": n / 8, "map50-b": n / 4} for n in range(1, 4)]
    found = values(log(tmp_path, rows), host)
    assert sorted(value.value for value in found.values()) == [0.375, 0.75] and len(found) == 2


def test_a_method_with_metrics_of_its_own_is_not_told_twice(host: Host) -> None:
    assert not [name for name in values(TESTS / "runs" / "dpo-eval", host) if name.startswith("logged.")]


def test_a_run_of_boosting_has_results(tmp_path: Path) -> None:
    (report,) = build_runs(TESTS / "formats" / "boosting", "markdown", tmp_path / "out")
    results = (report.directory / "report.md").read_text().partition("## Results")[2].partition("\n## ")[0]
    assert "| Held-out |" in results and "last |" in results


def test_saved_results_of_a_prediction_are_told(tmp_path: Path, host: Host) -> None:
    told = {"predict_bleu-4": 12.5, "predict_rouge-1": 40.25, "predict_runtime": 3.0, "test_note": "x"}
    (tmp_path / "predict_results.json").write_text(json.dumps(told))
    found = values(tmp_path, host)
    assert {name: value.value for name, value in found.items()} == {
        "saved.bleu_4.test.result": 12.5, "saved.rouge_1.test.result": 40.25,
    }  # fmt: skip
    assert str(found["saved.bleu_4.test.result"].sources[0]) == "predict_results.json: predict_bleu-4"


def test_the_axis_of_a_figure_is_named_as_what_it_counts(host: Host) -> None:
    names = {}
    for path in (TESTS / "formats" / "boosting", TESTS / "formats" / "comet", TESTS / "formats" / "ludwig",
                 TESTS / "formats" / "general" / "console"):  # fmt: skip
        first, *_ = analyse(load(path, host=host), host).figures
        names[path.name] = first.name, first.panels[0].x_label
    assert names == {
        "boosting": ("logged", "Log position"),
        "comet": ("loss", "Step"),
        "ludwig": ("loss", "Optimizer step"),
        "console": ("loss", "Epoch"),
    }


def test_what_was_logged_once_is_told_without_a_word_on_its_data(tmp_path: Path, host: Host) -> None:
    """No report may say that nothing held-out was measured where nobody knows on what a score was."""
    run = tmp_path / "run" / "mlruns" / "0" / "a"
    for key, value in {"accuracy": 0.7858, "loss": 3.2728, "train_runtime": 9.0, "fit/seconds": 3.0}.items():
        (run / "metrics" / key).parent.mkdir(parents=True, exist_ok=True)
        (run / "metrics" / key).write_text(f"1664364007310 {value} 0\n")
    (run / "meta.yaml").write_text("run_id: a\nstatus: 3\n")
    assert {name: value.value for name, value in values(tmp_path / "run", host).items()} == {
        "saved.accuracy.once.result": 0.7858, "saved.loss.once.result": 3.2728,
    }  # fmt: skip
    (built,) = build_runs(tmp_path / "run", "markdown", tmp_path / "out")
    report = (built.directory / "report.md").read_text()
    assert "On which data “accuracy” and “loss” were measured is not told" in report
    assert "| “accuracy” | 0.7858" in report and "Reported values." in report
    assert "No held-out data were evaluated" not in report
    assert "### “accuracy”: 0.786" in report and "which does not tell on which data" in report


def test_closing_values_of_the_trainer_are_of_training(host: Host) -> None:
    """A DPO run shorter than its logging interval has nothing but them."""
    run = load(TESTS.parent / "examples" / "runs" / "kg-8pairs", host=host)
    assert not run.series and "num_input_tokens_seen" in run.summary
    analysis = analyse(run, host)
    assert not [name for name in analysis.values if name.startswith("saved.")]
    (held_out,) = [finding for finding in analysis.findings if finding.code == "F1"]
    assert "No held-out data were evaluated" in str(held_out.text)
