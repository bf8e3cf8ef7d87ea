"""A path becomes a run: whose files it is made of, which run is meant, and what is told where nothing fits."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.errors import ReportError
from dpo_report.core.folder import Folder
from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.loader import load, load_all
from dpo_report.core.manager import Host
from dpo_report.core.model import Datum, Series, Setting, Source, Witness

RUNS = Path(__file__).parent / "runs"


def state(folder: Path, rows: int = 4, planned: int = 4, loss: float = 0.7, **members: Any) -> None:
    """A state with ``rows`` training rows."""
    folder.mkdir(parents=True, exist_ok=True)
    history = [{"loss": loss - step / 100, "step": step} for step in range(1, rows + 1)]
    whole = {"global_step": rows, "log_history": history, "max_steps": planned} | members
    (folder / "trainer_state.json").write_text(json.dumps(whole))


def losses(run: Any) -> list[float]:
    series = run.get("loss")
    return [] if series is None else [round(value, 2) for value in series.values.tolist()]


def test_the_first_users_metrics_file(tmp_path: Path, trainer: Host) -> None:
    told = {
        "train_runtime": 19.619, "train_samples_per_second": 0.816, "train_steps_per_second": 0.204,
        "train_loss": 0.4594663381576538, "epoch": 2.0,
    }  # fmt: skip
    path = tmp_path / "metrics.json"
    path.write_text(str(told).replace("'", '"'))
    for given in (path, tmp_path):
        run = load(given, host=trainer)
        assert {name: datum.value for name, datum in run.summary.items()} == told
        assert str(run.summary["train_loss"].source) == "metrics.json: train_loss"
        assert (run.status, run.global_step, run.epoch, run.series) == ("unknown", None, 2.0, {})
        assert run.name == tmp_path.name


@pytest.mark.parametrize("name", ["trainer_state.json", "training_logs.json", "log"])
def test_a_state_under_any_name(name: str, tmp_path: Path, trainer: Host) -> None:
    shutil.copy(RUNS / "dpo-log1" / "trainer_state.json", tmp_path / name)
    run = load(tmp_path / name, host=trainer)
    assert len(run.series["loss", "train"]) == 4
    assert run.method == "dpo"
    assert run.setting("logging_steps") == 1
    assert [file.path for file in run.files] == [name]
    if name.endswith(".json"):
        assert losses(load(tmp_path, host=trainer)) == losses(run)


def test_only_the_file_that_was_given_is_read(trainer: Host) -> None:
    run = load(RUNS / "dpo-log1" / "train_results.json", host=trainer)
    assert run.number("train_loss") is not None
    assert run.settings == {}
    assert run.name == "dpo-log1"


def test_checkpoints_in_numeric_order(tmp_path: Path, trainer: Host) -> None:
    for step in (500, 1000, 1500):
        state(tmp_path / f"checkpoint-{step}", rows=step // 100, planned=2000, global_step=step)
    run = load(tmp_path, host=trainer)
    assert (run.global_step, len(losses(run)), run.status) == (1500, 15, "incomplete")
    assert run.series["loss", "train"].source.file == "checkpoint-1500/trainer_state.json"
    assert run.problems == ()


def test_a_root_state_that_is_older_than_a_checkpoint(tmp_path: Path, trainer: Host) -> None:
    state(tmp_path, rows=2)
    state(tmp_path / "checkpoint-4", rows=4)
    run = load(tmp_path, host=trainer)
    assert (run.global_step, run.status) == (4, "completed")
    assert losses(run) == [0.69, 0.68, 0.67, 0.66]
    assert run.problems[0].message == "stands at step 2; checkpoint-4 (step 4) is used instead"


def test_rows_that_only_an_older_checkpoint_has(tmp_path: Path, trainer: Host) -> None:
    state(tmp_path / "checkpoint-2", rows=2)
    state(tmp_path / "checkpoint-4", log_history=[{"loss": 0.5, "step": 4}])
    run = load(tmp_path, host=trainer)
    assert losses(run) == [0.69, 0.68, 0.5]
    series = run.series["loss", "train"]
    assert [str(series.source_at(index)) for index in range(3)] == [
        "checkpoint-2/trainer_state.json: log_history[0].loss",
        "checkpoint-2/trainer_state.json: log_history[1].loss",
        "checkpoint-4/trainer_state.json: log_history[0].loss",
    ]


def test_a_torn_checkpoint_is_filled_in_from_the_one_before(tmp_path: Path, trainer: Host) -> None:
    state(tmp_path / "checkpoint-3", rows=3, planned=4)
    state(tmp_path / "checkpoint-4", rows=4, planned=4)
    torn = tmp_path / "checkpoint-4" / "trainer_state.json"
    torn.write_text(torn.read_text()[:60])
    run = load(tmp_path, host=trainer)
    assert losses(run) == [0.69, 0.68, 0.67]
    assert any(problem.where == "checkpoint-4/trainer_state.json" for problem in run.problems)


def test_checkpoints_with_other_rows_are_another_run(tmp_path: Path, trainer: Host) -> None:
    state(tmp_path / "checkpoint-2", rows=2, loss=9.0)
    state(tmp_path / "checkpoint-4", rows=4)
    (tmp_path / "checkpoint-2" / "README.md").write_text("---\ntags:\n- trl\n- sft\n---\n")
    main, other = load_all(tmp_path, trainer)
    assert losses(main) == [0.69, 0.68, 0.67, 0.66]
    assert losses(other) == [8.99, 8.98]
    assert (main.method, other.method) == (None, "sft")
    assert (
        load(tmp_path, host=trainer).problems[0].message
        == "belongs to another training run (its rows differ); left out"
    )
    assert losses(load(tmp_path / "checkpoint-2", host=trainer)) == [8.99, 8.98]


def test_parts_of_a_run_are_no_runs(tmp_path: Path, trainer: Host) -> None:
    state(tmp_path)
    for part in ("final_model", "ref", "checkpoint-4/ref", "adapter"):
        (tmp_path / part).mkdir(parents=True)
        (tmp_path / part / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 8}')
    (run,) = load_all(tmp_path, trainer)
    assert run.setting("lora.r") == 8
    assert len(run.files) == 5


def test_without_metrics_nothing_is_invented(tmp_path: Path, trainer: Host) -> None:
    (tmp_path / "final_adapter").mkdir()
    (tmp_path / "final_adapter" / "README.md").write_text("---\nlibrary_name: peft\ntags:\n- trl\n- grpo\n---\n")
    (tmp_path / "config.json").write_text("{}")
    run = load(tmp_path, host=trainer)
    assert (run.directory, run.status, run.method) == (tmp_path, "no-metrics", "grpo")
    assert (run.global_step, run.max_steps, run.epoch) == (None, None, None)
    assert (run.series, run.summary) == ({}, {})


def test_an_adapter_without_a_log_is_a_run_without_metrics(tmp_path: Path, trainer: Host) -> None:
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 8}')
    run = load(tmp_path, host=trainer)
    assert (run.status, run.setting("lora.r"), run.problems) == ("no-metrics", 8, ())


@pytest.mark.parametrize("name", ["metrics.json", "eval_results.json"])
def test_metrics_of_another_program_make_no_run(name: str, tmp_path: Path, trainer: Host) -> None:
    (tmp_path / name).write_text('{"accuracy": 0.5, "best_validation_loss": 0.25}')
    with pytest.raises(ReportError):
        load(tmp_path, host=trainer)


def test_event_files_that_no_reader_knows_leave_the_end_open(tmp_path: Path, trainer: Host) -> None:
    shutil.copy(RUNS / "dpo-log1" / "training_args.bin", tmp_path)
    assert load(tmp_path, host=trainer).status == "no-metrics"
    (tmp_path / "events.out.tfevents.1.host.2.0").write_bytes(b"\0" * 30)
    assert load(tmp_path, host=trainer).status == "unknown"


def test_a_parent_of_several_runs_lists_them(trainer: Host) -> None:
    with pytest.raises(ReportError) as caught:
        load(RUNS / "dpo-seeds", host=trainer)
    assert caught.value.message.splitlines()[1:] == [f"  seed-{seed}: dpo, completed, 16 steps" for seed in (1, 2, 3)]
    parent = RUNS / "dpo-seeds"
    assert caught.value.hint == (
        f"choose one by its path, for example {parent}/seed-1, or report each: dpo-report build {parent} --all -o DIR"
    )
    assert [run.name for run in load_all(RUNS / "dpo-seeds", trainer)] == ["seed-1", "seed-2", "seed-3"]


def test_a_single_run_below_is_the_run(tmp_path: Path, trainer: Host) -> None:
    state(tmp_path / "out" / "v1")
    (tmp_path / "notes.txt").write_text("")
    run = load(tmp_path, host=trainer)
    assert run.directory == tmp_path / "out" / "v1"
    assert [file.path for file in run.files] == ["trainer_state.json"]


def test_runs_below_a_run_are_told_and_left_out(tmp_path: Path, trainer: Host) -> None:
    odd = tmp_path / "epsilon_[0.0, 0.2] = +{x}"
    state(tmp_path)
    state(odd / "checkpoint-3", rows=3)
    run = load(tmp_path, host=trainer)
    assert losses(run) == [0.69, 0.68, 0.67, 0.66]
    assert [file.path for file in run.files] == ["trainer_state.json"]
    assert run.problems[-1].message == "1 more run lies below this folder, not in this report"
    assert run.problems[-1].hint == f"give their paths to report them: {odd.name}"
    assert losses(load(odd, host=trainer)) == [0.69, 0.68, 0.67]


def test_a_checkpoint_given_alone_has_the_folders_settings_and_its_own_rows(tmp_path: Path, trainer: Host) -> None:
    shutil.copytree(RUNS / "dpo-eval", tmp_path / "run")
    (tmp_path / "run" / "checkpoint-12" / "training_args.bin").unlink()
    (tmp_path / "run" / "dpo-report.toml").write_text('[facts]\ndevice = "CPU"\n')
    run = load(tmp_path / "run" / "checkpoint-12", host=trainer)
    assert (run.global_step, run.status, run.name) == (12, "incomplete", "checkpoint-12")
    assert run.series["loss", "train"].steps[-1] == 12
    assert run.setting("learning_rate") == 0.005
    assert str(run.settings["learning_rate"].source) == "../training_args.bin: learning_rate"
    assert run.settings["model.n_layer"].source.file == "config.json"
    assert (run.method, run.trainer) == ("dpo", "trl.DPOTrainer")
    assert run.versions["trl"] == "1.16.0"
    assert str(run.facts["device"].source) == "../dpo-report.toml: facts.device"
    assert "the folder above holds one from step 24" in run.problems[-1].message
    assert all("/" not in file.path for file in run.files)


def test_a_checkpoint_beside_nothing(tmp_path: Path, trainer: Host) -> None:
    state(tmp_path / "checkpoint-4")
    run = load(tmp_path / "checkpoint-4", host=trainer)
    assert (losses(run), run.problems) == ([0.69, 0.68, 0.67, 0.66], ())


def test_a_nameless_folder_takes_the_name_of_the_card(tmp_path: Path, trainer: Host) -> None:
    for folder, name in (("output", "my-model"), ("dpo-3", "dpo-3")):
        state(tmp_path / folder)
        (tmp_path / folder / "README.md").write_text("---\nmodel_name: my-model\ntags:\n- trl\n---\n")
        assert load(tmp_path / folder, host=trainer).name == name


def test_facts_and_answers(tmp_path: Path, trainer: Host) -> None:
    state(tmp_path)
    (tmp_path / "dpo-report.toml").write_text(
        '[facts]\ndevice = "CPU"\ntrain_pairs = 8\n[facts.data]\nlicence = "MIT"\nmade = 2026-11-01\n'
        '[answers]\nhardware = "a laptop"\nseeds = 3\n'
    )
    run = load(tmp_path, host=trainer)
    assert {name: fact.value for name, fact in run.facts.items()} == {
        "device": "CPU", "train_pairs": 8, "data.licence": "MIT", "data.made": "2026-11-01"
    }  # fmt: skip
    assert run.answers == {"hardware": "a laptop", "seeds": "3"}


@pytest.mark.parametrize("content", [b"[facts", b"\xff\xfe", b"facts = 3", b"a = " + b"[" * 5000, b"x" * (2 << 20)])
def test_broken_facts_are_told(content: bytes, tmp_path: Path, trainer: Host) -> None:
    state(tmp_path)
    (tmp_path / "dpo-report.toml").write_bytes(content)
    run = load(tmp_path, host=trainer)
    assert (run.facts, run.answers) == ({}, {})
    assert [problem.where for problem in run.problems] == ["dpo-report.toml"]
    assert len(run.problems[0].message) < 400


def test_further_files(tmp_path: Path, trainer: Host) -> None:
    state(tmp_path / "run")
    (tmp_path / "all_results.json").write_text('{"eval_loss": 0.25, "epoch": 2.0}')
    (tmp_path / "notes.txt").write_text("nothing")
    run = load(tmp_path / "run", host=trainer, with_files=[tmp_path / "all_results.json", tmp_path / "notes.txt"])
    assert run.number("eval_loss") == 0.25
    assert str(run.summary["eval_loss"].source) == "../all_results.json: eval_loss"
    assert losses(run) == [0.69, 0.68, 0.67, 0.66]
    assert [problem.message for problem in run.problems] == ["no reader knows this file"]
    with pytest.raises(ReportError):
        load(tmp_path / "run", host=trainer, with_files=[tmp_path / "missing.json"])
    with pytest.raises(ReportError):
        load(tmp_path / "run", host=trainer, with_files=[tmp_path])


def told(name: str, values: list[float], precision: int = 0, **more: Any) -> Witness:
    """A witness of steps 1, 2, ..."""
    steps = np.arange(1.0, len(values) + 1)
    source = Source(f"{name}.csv", "line {row}")
    series = Series("loss", "train", steps, np.array(values), (source,), np.arange(len(values)))
    return Witness(name, "", (source.file,), series=(series,), precision=precision, **more)


class Plugin:
    """Readers of hand-made witnesses."""

    def __init__(self, *witnesses: Witness, chooses: str | None = None, sure: float = 0.5) -> None:
        self.witnesses, self.chooses, self.sure = witnesses, chooses, sure

    @hookimpl
    def register_readers(self) -> list[Reader]:
        kind = FileKind("*", "log", "any file")
        match = Match(self.sure, "always")
        return [Reader(w.reader, lambda folder: match, lambda folder, w=w: [w], files=(kind,)) for w in self.witnesses]

    @hookimpl
    def choose_reader(self, folder: Folder, candidates: Any) -> str | None:
        return self.chooses


def merged(tmp_path: Path, *witnesses: Witness, **how: Any) -> Any:
    return load(tmp_path, host=Host(discover=False, modules=(), extra=[Plugin(*witnesses, **how)]))


def test_witnesses_of_one_run_are_merged_and_the_more_precise_wins(tmp_path: Path) -> None:
    rough = told("rough", [0.5, 0.25, 0.1], status="unknown", epoch=2.0)
    exact = told("exact", [0.5001, 0.2501], precision=5, status="completed", global_step=3)
    run = merged(tmp_path, rough, exact)
    assert run.reader == "exact"
    series = run.series["loss", "train"]
    assert series.values.tolist() == [0.5001, 0.2501, 0.1]
    assert [str(series.source_at(i)) for i in range(3)] == [
        "exact.csv: line 0",
        "exact.csv: line 1",
        "rough.csv: line 2",
    ]
    assert (run.status, run.global_step, run.epoch) == ("completed", 3, 2.0)
    assert run.problems == ()
    assert [witness.reader for witness in run.witnesses] == ["exact", "rough"]


def test_contradictions_become_problems(tmp_path: Path) -> None:
    def settings(name: str, rate: float) -> dict[str, Any]:
        source = Source(f"{name}.csv")
        return {"settings": {"rate": Setting("rate", rate, source)}, "summary": {"mean": Datum(rate, source)}}

    run = merged(tmp_path, told("a", [0.5, 0.25], 1, **settings("a", 1.0)), told("b", [0.5, 0.5], **settings("b", 2.0)))
    assert run.setting("rate") == 1.0
    assert [problem.message for problem in run.problems] == [
        "train loss differs from a.csv at step 2; the latter is used",
        "rate is 2.0 here and 1.0 in a.csv; the latter is used",
        "mean is 2.0 here and 1.0 in a.csv; the latter is used",
    ]


def test_plugins_break_ties(tmp_path: Path) -> None:
    one, other = told("one", [1.0]), told("other", [1.0])
    assert merged(tmp_path, one, other).reader == "one"
    assert merged(tmp_path, one, other, chooses="other").reader == "other"
    assert merged(tmp_path, one, other, chooses="nobody").reader == "one"


def test_a_reader_that_fails_costs_only_its_own(tmp_path: Path, trainer: Host) -> None:
    def broken(folder: Folder) -> Iterator[Witness]:
        yield told("broken", [1.0])
        raise RuntimeError("no")

    class Bad:
        @hookimpl
        def register_readers(self) -> list[Reader]:
            return [
                Reader("bad_detect", lambda folder: 1 / 0, broken),  # type: ignore[arg-type,return-value]
                Reader("bad_read", lambda folder: Match(1.0, "all"), broken),
            ]

    host = Host(discover=False, modules=("dpo_report.plugins.readers",), extra=[Bad()])
    state(tmp_path)
    run = load(tmp_path, host=host)
    assert losses(run) == [0.69, 0.68, 0.67, 0.66]
    assert len([problem for problem in run.problems if problem.where.startswith("plugin")]) == 2


@pytest.mark.parametrize("place", ["", "first"])
def test_a_reader_that_gives_no_witness_costs_only_its_own(place: str, tmp_path: Path) -> None:
    """Also where it is asked for one run only."""
    good = [replace(told("good", [1.0, 0.5]), identity=name) for name in ("first", "second")]

    class Wrong:
        @hookimpl
        def register_readers(self) -> list[Reader]:
            nothing: Any = {"loss": 1.0}
            sure = Match(1.0, "all")
            return [
                Reader("good", lambda folder: sure, lambda folder: good if place else good[:1]),
                Reader("wrong", lambda folder: sure, lambda folder: [nothing], one=lambda folder, name: [nothing]),
            ]

    (tmp_path / "good.csv").touch()
    host = Host(discover=False, modules=(), extra=[Wrong()])
    run = load(tmp_path / place, host=host) if place else load_all(tmp_path, host)[0]
    assert losses(run) == [1.0, 0.5]
    (problem,) = [one for one in run.problems if one.where.startswith("plugin")]
    assert "gave a dict where a Witness belongs" in problem.message


def test_large_states_are_read_whole_only_once(tmp_path: Path, trainer: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    from dpo_report.plugins.readers.hf import witness

    monkeypatch.setattr(witness, "SMALL", 100)
    monkeypatch.setattr(witness, "HEAD", 200)
    state(tmp_path / "checkpoint-10", rows=10, planned=40, loss=5.0)
    for step in (20, 30, 40):
        state(tmp_path / f"checkpoint-{step}", rows=step, planned=40)
    main, other = load_all(tmp_path, trainer)
    assert len(losses(main)) == 40
    assert main.problems[0].where == "checkpoint-10"
    assert other.name.endswith("checkpoint-10")
    assert len(losses(other)) == 10
