"""One run, many witnesses: places that tell the same values are one run, others stay apart; the exact value wins."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dpo_report.core.agreement import agree, decimals, digits, same_value
from dpo_report.core.contract import Match, Reader
from dpo_report.core.grouping import grouped
from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.loader import load, load_all
from dpo_report.core.manager import Host
from dpo_report.core.model import Datum, Run, Series, Setting, Source, Witness

RUNS = Path(__file__).parent / "runs"
LOSSES = [0.6931, 0.6514, 0.5523, 0.4871, 0.4108, 0.3342, 0.2719, 0.1987]


class Readers:
    """A reader for each name, which gives the witnesses of that name."""

    def __init__(self, witnesses: Sequence[Witness]) -> None:
        self.witnesses = witnesses

    @hookimpl
    def register_readers(self) -> list[Reader]:
        match = Match(0.5, "always")
        return [
            Reader(
                name, lambda folder: match, lambda folder, name=name: [w for w in self.witnesses if w.reader == name]
            )
            for name in dict.fromkeys(witness.reader for witness in self.witnesses)
        ]


def runs(folder: Path, *witnesses: Witness) -> list[Run]:
    return load_all(folder, Host(discover=False, modules=(), extra=[Readers(witnesses)]))


def curve(
    values: Sequence[float], first: int = 1, name: str = "loss", file: str = "log", split: str = "train"
) -> Series:
    steps = np.arange(first, first + len(values), dtype=np.float64)
    return Series(name, split, steps, np.array(values), (Source(file, "line {row}"),), np.arange(len(values)))


def told(reader: str, values: Sequence[float], folder: str = "", first: int = 1, **more: Any) -> Witness:
    """A witness with a loss, in a file named after its reader."""
    others = more.pop("others", ())
    more.setdefault("identity", "")
    return Witness(reader, files=(reader,), folder=folder, series=(curve(values, first, file=reader), *others), **more)


def single(values: Sequence[float]) -> list[float]:
    """The values as they come out of an event file."""
    return np.array(values, dtype=np.float32).astype(np.float64).tolist()


def test_an_event_folder_below_a_run_is_that_run(tmp_path: Path) -> None:
    state = told("state", LOSSES[:6], precision=10, global_step=6, max_steps=8, status="incomplete")
    events = told("events", single(LOSSES), "runs/Nov23", precision=4, global_step=8, status="completed")
    (run,) = runs(tmp_path, state, events)
    assert (run.directory, run.status, run.global_step, run.max_steps) == (tmp_path, "completed", 8, 8)
    series = run.series["loss", "train"]
    assert series.values[:6].tolist() == LOSSES[:6]
    assert [str(series.source_at(i)) for i in (5, 6)] == ["state: line 5", "runs/Nov23/events: line 6"]
    assert [problem.message for problem in run.problems] == [
        "stands at step 6; runs/Nov23/events goes on to the end, step 8"
    ]


def test_the_last_steps_of_a_killed_run_are_found_where_they_are(tmp_path: Path) -> None:
    state = told("state", LOSSES[:5], precision=10, global_step=5, max_steps=16, status="incomplete")
    events = told("events", single(LOSSES[:7]), "runs/Nov23", precision=4, global_step=7)
    (run,) = runs(tmp_path, state, events)
    assert (run.status, run.global_step) == ("incomplete", 5)
    assert run.series["loss", "train"].steps[-1] == 7
    assert run.problems[0].message == "goes on to step 7; state, what was saved last, stands at step 5"


def test_empty_logs_beside_runs_of_their_own_are_of_no_one_knows_which(tmp_path: Path) -> None:
    main = told("table", [0.51, 0.41, 0.31])
    other = told("events", [0.92, 0.83, 0.74], "logs/good")
    empty = [Witness("events", "", ("x",), folder=f"logs/{name}") for name in ("cut", "killed")]
    found = runs(tmp_path, main, *empty, other)
    assert sorted(run.directory.name for run in found if run.directory != tmp_path) == ["cut", "good", "killed"]
    assert [one.reader for one in found[0].witnesses] == ["table"]
    (joined,) = runs(tmp_path, main, *empty)
    assert [one.reader for one in joined.witnesses] == ["table", "events", "events"]


def test_two_runs_are_never_mixed(tmp_path: Path) -> None:
    """The same first loss and the same schedule, as two seeds of one recipe have."""
    rate = [1.25e-05, 1.5e-05, 1.75e-05, 2.25e-05]
    one = told("state", [0.6931, 0.6514, 0.5523, 0.4871], precision=10, others=(curve(rate, name="lr"),))
    other = told("events", [0.6931, 0.6498, 0.5611, 0.4902], "runs/a", others=(curve(rate, name="lr"),))
    assert len(runs(tmp_path, one, other)) == 2
    short = told("events", [0.6931], "runs/a")
    assert len(runs(tmp_path, one, short)) == 1  # all that it has is equal, so nothing is mixed
    assert len(runs(tmp_path, one, told("events", [0.6931, 0.6498, 0.5611], "runs/a", first=1))) == 2
    assert len(runs(tmp_path, one, told("events", [0.4871, 0.41, 0.33], "runs/a", first=4))) == 2  # one shared value
    planned = told("events", [0.6931, 0.6514, 0.5523, 0.4871], "runs/a", max_steps=99)
    assert len(runs(tmp_path, told("state", LOSSES, max_steps=8), planned)) == 2


def test_seeds_with_their_own_event_folders(tmp_path: Path) -> None:
    seeds = {f"seed-{n}": [value + n / 1000 for value in LOSSES] for n in (1, 2, 3)}
    witnesses = [told("state", values, name, precision=10) for name, values in seeds.items()]
    witnesses += [told("events", single(values), f"{name}/runs/x") for name, values in seeds.items()]
    found = runs(tmp_path, *witnesses)
    assert [(run.name, len(run.witnesses)) for run in found] == [("seed-1", 2), ("seed-2", 2), ("seed-3", 2)]
    assert all(run.problems == () for run in found)


def test_both_processes_of_a_resumed_run_are_one_run(tmp_path: Path) -> None:
    """Steps 6 and 7 were done twice, with other dropout."""
    state = told("state", LOSSES, precision=10, global_step=8, max_steps=8)
    killed = told("events", [*LOSSES[:5], 0.3011, 0.2514], "runs/a", global_step=7)
    resumed = told("events", LOSSES[5:], "runs/b", first=6, global_step=8)
    (run,) = runs(tmp_path, state, killed, resumed)
    assert run.series["loss", "train"].values.tolist() == LOSSES
    assert [(problem.where, problem.message) for problem in run.problems] == [
        ("runs/a/events", "what it has after step 5 was done again after a resumption and is not used")
    ]


def test_the_one_of_several_attempts_that_a_state_is_of(tmp_path: Path) -> None:
    attempts = [
        told("events", [value + n / 100 for value in LOSSES], "logs", identity=f"attempt-{n}") for n in range(3)
    ]
    found = runs(tmp_path, told("state", LOSSES[:6], precision=10), *attempts)
    assert [(run.name.removeprefix(tmp_path.name), len(run.witnesses)) for run in found] == [
        ("", 2),
        ("logs-attempt-1", 1),
        ("logs-attempt-2", 1),
    ]


def test_trackers_beside_the_output_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    def recipe(output: str) -> dict[str, Setting]:
        values = {f"s{n}": n for n in range(30)} | {"output_dir": output}
        return {name: Setting(name, value, Source("args")) for name, value in values.items()}

    state = told("state", LOSSES, "out", precision=10, settings=recipe("/home/a/out"))
    tracker = told("tracker", LOSSES, "wandb/offline-1", precision=7, settings=recipe("../out/"))
    other = told("tracker", [v * 1.01 for v in LOSSES], "wandb/offline-2", settings=recipe("/home/a/out"))
    first, second = runs(tmp_path, state, tracker, other)
    assert (first.directory, len(first.witnesses), second.name) == (tmp_path / "out", 2, "offline-2")
    assert first.witnesses[1].files == ("../wandb/offline-1/tracker",)
    again = told("tracker", LOSSES, "wandb/offline-1", settings=recipe("/home/a/out-2"))  # the same seed, elsewhere
    assert len(runs(tmp_path, state, again)) == 2
    assert len(runs(tmp_path, told("state", LOSSES, "out"), told("tracker", LOSSES, "wandb/x"))) == 2


def test_an_event_folder_is_the_only_log_of_a_folder_with_weights(tmp_path: Path) -> None:
    weights = Witness("state", "", ("adapter_config.json",), status="no-metrics", precision=10)
    events = told("events", LOSSES, "runs/a", global_step=8)
    (run,) = runs(tmp_path, weights, events)
    assert (run.directory, run.status, run.reader, len(run.series["loss", "train"])) == (
        tmp_path,
        "unknown",
        "state",
        8,
    )
    several = [told("events", [v + n for v in LOSSES], "runs", identity=f"attempt-{n}") for n in (1, 2, 3)]
    found = runs(tmp_path, weights, *several)
    assert [run.witnesses[0].identity for run in found] == ["attempt-1", "attempt-2", "attempt-3"]
    assert found[0].problems[0].message == "belongs to one of the 3 runs in this folder; nothing tells to which"


def test_settings_alone_never_choose_between_attempts(tmp_path: Path) -> None:
    settings = {f"s{n}": Setting(f"s{n}", n, Source("args")) for n in range(30)}
    weights = Witness("state", "", ("args",), settings=settings, status="no-metrics", precision=10)
    attempts = [
        told("events", [v + n for v in LOSSES], "logs", identity=f"attempt-{n}", settings=settings) for n in (1, 2)
    ]
    assert [len(run.witnesses) for run in runs(tmp_path, weights, *attempts)] == [1, 1]
    assert [len(run.witnesses) for run in runs(tmp_path, weights, attempts[0])] == [2]


def test_epochs_from_0_and_the_same_epochs_from_1(tmp_path: Path) -> None:
    by_epoch = told("epochs", LOSSES, first=0, precision=7)
    scores = curve([0.5, 0.75, 0.8125], 1, "accuracy", "events", "eval")
    often = curve([0.1] * 30, 1, "norm", "events")
    events = told("events", single(LOSSES), "log", others=(scores, often))
    (run,) = runs(tmp_path, by_epoch, events)
    assert run.series["loss", "train"].steps.tolist() == list(range(8))
    assert run.series["accuracy", "eval"].steps.tolist() == [0, 1, 2]
    assert run.get("norm") is None
    assert [problem.message for problem in run.problems] == [
        "counts otherwise: its step 1 is step 0 of the run; 1 of its series have steps in between and are left out"
    ]
    other = told("events", [*LOSSES[:-1], 0.5], "log", first=1)
    assert len(runs(tmp_path, by_epoch, other)) == 2


def test_what_is_logged_only_elsewhere_is_taken_up(tmp_path: Path) -> None:
    def closing(file: str, **values: float) -> dict[str, Datum]:
        return {key: Datum(value, Source(file, key)) for key, value in values.items()}

    state = told("state", LOSSES, precision=10)
    held_out = curve([0.5, 0.25], 4, file="events", split="eval")
    events = told(
        "events", LOSSES, "runs/a", others=(held_out,), summary=closing("events", train_loss=0.44, train_runtime=9.5)
    )
    (run,) = runs(tmp_path, state, events)
    assert run.series["loss", "eval"].values.tolist() == [0.5, 0.25]
    assert (run.number("train_loss"), str(run.summary["train_runtime"].source)) == (
        0.44,
        "runs/a/events: train_runtime",
    )


def test_a_summary_alone_tells_whose_events_they_are(tmp_path: Path) -> None:
    def witness(reader: str, folder: str, runtime: float) -> Witness:
        values = {"train_loss": 0.6905, "train_runtime": runtime, "train_samples_per_second": 0.8154}
        summary = {key: Datum(value, Source("all_results.json", key)) for key, value in values.items()}
        return Witness(reader, "", (reader,), summary=summary, folder=folder)

    assert len(runs(tmp_path, witness("state", "", 19.62), witness("events", "runs/a", 19.62))) == 1
    other = Witness("events", "", ("x",), series=(curve(LOSSES, split="eval"),), folder="runs/a")
    assert len(runs(tmp_path, witness("state", "", 19.62), other)) == 2


def test_unrounded_beats_rounded(tmp_path: Path) -> None:
    exact = [0.69314718, 0.65142211, 0.55231934]
    rounded = told("console", [0.69, 0.65, 0.55, 0.48], precision=9)
    (run,) = runs(tmp_path, rounded, told("table", exact, precision=1))
    series = run.series["loss", "train"]
    assert series.values.tolist() == [*exact, 0.48]
    assert run.problems == ()
    (run,) = runs(tmp_path, told("state", exact, precision=5), told("events", single(exact), precision=4))
    assert run.series["loss", "train"].values.tolist() == exact


def test_a_contradiction_is_told_once_for_each_series(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d", "e"]
    one = told("state", LOSSES, precision=10, others=[curve(LOSSES, name=name, file="state") for name in names])
    wrong = [*LOSSES[:4], 0.9, 0.9, 0.9, 0.9]
    other = told("log", LOSSES, others=[curve(wrong, name=name, file="log") for name in names])
    (run,) = runs(tmp_path, one, other)
    assert [problem.message for problem in run.problems] == [
        "train a differs from state at 4 steps, first at step 5; the latter is used",
        "train b differs from state at 4 steps, first at step 5; the latter is used",
        "train c differs from state at 4 steps, first at step 5, and 2 more; the latter are used",
    ]
    assert run.series["a", "train"].values.tolist() == LOSSES


def test_training_that_ended_itself_before_its_plan(tmp_path: Path) -> None:
    state = told("state", LOSSES[:4], precision=10, global_step=4, max_steps=100, status="incomplete")
    events = told("events", LOSSES, "logs", global_step=8, status="completed")
    (run,) = runs(tmp_path, state, events)
    assert (run.status, run.global_step) == ("incomplete", 8)
    assert [problem.message for problem in run.problems] == ["stands at step 4; logs/events goes on to the end, step 8"]


def test_the_epoch_is_that_of_the_step(tmp_path: Path) -> None:
    killed = told("events", LOSSES, global_step=8, epoch=0.5, others=[curve(single([0.125] * 8), name="x")])
    state = told("state", LOSSES[:4], precision=10, global_step=4, epoch=0.25, max_steps=16, status="incomplete")
    (run,) = runs(tmp_path, state, killed)
    assert (run.global_step, run.epoch) == (4, 0.25)
    epochs = curve([step / 16 for step in range(1, 9)], name="epoch", file="events")
    (run,) = runs(tmp_path, replace(state, epoch=None), replace(killed, series=(*killed.series, epochs)))
    assert (run.global_step, run.epoch) == (4, 0.25)
    (run,) = runs(tmp_path, replace(state, epoch=None), replace(killed, epoch=None, series=(*killed.series, epochs)))
    assert run.epoch is None  # nobody says that the logged numbers count what was done


def test_the_noise_of_single_precision_is_no_precision(tmp_path: Path) -> None:
    exact = [-0.10294781252741814, -0.09691362455487251, -0.0928049087524414]
    assert digits(np.array(single(exact))) > digits(np.array(exact))
    rounded = [round(value, 8) for value in exact]
    state, events, log = told("state", exact), told("events", single(exact)), told("log", rounded)
    for best, others in ((state, (events, log)), (events, (log,)), (log, (events,))):
        for other in others:
            (run,) = runs(tmp_path, replace(best, precision=10), other)
            assert run.series["loss", "train"].sources == best.series[0].sources
    for other in (events, log):
        (run,) = runs(tmp_path, replace(other, precision=10), state)
        assert run.series["loss", "train"].values.tolist() == exact


def test_a_series_of_two_files_names_both(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, told("state", LOSSES[:3], precision=10), told("log", LOSSES))
    loss = run.series["loss", "train"]
    assert loss.origins == {Source("state", "line *"): 3, Source("log", "line *"): 5}
    assert loss.source == Source("log", "line *")
    assert [loss.source_at(index).file for index in range(8)] == ["state"] * 3 + ["log"] * 5


def test_any_witness_may_tell_that_a_run_diverged(tmp_path: Path) -> None:
    state = told("state", LOSSES, precision=10, global_step=8, max_steps=8, status="completed")
    (run,) = runs(tmp_path, state, told("log", LOSSES, status="diverged"))
    assert run.status == "diverged"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (5e-06, "5e-6", True), (None, 3, True), ("None", 3, True), ("<secret, not shown>", "x", True),
        ("sigmoid", ["sigmoid"], True), (["sigmoid"], "hinge", False), (False, "no", True), (True, "true", True),
        (0.1, 0.2, False), (2.99, 3.0, True), ("/a/b", "C:/c", True), ("adam", "sgd", False), ([], None, True),
        (1, True, True), ({"a": 1}, {"a": 2}, False), (10**400, 10**400, True), (0.6931, 0.69314718, True),
    ],
)  # fmt: skip
def test_one_setting_written_in_two_ways(one: Any, other: Any, same: bool) -> None:
    assert same_value(one, other) is same
    assert same_value(other, one) is same


def test_rounding_is_agreement_and_more_is_not() -> None:
    exact = np.array([0.69314718, 0.25])
    assert decimals(np.array([0.5, 0.6931, np.nan])) == 4
    assert agree(exact, np.array([0.6931, 0.25])).tolist() == [True, True]
    assert agree(exact, np.array([0.6934, 0.25])).tolist() == [False, True]
    rates = np.array([0.0013233712, 0.00039712961, 1.2e-06])
    assert agree(rates, np.array([0.0013234, 0.00039713, 1.2e-06])).all()  # five significant digits
    assert agree(rates, np.array([0.0013236, 0.00039713, 1.2e-06])).tolist() == [False, True, True]
    assert agree(np.array([0.0, 1.0, np.nan, np.inf]), np.array([0.4, 1.0, np.nan, np.inf])).tolist() == [
        False, True, True, True,
    ]  # fmt: skip


def test_only_places_that_may_be_one_run_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every event folder with its own run, not with all of them."""
    from dpo_report.core import grouping, kinship

    compared = []
    monkeypatch.setattr(grouping, "related", lambda a, b: (compared.append(1), kinship.related(a, b))[1])
    ways = [[value + n / 100 for value in LOSSES] for n in range(200)]
    witnesses = [told("state", values, f"run-{n}", precision=10) for n, values in enumerate(ways)]
    witnesses += [told("events", single(values), f"run-{n}/runs/x") for n, values in enumerate(ways)]
    assert len(grouped(witnesses)) == 200
    assert len(compared) < 2000


