"""Statistics of several runs, held against SciPy and statsmodels."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from dpo_report.plugins import comparison, statistics

A, B = [0.71, 0.74, 0.78, 0.73], [0.66, 0.70, 0.69, 0.71]
values = st.lists(st.floats(-5, 5).map(lambda x: round(x, 3)), min_size=2, max_size=6)


@pytest.mark.parametrize("freedom", [1, 1.3, 2, 4, 9.7, 30, 500])
@pytest.mark.parametrize("t", [-40, -3, -0.5, 0, 0.01, 0.7, 2.1, 12.7])
def test_students_distribution(t: float, freedom: float) -> None:
    assert statistics.t_cdf(t, freedom) == pytest.approx(stats.t.cdf(t, freedom), abs=1e-12)


@pytest.mark.parametrize("freedom", [1, 2.5, 4, 30, 500])
@pytest.mark.parametrize("share", [0.001, 0.3, 0.5, 0.8, 0.975, 0.9999])
def test_its_quantiles(share: float, freedom: float) -> None:
    assert statistics.t_quantile(share, freedom) == pytest.approx(stats.t.ppf(share, freedom), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("share", [0, 1, -0.1, 2])
def test_no_quantile_beyond_the_ends(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        statistics.t_quantile(share, 3)


@given(values)
def test_the_interval_of_a_mean(v: list[float]) -> None:
    low, high = statistics.mean_interval(v)
    error = float(np.std(v, ddof=1)) / math.sqrt(len(v))
    if error:
        wanted = stats.t.interval(0.95, len(v) - 1, np.mean(v), error)
        assert (low, high) == pytest.approx(wanted, abs=1e-8)
    else:
        assert low == high


@settings(max_examples=40, deadline=None)
@given(values, values)
def test_welch_and_permutation(a: list[float], b: list[float]) -> None:
    assume(min(np.var(a), np.var(b)) > 1e-6)  # SciPy warns of a constant group
    mine = comparison.unpaired(a, b)
    welch = stats.ttest_ind(a, b, equal_var=False)
    assert mine.freedom == pytest.approx(welch.df)
    assert (mine.low, mine.high) == pytest.approx(tuple(welch.confidence_interval()), abs=1e-8)


@pytest.mark.parametrize(("a", "b"), [(A, B), (A[:3], B[:3]), (A, B[:2]), ([1, 1, 2], [1, 2, 2])])
def test_permutations_are_counted(a: list[float], b: list[float]) -> None:
    def distance(x: np.ndarray, y: np.ndarray) -> float:
        return abs(np.mean(x) - np.mean(y))

    wanted = stats.permutation_test((a, b), distance, alternative="greater", n_resamples=np.inf).pvalue
    assert comparison.unpaired(a, b).p == pytest.approx(wanted)


def test_pairs() -> None:
    mine, theirs = comparison.paired(A, B), stats.ttest_rel(A, B)
    assert (mine.low, mine.high) == pytest.approx(tuple(theirs.confidence_interval()))
    d = np.subtract(A, B)
    flips = stats.permutation_test((d,), lambda x: abs(np.mean(x)), permutation_type="samples", alternative="greater",
                                   n_resamples=np.inf).pvalue  # fmt: skip
    assert mine.p == pytest.approx(flips) == 2 / 16


@pytest.mark.parametrize(("k", "least"), [(3, 0.10), (4, 2 / 70), (5, 2 / 252)])
def test_the_least_p_that_few_runs_reach(k: int, least: float) -> None:
    """Golden values of the rulebook: 3 v 3 reach 0.10, 4 v 4 0.029, 5 v 5 0.008."""
    apart = comparison.unpaired(np.arange(k), 100 + np.arange(k))
    assert apart.p == pytest.approx(least) == pytest.approx(apart.least)


@pytest.mark.parametrize(("k", "least"), [(5, 0.0625), (6, 0.03125)])
def test_the_same_of_pairs(k: int, least: float) -> None:
    apart = comparison.paired(np.arange(k), 100 + 2 * np.arange(k))
    assert apart.p == least == apart.least


def test_too_many_rearrangements_give_no_p() -> None:
    assert comparison.unpaired(np.arange(10), np.arange(10) + 0.5).p is None
    assert comparison.paired(np.arange(20), np.arange(20) ** 2).p is None


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm(ps: list[float]) -> None:
    assert comparison.holm(ps) == pytest.approx(multipletests(ps, method="holm")[1])


def test_what_could_be_found_is_found_in_four_of_five() -> None:
    """Simulated: groups of ten that differ by the detectable difference."""
    rng = np.random.default_rng(1)
    error = comparison.Difference(0, 0, 0, None, 0, math.sqrt(2 / 10), 18, False)
    shift = comparison.detectable(error)
    found = [comparison.unpaired(x[0] + shift, x[1]).low > 0 for x in rng.standard_normal((300, 2, 10))]
    assert 0.74 < np.mean(found) < 0.88
