"""Rules that need what the author tells, an evaluation, or several runs: when they speak and when they stay silent."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import made
from dpo_report import build
from dpo_report.core.loader import load
from dpo_report.core.model import Datum, Run, Setting, Source
from dpo_report.core.siblings import with_siblings
from rules import BASE, big, evaluated
from rules_more import FAR, NEAR, STATED, WINS, counted, grown, judged, seeds, timed, told

RUNS = Path(__file__).parent / "runs"


@pytest.mark.parametrize("code", STATED)
def test_what_is_enforced_is_stated(code: str) -> None:
    run = big(rows=[made.series("logits/chosen", [1.0, 2.0])])
    finding = made.finding(run, code)
    assert finding.status == "passed"
    assert len(str(finding.text)) > 30


@pytest.mark.parametrize(
    ("run", "flag"),
    [
        (judged, "outputs-preferred"),
        (lambda: judged(human=True), "human-evaluation"),
        (lambda: told(comparator="a cited run"), "same-setting-comparator"),
        (lambda: told(control_run="SFT"), "control-run"),
        (lambda: told(safety_evaluation="Toxic-1"), "safety-evaluation"),
        (lambda: seeds(FAR, NEAR, beta=0.5), "paired-comparison"),
        (lambda: grown(400, 800, 1600), "scaling-fitted"),
        (lambda: seeds([0.8, 0.81, 0.82, 0.83, 0.84], [0.7, 0.71, 0.72, 0.73, 0.74], model_name_or_path="x"),
         "replicated"),
    ],
)  # fmt: skip
def test_what_licenses_more_is_granted(run: object, flag: str) -> None:
    assert flag in {one for finding in made.analysis(run()).findings for one in finding.grants}  # type: ignore[operator]


@pytest.mark.parametrize(
    ("run", "flag"),
    [
        (lambda: told(**WINS), "outputs-preferred"),
        (lambda: judged(wins=52), "outputs-preferred"),
        (judged, "human-evaluation"),
        (lambda: seeds(NEAR, FAR, beta=0.5), "paired-comparison"),
        (lambda: seeds(FAR, NEAR, other=7, beta=0.5), "paired-comparison"),
        (lambda: seeds([0.8, 0.81, 0.82, 0.83, 0.84]), "replicated"),
        (lambda: seeds([0.8, 0.81, 0.82, 0.83, 0.84], [0.7, 0.71, 0.72, 0.73, 0.74], beta=0.5), "replicated"),
        (big, "control-run"),
    ],
)
def test_and_less_does_not_license_it(run: object, flag: str) -> None:
    assert flag not in {one for finding in made.analysis(run()).findings for one in finding.grants}  # type: ignore[operator]


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (lambda: told(median_edit_distance=7), "E5"),
        (lambda: told(truncated_share="many"), "H6"),
        (lambda: judged(wins=101), "F10"),
        (lambda: judged(n=0, wins=0), "F10"),
        (lambda: counted(peak_flops=1e3), "I6"),
        (lambda: counted(peak_flops=math.nan), "I6"),
        (lambda: counted(device_watts=-5), "I7"),
    ],
)
def test_what_cannot_be_is_not_printed(run: object, code: str) -> None:
    finding = made.finding(run(), code)  # type: ignore[operator]
    assert finding.status == "not_applicable"
    assert len(str(finding.text)) > 20


def test_a_small_run_gets_no_interval_over_seeds() -> None:
    runs = [
        evaluated([0.6], [x], settings=BASE | {"seed": i, "beta": beta}, facts={"train_pairs": 8})
        for beta in (0.1, 0.5)
        for i, x in enumerate((0.7, 0.72, 0.74, 0.76, 0.78))
    ]
    run = with_siblings(runs)[0]
    assert "0.740" in made.says(run, "J2") and "interval" not in made.says(run, "J2")
    assert made.finding(run, "J4").status == "not_applicable"


def test_losses_of_two_scales_are_not_compared() -> None:
    runs = [evaluated([x], settings=BASE | {"seed": i, "beta": b}) for b in (0.1, 0.5) for i, x in enumerate(NEAR)]
    assert made.finding(with_siblings(runs)[0], "J4").status == "not_applicable"
    lower = [evaluated([x], settings=BASE | {"seed": i, "weight_decay": 0.1}) for i, x in enumerate((0.5, 0.55, 0.51))]
    run = with_siblings([*lower, *(evaluated([x], settings=BASE | {"seed": i}) for i, x in enumerate(NEAR))])[0]
    assert "held-out loss was 0.520 on average instead of 0.620" in made.says(run, "J4")
    assert made.finding(run, "J4").severity == "good"  # a lower loss is the better one


def test_siblings_are_of_the_same_method_and_have_none_themselves() -> None:
    runs = with_siblings([big(), big(method="sft"), big(settings=BASE | {"seed": 2}), big(method=None)])
    assert [len(run.siblings) for run in runs] == [1, 0, 1, 0]
    assert runs[0].siblings[0].siblings == ()


def test_a_repeated_run_is_no_further_seed() -> None:
    run = with_siblings([big(), big(), big(settings={k: v for k, v in BASE.items() if k != "seed"})])[0]
    assert made.finding(run, "J2").status == "not_applicable"
    assert made.finding(run, "J1").status == "found"


def test_three_runs_on_disk_are_reported_as_three_seeds(tmp_path: Path) -> None:
    folders = [RUNS / "dpo-seeds" / f"seed-{n}" for n in (1, 2, 3)]
    report = build(folders, "markdown", tmp_path)
    for analysis in report.analyses:
        by_code = {finding.code: finding for finding in analysis.findings}
        assert by_code["J1"].status == "passed"
        assert "Over 3 runs that differ in their seed only" in str(by_code["J2"].text)
    text = next(file for file in report.files if file.name == "report.md").read_text()
    assert "single run" not in text


HEAD = "timestamp,project_name,run_id,duration,emissions,energy_consumed,country_name\n"


@pytest.mark.parametrize(
    ("rows", "energy", "problem"),
    [
        ("t,p,a,10,0.001,0.002,Chile\n", 0.002, ""),
        ("t,p,a,10,0.001,0.002,Chile\nt,p,a,20,0.002,0.004,Chile\n", 0.004, ""),
        ("t,p,a,10,0.001,0.002,Chile\nt,p,b,20,0.002,0.003,Chile\n", 0.003, "several trackers"),
        ("t,p,a,10,0.001,none,Chile\n", None, "no energy"),
        ("", None, "no energy"),
    ],
)
def test_the_trackers_file_is_read(tmp_path: Path, rows: str, energy: float | None, problem: str) -> None:
    (tmp_path / "trainer_state.json").write_text('{"log_history": [{"loss": 0.6, "step": 1}], "global_step": 1}')
    (tmp_path / "emissions.csv").write_text(HEAD + rows)
    run = load(tmp_path)
    assert run.number("emissions/energy_kwh") == energy
    assert [p for p in run.problems if p.where == "emissions.csv" and problem in p.message] or not problem
    if energy is not None:
        place = Source("emissions.csv", f"line {len(rows.splitlines()) + 1}, country_name")
        assert run.summary["emissions/place"] == Datum("Chile", place)


def test_above_the_runs_it_is_no_run(tmp_path: Path) -> None:
    home = tmp_path / "run"
    home.mkdir()
    (home / "trainer_state.json").write_text('{"log_history": [{"loss": 0.6, "step": 1}], "global_step": 1}')
    (tmp_path / "emissions.csv").write_text(HEAD + "t,p,a,10,0.001,0.002,Chile\n")
    assert load(tmp_path).number("emissions/energy_kwh") is None


def test_an_unknown_seed_is_asked_for_and_compared_with_nothing() -> None:
    bare = replace(big(), settings={})
    assert made.finding(with_siblings([bare, replace(bare)])[0], "J2").status == "not_applicable"


HALVED = {"train_pairs": 800, "data.train_file": "half.jsonl"}


@pytest.mark.parametrize(
    "changed",
    [
        {"hardware": "one A100"},
        {"data_source": "other pairs"},
        {"num_train_epochs": 2.0},
        {"dataloader_num_workers": 4},
    ],
)
def test_time_is_compared_over_sizes_only_where_all_else_is_equal(changed: dict[str, object]) -> None:
    sizes = [{"train_pairs": 400}, HALVED, {"train_pairs": 1600}]
    told = {"data_source": "our pairs"}
    assert "3 sizes" in made.says(timed([200, 400, 800], *sizes, **told), "I3")
    sizes[1] = HALVED | changed
    assert made.says(timed([200, 400, 800], *sizes, **told), "I3") == ""


def test_the_time_of_a_run_that_was_resumed_or_stopped_is_no_time_of_its_size() -> None:
    run = grown(400, 800, 1600)
    stopped = replace(run, siblings=(run.siblings[0], replace(run.siblings[1], status="incomplete")))
    late = replace(
        run.siblings[1], series={("loss", "train"): made.series("loss", [0.5] * 3, steps=[300, 350, 400])},
        settings=run.siblings[1].settings | {"logging_steps": Setting("logging_steps", 50, Source("args"))},
    )  # fmt: skip
    for other in (stopped, replace(run, siblings=(run.siblings[0], late))):
        assert made.finding(other, "I3").status == "passed"


def test_several_seeds_at_a_size_are_several_runs() -> None:
    assert "3 sizes, 6 runs" in made.says(grown(400, 800, 1600, 400, 800, 1600), "I3")


@pytest.mark.parametrize("run", [lambda: grown(400, 440, 480), lambda: grown(400, 800, 1600, seconds=0.05),
                                 lambda: grown(400, 800, 1600, hardware=""), lambda: grown(400, 800)])  # fmt: skip
def test_scaling_is_licensed_by_an_exponent_that_is_known(run: Callable[[], Run]) -> None:
    def allowed(one: Run) -> bool:
        return next(v.allowed for v in made.analysis(one).verdicts if v.text == "scalability")

    assert allowed(grown(400, 800, 1600)) and not allowed(run())
