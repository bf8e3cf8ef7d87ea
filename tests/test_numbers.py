"""Numbers become words with the digits they have earned, and no rounding makes a sentence false."""

import doctest
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpo_report.core import numbers
from dpo_report.core.model import Source, Value

FINITE = st.floats(-1e12, 1e12).filter(lambda x: x == 0 or abs(x) > 1e-300)


def read(text: str) -> float:
    """The number that a reader takes from the text."""
    text = text.replace(",", "").replace("\u2212", "-")
    match = re.fullmatch(r"(-?[\d.]+) × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text)
    if match:
        return float(match[1]) * 10.0 ** int(match[2].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
    return float(text)


def value(x: float | int | str, kind: str, **more: object) -> Value:
    return Value("a.b", x, (Source("f"),), kind=kind, **more)  # type: ignore[arg-type]


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(numbers)
    assert result.attempted >= 15
    assert result.failed == 0


@given(FINITE, st.integers(2, 6))
def test_number_is_read_back_within_its_last_digit(x: float, digits: int) -> None:
    assert read(numbers.number(x, digits)) == pytest.approx(x, rel=0.51 * 10 ** (1 - digits), abs=1e-300)


@given(FINITE)
def test_bounds_stay_true_after_rounding(x: float) -> None:
    slack = abs(x) * 1e-12
    assert read(numbers.lower_bound(x)) <= x + slack
    assert read(numbers.upper_bound(x)) >= x - slack


@given(FINITE)
def test_no_hyphen_stands_for_a_minus_and_no_zero_is_negative(x: float) -> None:
    for text in (
        numbers.number(x),
        numbers.loss(x),
        numbers.fixed(x, 2),
        numbers.setting(x),
        numbers.scientific(x),
    ):
        assert "-" not in text
        assert not re.match("\u2212[0.]*$", text)


@pytest.mark.parametrize(
    "write",
    [
        numbers.number,
        numbers.loss,
        numbers.count,
        numbers.share,
        numbers.seconds,
        numbers.rate,
        numbers.setting,
        numbers.scientific,
        numbers.lower_bound,
    ],
)
def test_what_is_no_number_is_said_in_words(write: object) -> None:
    assert callable(write)
    assert write(math.nan) == "not a number"
    assert write(math.inf) == "infinite"
    assert write(-math.inf) == "negative infinite"


@given(st.floats(0, 1), st.integers(1, 5000))
def test_a_share_is_whole_only_when_it_is(p: float, n: int) -> None:
    text = numbers.share(p, n)
    if text in ("100 %", "100.0 %"):
        assert p == 1
    if text in ("0 %", "0.0 %"):
        assert p == 0
    assert ("%" in text) == (n >= 100)


@given(st.floats(0.001, 1e7))
def test_a_span_of_time_never_shows_sixty_of_a_unit(t: float) -> None:
    parts = re.findall(r"([\d.,]+) (h|min|s)", numbers.seconds(t))
    assert parts
    assert all(float(amount.replace(",", "")) < 60 for amount, unit in parts if unit != "h")


@pytest.mark.parametrize(
    ("given_value", "sentence", "table"),
    [
        (value(0.4594663381576538, "loss"), "0.459", "0.4595"),
        (value(8, "count", unit="pairs"), "8 pairs", "8 pairs"),
        (value(0.875, "share", n=8), "7/8", "7/8"),
        (value(0.7812, "share", n=61966), "78.1 %", "78.1 %"),
        (value(19.619, "seconds", unit="s"), "19.6 s", "19.62 s"),
        (value(5396.81, "seconds", unit="s"), "1 h 30 min", "5,397 s"),
        (value(4.905, "number", unit="s/step"), "4.91 s/step", "4.905 s/step"),
        (value(0.816, "rate", unit="pairs/s"), "0.816 pairs/s", "0.816 pairs/s"),
        (value(0.1, "exact"), "0.1", "0.1"),
        (value(124439808, "exact"), "124,439,808", "124,439,808"),
        (value("linear", "text"), "linear", "linear"),
        (value(math.nan, "loss"), "not a number", "not a number"),
    ],
)
def test_a_value_is_printed_by_its_kind(given_value: Value, sentence: str, table: str) -> None:
    assert numbers.display(given_value) == sentence
    assert numbers.display(given_value, table=True) == table


def test_the_unit_can_be_left_to_the_head_of_the_column() -> None:
    assert numbers.display(value(19.619, "seconds", unit="s"), table=True, unit=False) == "19.62"
    assert numbers.display(value(0.816, "rate", unit="pairs/s"), unit=False) == "0.816"


def test_intervals_follow_the_value() -> None:
    assert numbers.display_interval(value(0.6, "share", n=250, low=0.538, high=0.659)) == "54 to 66 %"
    assert numbers.display_interval(value(0.875, "share", n=8, low=0.529, high=0.978)) == "0.53 to 0.98"
    assert numbers.display_interval(value(0.2, "loss", low=-0.02, high=0.31), table=True) == "[−0.0200, 0.3100]"
    assert numbers.display_interval(value(7.7, "number", unit="nats", low=1.0, high=9.0)) == "1.00 to 9.00 nats"
    assert numbers.display_interval(value(1, "count")) == ""


def test_powers_of_ten_and_long_times_keep_both_units_in_an_interval() -> None:
    assert numbers.interval(5e-6, 6e-6, numbers.scientific) == "5 × 10⁻⁶ to 6 × 10⁻⁶"
    assert numbers.interval(200, 210, numbers.seconds) == "3 min 20 s to 3 min 30 s"


@given(st.lists(FINITE.map(lambda x: numbers.fixed(x, 2).rstrip("0").rstrip(".")), min_size=1))
def test_aligned_cells_have_their_points_in_one_place(cells: list[str]) -> None:
    pads = numbers.decimals_aligned(cells)
    whole = [before + cell + after for cell, (before, after) in zip(cells, pads, strict=True)]
    assert len({len(text) for text in whole}) == 1
    assert len({len(before + cell.split(".")[0]) for cell, (before, _) in zip(cells, pads, strict=True)}) == 1
