"""A fall of the loss where an epoch begins is told (rule C8); a loss that falls all along has none."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

import made
from dpo_report.plugins import statistics
from rules import BASE, big, noise

TWO = BASE | {"num_train_epochs": 2.0}


def test_a_jump_and_its_error_are_those_of_least_squares() -> None:
    before, after = np.array(noise(12)) - 0.1 * np.arange(12), np.array(noise(19))[9:] - 3
    y = np.concatenate((before, after))
    design = sm.add_constant(np.column_stack((np.arange(22), np.arange(22) >= 12)))
    fit = sm.OLS(y, design).fit()
    jump, error = statistics.jump(before, after)
    assert jump == pytest.approx(fit.params[2])
    assert error == pytest.approx(fit.bse[2])


@pytest.mark.parametrize(("before", "after"), [([1.0, 2.0], [1.0]), ([], [1.0, 2.0, 3.0, 4.0])])
def test_a_jump_needs_four_rows_and_two_sides(before: list[float], after: list[float]) -> None:
    with pytest.raises(ValueError, match="four rows"):
        statistics.jump(before, after)


def test_a_loss_that_falls_all_along_says_nothing_of_repeats() -> None:
    """Row by row it is far lower in the second epoch, and the scatter is small: yet nothing happens at the border."""
    falling = [0.69 - 0.01 * row + 0.001 * x for row, x in enumerate(noise(40))]
    assert "seen before" not in made.says(big(loss=falling, settings=TWO), "C8")


def test_steps_of_a_noisy_loss_are_found_over_all_borders() -> None:
    """Three epochs, each 0.1 lower at once, under rows that scatter by half of that."""
    stairs = [0.7 - 0.1 * (row // 50) + 0.05 * x for row, x in enumerate(noise(150))]
    run = big(loss=stairs, settings=BASE | {"num_train_epochs": 3.0})
    assert "The loss fell where new epochs began (by 0." in made.says(run, "C8")
    assert " on average beyond its slope, standard error 0.0" in made.says(run, "C8")


def test_few_rows_in_an_epoch_are_not_compared() -> None:
    run = big(loss=[0.69] * 5 + [0.2] * 5, settings=TWO)
    assert made.finding(run, "C8").status == "not_applicable"
