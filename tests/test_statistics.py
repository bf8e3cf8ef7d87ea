"""The statistics agree with SciPy and statsmodels, with brute force, and with values worked out by hand."""

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.tsa.stattools import acf

from dpo_report.plugins import statistics as ours

VALUES = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))
SERIES = st.lists(VALUES, min_size=3, max_size=60)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(8, 8, 0.676, 1), (7, 8, 0.529, 0.978), (6, 8, 0.409, 0.929), (5, 8, 0.306, 0.863), (4, 4, 0.510, 1),
     (78, 100, 0.689, 0.850), (781, 1000, 0.754, 0.806)],
)  # fmt: skip
def test_wilson_gives_the_known_intervals(k: int, n: int, low: float, high: float) -> None:
    assert ours.wilson(k, n) == pytest.approx((low, high), abs=5e-4)


@given(st.integers(1, 5000), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_that_of_statsmodels(n: int, data: st.DataObject, level: float) -> None:
    k = data.draw(st.integers(0, n))
    low, high = ours.wilson(k, n, level)
    assert (low, high) == pytest.approx(proportion_confint(k, n, 1 - level, "wilson"), abs=1e-9)
    assert 0 <= low <= k / n <= high <= 1


@pytest.mark.parametrize(
    ("k", "n", "p"),
    [(8, 8, 0.0078), (7, 8, 0.0703), (6, 8, 0.289), (6, 6, 0.031), (5, 5, 0.0625), (4, 4, 0.125)],
)
def test_the_exact_binomial_gives_the_known_p(k: int, n: int, p: float) -> None:
    assert ours.binomial_two_sided(k, n) == pytest.approx(p, abs=5e-4)


@given(st.integers(1, 400), st.data(), st.sampled_from([0.1, 0.5, 0.73]))
def test_the_exact_binomial_is_that_of_scipy(n: int, data: st.DataObject, p: float) -> None:
    k = data.draw(st.integers(0, n))
    assert ours.binomial_two_sided(k, n, p) == pytest.approx(stats.binomtest(k, n, p).pvalue, rel=1e-6)


@given(SERIES, st.booleans())
def test_theil_sen_is_that_of_scipy(y: list[float], uneven: bool) -> None:
    x = np.cumsum(np.where(np.arange(len(y)) % 3 == 0, 5, 1)) if uneven else np.arange(len(y))
    expected = stats.theilslopes(y, x, 0.95)
    assert ours.theil_sen(x, y) == pytest.approx((expected.slope, expected.low_slope, expected.high_slope), abs=1e-9)


@pytest.mark.parametrize(("n", "p"), [(3, 0.333), (4, 0.083), (5, 0.0167), (6, 0.0028)])
def test_mann_kendall_cannot_be_surer_than_the_orderings_allow(n: int, p: float) -> None:
    assert ours.mann_kendall(range(n)) == pytest.approx(p, abs=5e-4)
    assert ours.mann_kendall(range(n)) == pytest.approx(2 / math.factorial(n))


@given(st.lists(st.integers(0, 3), min_size=3, max_size=7))
@settings(deadline=None, max_examples=60)
def test_mann_kendall_with_ties_is_that_of_all_orderings(y: list[int]) -> None:
    def s(values: tuple[int, ...]) -> int:
        return sum((b > a) - (b < a) for a, b in itertools.combinations(values, 2))

    every = [abs(s(order)) for order in itertools.permutations(y)]
    expected = sum(one >= abs(s(tuple(y))) for one in every) / len(every)
    assert ours.mann_kendall(y) == pytest.approx(expected, abs=1e-12)


@given(st.lists(VALUES, min_size=3, max_size=19, unique=True))
def test_mann_kendall_without_ties_is_kendalls_exact_tau(y: list[float]) -> None:
    expected = stats.kendalltau(np.arange(len(y)), y, method="exact").pvalue
    assert ours.mann_kendall(y) == pytest.approx(expected, abs=1e-9)


@given(st.lists(st.integers(0, 9), min_size=20, max_size=60).filter(lambda y: len(set(y)) > 1))
def test_mann_kendall_of_many_rows_is_kendalls_normal_tau(y: list[int]) -> None:
    theirs = stats.kendalltau(np.arange(len(y)), y, method="asymptotic").pvalue  # without continuity correction
    mine = ours.mann_kendall(y)
    s = abs(sum((b > a) - (b < a) for a, b in itertools.combinations(y, 2)))
    if s > 1:
        z = stats.norm.isf(theirs / 2) * (s - 1) / s
        assert mine == pytest.approx(2 * stats.norm.sf(z), rel=1e-6)
    else:
        assert mine == 1


def test_a_constant_has_no_trend() -> None:
    assert ours.mann_kendall([1.0] * 5) == 1
    assert ours.mann_kendall([1.0] * 50) == 1
    assert ours.theil_sen(range(50), [1.0] * 50) == (0, 0, 0)
    assert math.isnan(ours.mann_kendall([1.0, 2.0]))


@given(SERIES)
def test_lag1_is_that_of_statsmodels(y: list[float]) -> None:
    values = np.array(y)
    if values.std() > 1e-6:
        assert ours.lag1(y) == pytest.approx(acf(values, nlags=1, fft=False)[1], abs=1e-6)


def test_dependent_rows_weaken_a_trend_only_where_they_can_be_told() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 1, 200)
    for i in range(1, 200):
        noise[i] += 0.8 * noise[i - 1]
    x = np.arange(200.0)
    result = ours.trend(x, noise - 0.01 * x)
    assert result.rho == pytest.approx(0.8, abs=0.1)
    assert result.n_eff == pytest.approx(200 * (1 - result.rho) / (1 + result.rho))
    assert result.p > ours.mann_kendall(noise - 0.01 * x)
    naive = ours.theil_sen(x, noise - 0.01 * x)
    assert result.low < naive[1] < naive[2] < result.high
    short = ours.trend(x[:19], noise[:19])
    assert math.isnan(short.rho)
    assert short.n_eff == 19


