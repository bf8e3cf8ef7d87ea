"""The first user's five numbers: every derived fact of their run, and none that it cannot carry."""

from __future__ import annotations

import math

import pytest

import made
from dpo_report.plugins import reading


def value(name: str) -> float:
    return float(made.analysis(made.first_user()).values[name].value)


def test_batch_steps_and_pairs_follow_from_the_five_numbers() -> None:
    assert value("batch.effective") == 4
    assert value("data.rows") == 8
    assert value("data.presentations") == 16
    assert value("steps.done") == 4


def test_times_include_everything() -> None:
    assert value("time.per_step") == pytest.approx(4.905, abs=1e-3)
    assert value("time.per_presentation") == pytest.approx(1.226, abs=1e-3)


def test_the_remaining_three_steps_averaged_0_38() -> None:
    assert value("loss.start") == pytest.approx(math.log(2))
    assert value("loss.train.rest") == pytest.approx(0.3816, abs=1e-4)
    text = made.says(made.first_user(), "C5")
    assert "the remaining 3 averaged 0.382" in text
    assert "individual step losses were not logged" in text


def test_the_margin_bound_is_rounded_down() -> None:
    text = made.says(made.first_user(), "C5")
    assert "at least 0.76 (7.6 nats at β = 0.1)" in text


def test_with_warm_up_the_last_two_steps_averaged_0_226() -> None:
    warm = made.first_user(settings=made.FIRST_USER | {"warmup_steps": 1})
    assert float(made.analysis(warm).values["loss.train.rest"].value) == pytest.approx(0.226, abs=1e-3)


def test_mean_is_never_called_final() -> None:
    result = made.analysis(made.first_user())
    said = " ".join(str(f.text) for f in result.findings if f.status == "found")
    assert "The training loss averaged over all 4 steps was 0.460 (analytic starting value 0.693)." in said
    for word in ("final", "converge", "scalab", "efficient", "fast", "learned", "success", "reasonable"):
        assert word not in said.lower()


def test_no_reduction_trend_or_accuracy_is_derived() -> None:
    result = made.analysis(made.first_user())
    assert not [name for name in result.values if "reduction" in name or "slope" in name or name.startswith("accuracy")]
    said = made.says(made.first_user(), "A2")
    assert "No per-step loss was logged: the logging interval, 10 steps, exceeds the 4 of the run." in said


def test_scale_is_told_as_it_is() -> None:
    assert "8 pairs is of smoke-test scale" in made.says(made.first_user(), "H3")
    assert "only 4 optimizer updates" in made.says(made.first_user(), "G8")
    assert "too small for inference" in made.says(made.first_user(), "K2")
    assert "the 8 training pairs only" in made.says(made.first_user(), "F1")


def test_claim_level_is_one_and_no_higher() -> None:
    result = made.analysis(made.first_user())
    assert result.level == 1
    assert not any(v.allowed for v in result.verdicts if v.patterns)


def test_zephyr_implied_pairs() -> None:
    zephyr = made.run(
        steps=5811,
        epoch=3.0,
        settings={"num_train_epochs": 3.0},
        summary={"train_runtime": 23865.98, "train_samples_per_second": 7.789, "train_steps_per_second": 0.243},
    )
    band = reading.implied_rows(zephyr)
    assert band is not None
    assert band.low <= 61_964 <= band.high
    assert band.low <= 61_966 <= band.high
    assert "between 61," in made.says(zephyr, "B3")