class TrainerAndEvents:
    """The two readers whose files stand in one folder most often."""

    @hookimpl
    def register_readers(self) -> list[Reader]:
        from dpo_report.plugins.readers import register_readers
        from dpo_report.plugins.readers.tensorboard import witness as events

        found = [reader for reader in register_readers() if reader.name == "hf_trainer"]
        return [*found, Reader(events.NAME, events.detect, events.read, events.TITLE, events.FILES)]


@pytest.mark.parametrize(
    "name", ["dpo-killed", "dpo-resumed", "dpo-log1", "orpo", "dpo-nan", "old09-dpo-resumed", "sft"]
)
def test_shipped_runs_are_one_run_each(name: str, trainer: Host) -> None:
    (run,) = load_all(RUNS / name, Host(discover=False, modules=(), extra=[TrainerAndEvents()]))
    alone = load(RUNS / name, host=trainer)
    assert {witness.reader for witness in run.witnesses} == {"hf_trainer", "tensorboard"}
    assert run.global_step == alone.global_step
    for place, series in alone.series.items():
        kept = np.isin(run.series[place].steps, series.steps)
        assert np.array_equal(run.series[place].values[kept], series.values, equal_nan=True)
    if name == "dpo-killed":
        assert (run.status, run.series["loss", "train"].steps[-1]) == ("incomplete", 8)
    if name == "orpo":
        assert run.get("loss", "eval") is not None
        assert run.number("train_loss") is not None