@given(SERIES)
def test_a_trend_turned_over_is_the_opposite_trend(y: list[float]) -> None:
    x = np.arange(len(y), dtype=float)
    up, down = ours.trend(x, y), ours.trend(x, [-v for v in y])
    assert (up.slope, up.low, up.high) == pytest.approx((-down.slope, -down.high, -down.low), abs=1e-9)
    assert up.p == pytest.approx(down.p)


def test_windows_are_tenths_of_at_least_three_rows_that_never_overlap() -> None:
    assert ours.window_medians([1, 2, 3, 4, 5]) is None
    assert ours.window_medians([1, 2, 9, 4, 5, 0]) == ours.Windows(2, 4, 3)
    windows = ours.window_medians(np.arange(31.0))
    assert windows == ours.Windows(1.5, 28.5, 4)
    assert windows.fall == -27


@pytest.mark.parametrize("n", [8, 16, 100, 400, 5000])
def test_the_interval_of_a_fall_holds_it_and_is_the_same_twice(n: int) -> None:
    rng = np.random.default_rng(n)
    y = np.linspace(0.7, 0.2, n) + rng.normal(0, 0.05, n)
    windows, interval = ours.window_medians(y), ours.window_fall_interval(y)
    assert windows is not None
    assert interval is not None
    assert interval[0] < windows.fall < interval[1]
    assert interval == ours.window_fall_interval(y)
    if n >= 100:  # few rows have too few resamples to differ
        assert interval != ours.window_fall_interval(y, seed=1)
    flat = ours.window_fall_interval(rng.normal(0, 0.05, n))
    assert flat is not None
    assert flat[0] < 0.1
    assert flat[1] > -0.1


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(11)
    falls = means = 0
    for _ in range(200):
        interval = ours.window_fall_interval(np.linspace(0.7, 0.2, 100) + rng.normal(0, 0.1, 100), resamples=500)
        assert interval is not None
        falls += interval[0] <= 0.5 * 90 / 99 <= interval[1]
        mean = ours.bootstrap_mean_interval(rng.normal(2, 1, 30), resamples=500)
        assert mean is not None
        means += mean[0] <= 2 <= mean[1]
    assert 170 <= falls <= 199
    assert 175 <= means <= 199


def test_few_units_get_no_interval() -> None:
    assert ours.window_fall_interval(np.arange(7.0)) is None
    assert ours.bootstrap_mean_interval(np.arange(7.0)) is None


@pytest.mark.parametrize("n", [40, 20_000])
def test_the_interval_of_a_mean_is_as_wide_as_its_standard_error_says(n: int) -> None:
    values = np.random.default_rng(5).exponential(1, n)
    interval = ours.bootstrap_mean_interval(values)
    assert interval is not None
    low, high = interval
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / math.sqrt(n), rel=0.15)


