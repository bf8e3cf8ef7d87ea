"""Aggregates over tasks, seeds and configurations, against scipy and against counting every case."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

import made
from dpo_report.core.analysis import analyse
from dpo_report.core.build import with_siblings
from dpo_report.core.figures import draw
from dpo_report.core.manager import default_host
from dpo_report.core.model import Run
from dpo_report.plugins import aggregate
from rules import BASE, FACTS, big, evaluated
from rules_more import seeds

GRID = st.integers(0, 8).map(lambda n: n / 8)


def tables(runs: int = 6, sets: int = 3) -> st.SearchStrategy[np.ndarray]:
    """Scores of some runs on so many sets, often tied."""
    return st.integers(1, runs).flatmap(lambda n: arrays.arrays(float, (n, sets), elements=GRID))


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40))
def test_the_interquartile_mean(v: list[float]) -> None:
    assert aggregate.interquartile_mean(v) == pytest.approx(stats.trim_mean(v, 0.25), abs=1e-9)


@given(tables(), GRID)
def test_the_profile_is_the_mean_survival_function(table: np.ndarray, at: float) -> None:
    wanted = np.mean([stats.ecdf(task).sf.evaluate(at) for task in table.T])
    assert aggregate.performance_profile(table, [at])[0] == pytest.approx(wanted)


@given(tables(), tables())
def test_the_probability_of_improvement_is_mann_and_whitneys(x: np.ndarray, y: np.ndarray) -> None:
    u = [
        stats.mannwhitneyu(a, b, method="asymptotic").statistic / (len(a) * len(b))
        for a, b in zip(x.T, y.T, strict=True)
    ]
    assert aggregate.probability_of_improvement(x, y) == pytest.approx(np.mean(u))
    assert aggregate.probability_of_improvement(y, x) == pytest.approx(1 - np.mean(u))


@given(st.lists(GRID, min_size=1, max_size=4), st.integers(1, 4))
def test_the_expected_best_is_the_mean_over_every_draw(values: list[float], trials: int) -> None:
    wanted = np.mean([max(drawn) for drawn in product(values, repeat=trials)])
    assert aggregate.expected_best(values, trials) == pytest.approx(wanted)


def test_the_expected_best_starts_at_the_mean_and_ends_at_the_best() -> None:
    values = [0.6, 0.9, 0.7]
    assert aggregate.expected_best(values, 1) == pytest.approx(np.mean(values))
    assert aggregate.expected_best(values, 1000) == pytest.approx(0.9)


def test_the_stratified_interval_holds_the_value_and_repeats() -> None:
    scores = np.random.default_rng(2).normal([0.5, 0.7, 0.9], 0.02, (5, 3))
    low, high = aggregate.stratified_interval([scores], aggregate.interquartile_mean)
    assert low < aggregate.interquartile_mean(scores) < high
    assert (low, high) == aggregate.stratified_interval([scores], aggregate.interquartile_mean)
    assert high - low < 0.1  # tasks are not drawn, so their spread adds nothing


def test_a_stratified_interval_of_a_difference_covers_it_as_often_as_it_says() -> None:
    """Simulated: two recipes, 8 seeds, 3 sets; a run of the first is better with probability Φ(1/√2)."""
    rng, inside = np.random.default_rng(5), 0
    truth = stats.norm.cdf(1 / np.sqrt(2))
    for _ in range(60):
        x, y = rng.normal(1, 1, (8, 3)), rng.normal(0, 1, (8, 3))
        low, high = aggregate.stratified_interval([x, y], aggregate.probability_of_improvement, resamples=200)
        inside += bool(low <= truth <= high)
    assert inside >= 51


# --- what is said of them -----------------------------------------------------------------------------------------


def on_sets(*recipes: list[list[float]]) -> Run:
    """The first run of some recipes, each a table of accuracies by seed and set; recipes differ in their β."""
    runs = []
    for number, table in enumerate(recipes):
        for seed, row in enumerate(table):
            held = [made.series("rewards/accuracies", [x], f"eval:{n}", steps=[60]) for n, x in enumerate(row)]
            settings = BASE | {"seed": seed, "beta": 0.1 * (number + 1)}
            runs.append(big(settings=settings, rows=held))
    return with_siblings(runs)[0]


HIGH = [[0.7, 0.9, 0.8], [0.72, 0.88, 0.8], [0.74, 0.9, 0.45]]
LOW = [[0.5, 0.6, 0.7], [0.55, 0.6, 0.7], [0.5, 0.65, 0.75]]


def test_two_recipes_on_several_sets_are_compared_set_by_set() -> None:
    text = made.says(on_sets(HIGH, LOW), "J3")
    assert "; 8 of the 9 accuracies lie above chance; a run of this recipe ranked higher than one with beta 0.2" in text
    shown = aggregate.probability_of_improvement(HIGH, LOW)
    assert f"with an estimated probability of {shown:.2f} (95 % stratified bootstrap 0." in text


def test_of_many_recipes_three_are_named_and_the_others_counted() -> None:
    text = made.says(on_sets(HIGH, LOW, LOW, HIGH, LOW, LOW), "J3")
    assert text.count("estimated probability") == 3
    assert "; 2 more recipes are reported beside it [agarwal2021]." in text


def test_a_recipe_with_too_few_seeds_or_sets_is_not_compared() -> None:
    assert "estimated probability" not in made.says(on_sets(HIGH, LOW[:2]), "J3")
    assert "estimated probability" not in made.says(on_sets(HIGH, [row[:2] for row in LOW]), "J3")
    assert made.finding(on_sets(HIGH[:2], LOW), "J3").status == "not_applicable"


def test_a_small_run_gets_no_interval() -> None:
    few = [[0.7, 0.8], [0.7, 0.9], [0.6, 0.8]]
    assert "bootstrap" not in made.says(on_sets(few), "J3")


def test_the_profile_is_drawn_with_the_other_recipes() -> None:
    host = default_host()
    (figure,) = [one for one in analyse(on_sets(HIGH, LOW), host).figures if one.name == "profile"]
    own, other = figure.panels[0].lines
    assert (own.label, other.label) == ("this recipe", "beta 0.2")
    assert own.y[0] == 1 and own.y[-1] == 0 and (np.diff(own.y) <= 0).all()
    assert own.low is not None and own.high is not None and (own.low <= own.high).all()
    assert "Share of 3 seeds whose accuracy exceeds a value, averaged over 3 held-out sets; band: 95 %" in str(
        figure.caption
    )
    assert len(draw(figure)) > 1000
    assert not [one for one in analyse(big(), host).figures if one.name == "profile"]


def tried(values: list[float], **changes: object) -> Run:
    runs = [
        evaluated([0.6], [x], settings=BASE | {"learning_rate": (n + 1) * 1e-6}, **changes)
        for n, x in enumerate(values)
    ]
    return with_siblings(runs)[0]


def test_the_best_expected_of_fewer_configurations_is_told() -> None:
    text = made.says(tried([0.6, 0.9, 0.7, 0.8]), "J6")
    assert "4 configurations are reported together" in text
    assert "The best held-out accuracy of the 4 configurations is 0.900; of one drawn at random 0.750" in text
    assert f"of the best of 2 {aggregate.expected_best([0.6, 0.9, 0.7, 0.8], 2):.3f}. Chosen on these values" in text


def test_of_losses_the_best_is_the_lowest() -> None:
    runs = [evaluated([x], settings=BASE | {"learning_rate": (n + 1) * 1e-6}) for n, x in enumerate((0.5, 0.6, 0.4))]
    text = made.says(with_siblings(runs)[0], "J6")
    assert "The best held-out loss of the 3 configurations is 0.400; of one drawn at random 0.500" in text


def test_two_configurations_other_data_and_training_losses_tell_no_best() -> None:
    assert "drawn at random" not in made.says(seeds([0.8], [0.6], beta=0.5), "J6")
    other = [evaluated([0.6], [x], facts=FACTS | {"data_source": str(x)}) for x in (0.6, 0.7, 0.8)]
    assert "drawn at random" not in made.says(with_siblings(other)[0], "J6")
    trained = [big(settings=BASE | {"learning_rate": x}) for x in (1e-6, 2e-6, 3e-6)]
    assert "drawn at random" not in made.says(with_siblings(trained)[0], "J6")


def test_seeds_of_one_configuration_count_once() -> None:
    runs = [
        evaluated([0.6], [x], settings=BASE | {"learning_rate": rate, "seed": seed})
        for rate, pair in ((1e-6, (0.5, 0.7)), (2e-6, (0.8, 0.8)), (3e-6, (0.9, 0.7)))
        for seed, x in enumerate(pair)
    ]
    text = made.says(with_siblings(runs)[0], "J6")
    assert "The best held-out accuracy of the 3 configurations is 0.800; of one drawn at random 0.733" in text