def test_robust_spread_is_the_standard_deviation_of_normal_values() -> None:
    values = np.random.default_rng(2).normal(0, 3, 20_000)
    assert ours.robust_sd(values) == pytest.approx(3, rel=0.05)
    assert ours.robust_sd(values) == pytest.approx(stats.median_abs_deviation(values, scale="normal"), rel=1e-4)


@pytest.mark.parametrize("n", [10, 51, 300])
def test_robust_z_is_that_of_each_rows_own_window(n: int) -> None:
    values = np.random.default_rng(n).normal(0, 1, n)
    for i, z in enumerate(ours.robust_z(values)):
        start = min(max(i - 25, 0), max(n - 51, 0))
        near = values[start : start + 51]
        assert z == pytest.approx(abs(values[i] - np.median(near)) / stats.median_abs_deviation(near, scale=1 / 1.4826))


def test_robust_z_finds_a_spike_in_short_and_long_runs() -> None:
    for n in (60, 200_000):
        values = np.random.default_rng(0).normal(1, 0.1, n)
        values[n // 2] = 5
        assert ours.robust_z(values).argmax() == n // 2
    assert ours.robust_z([1.0] * 9 + [2.0]).tolist() == [0.0] * 9 + [math.inf]
    assert len(ours.robust_z([])) == 0


def test_logged_means_weigh_by_the_steps_they_cover() -> None:
    losses = [0.6931471825, 0.6932166219, 0.6921235323, 0.6915513277]
    assert ours.mean_over_steps([1, 2, 3, 4], losses) == pytest.approx(0.6925096661)
    assert ours.mean_over_steps([3, 4], losses[2:], start=2) == pytest.approx(0.6918374300)
    assert ours.mean_over_steps([10, 15], [1.0, 4.0]) == 2
    assert math.isnan(ours.mean_over_steps([], []))


def test_what_is_not_finite_is_refused() -> None:
    for broken in ([1.0, math.nan, 2.0], [1.0, math.inf, 2.0]):
        for function in (ours.mann_kendall, ours.window_medians, ours.robust_z, ours.lag1):
            with pytest.raises(ValueError, match="finite"):
                function(broken)
    with pytest.raises(ValueError, match="two different x"):
        ours.theil_sen([1, 1], [2, 3])
    with pytest.raises(ValueError, match="needs 0 <= k"):
        ours.wilson(3, 2)


def test_a_long_run_is_reduced_and_says_so() -> None:
    x = np.arange(100_000.0)
    y = 1 - 1e-6 * x + np.random.default_rng(1).normal(0, 0.1, len(x))
    started = time.perf_counter()
    result = ours.trend(x, y)
    ours.window_fall_interval(y)
    ours.robust_z(y)
    assert time.perf_counter() - started < 10  # about 0.2 on an idle machine
    assert result.blocks == ours.UNITS
    assert result.n == 100_000
    assert result.low < -1e-6 < result.high
    assert result.slope == pytest.approx(-1e-6, rel=0.1)
    assert ours.trend(x[:100], y[:100]).blocks is None


@given(st.lists(st.tuples(st.sampled_from([10, 30, 100, 300, 1000]), st.floats(0.1, 1e4)), min_size=3, max_size=9))
def test_a_power_law_is_the_regression_of_logs(points):
    sizes, y = map(np.array, zip(*points, strict=True))
    if len(set(sizes)) < 2:
        with pytest.raises(ValueError, match="two different sizes"):
            ours.power_law(sizes, y)
        return
    mine, wanted = ours.power_law(sizes, y), stats.linregress(np.log(sizes), np.log(y))
    half = stats.t.ppf(0.975, len(y) - 2) * np.nan_to_num(wanted.stderr)  # SciPy gives none of a constant
    assert (mine.exponent, mine.low, mine.high) == pytest.approx(
        (wanted.slope, wanted.slope - half, wanted.slope + half), rel=1e-6, abs=1e-6
    )


@pytest.mark.parametrize(("sizes", "y"), [([1, 2], [1, 2]), ([1, 2, 3], [1, 0, 1]), ([0, 1, 2], [1, 1, 1])])
def test_no_power_law_of_too_little(sizes, y):
    with pytest.raises(ValueError, match="three points above 0"):
        ours.power_law(sizes, y)


def test_a_power_law_without_scatter_is_found_exactly():
    found = ours.power_law([10, 100, 1000], [3 * n**0.75 for n in (10, 100, 1000)], level=0.9)
    assert (found.low, found.exponent, found.high) == pytest.approx((0.75, 0.75, 0.75))
