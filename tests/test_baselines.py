"""The loss at the start is what TRL's own formulas give where policy and reference are the same model."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from dpo_report.core.model import Run, Setting, Source
from dpo_report.plugins import baselines
from dpo_report.plugins.baselines import Baseline, start_loss

LN2 = math.log(2)


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x)) if x > -30 else x


def sigmoid(x: float) -> float:
    return math.exp(log_sigmoid(x))


def smoothed(z: float, e: float) -> float:
    return -log_sigmoid(z) * (1 - e) - log_sigmoid(-z) * e


def exo(z: float, e: float) -> float:
    return sigmoid(z) * (log_sigmoid(z) - math.log(1 - e)) + sigmoid(-z) * (log_sigmoid(-z) - math.log(e))


def discopop(z: float, tau: float = 0.05) -> float:
    mix = sigmoid(z / tau)
    return -log_sigmoid(z) * (1 - mix) + math.exp(-z) * mix


Formula = Callable[[float, float, float, float], float]
# Of chosen and rejected log-ratio, beta, label smoothing; from trl/trainer/dpo_trainer.py 1.16.0 (kto_pair: 0.7.11)
FORMULAS: dict[str, Formula] = {
    "sigmoid": lambda c, r, b, e: -log_sigmoid(b * (c - r)),
    "sigmoid_norm": lambda c, r, b, e: -log_sigmoid(b * (c / 7 - r / 5)),
    "hinge": lambda c, r, b, e: max(0.0, 1 - b * (c - r)),
    "ipo": lambda c, r, b, e: (c / 7 - r / 5 - 1 / (2 * b)) ** 2,
    "exo_pair": lambda c, r, b, e: exo(b * (c - r), e),
    "nca_pair": lambda c, r, b, e: -log_sigmoid(b * c) - 0.5 * log_sigmoid(-b * c) - 0.5 * log_sigmoid(-b * r),
    "robust": lambda c, r, b, e: (-(1 - e) * log_sigmoid(b * (c - r)) + e * log_sigmoid(-b * (c - r))) / (1 - 2 * e),
    "bco_pair": lambda c, r, b, e: -log_sigmoid(b * c) - log_sigmoid(-b * r),
    "sppo_hard": lambda c, r, b, e: (c - 0.5 / b) ** 2 + (r + 0.5 / b) ** 2,
    "aot": lambda c, r, b, e: smoothed(b * (c - r), e),
    "aot_pair": lambda c, r, b, e: smoothed(b * (c - r), e),
    "aot_unpaired": lambda c, r, b, e: smoothed(b * (c - r), e),
    "apo_zero": lambda c, r, b, e: 1 - sigmoid(b * c) + sigmoid(b * r),
    "apo_down": lambda c, r, b, e: sigmoid(b * c) + 1 - sigmoid(b * (c - r)),
    "discopop": lambda c, r, b, e: discopop(b * (c - r)),
    "kto_pair": lambda c, r, b, e: (1 - sigmoid(b * (c - max(0, r))) + 1 - sigmoid(b * (max(0, c) - r))) / 2,
}


def test_every_known_loss_type_has_its_formula_here() -> None:
    assert set(FORMULAS) == set(baselines.DPO)


@pytest.mark.parametrize("loss_type", FORMULAS)
@given(beta=st.floats(0.01, 5), epsilon=st.floats(0.001, 0.45))
def test_the_start_is_the_formula_at_equal_models(loss_type: str, beta: float, epsilon: float) -> None:
    expected = FORMULAS[loss_type](0.0, 0.0, beta, epsilon)
    result = start_loss("dpo", loss_type, beta=beta, label_smoothing=epsilon, trl_version="1.16.0")
    assert result.value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("loss_type", FORMULAS)
@given(
    c=st.floats(-50, 50),
    r=st.floats(-50, 50),
    beta=st.floats(0.05, 2),
    epsilon=st.sampled_from([0.0, 0.1, 0.3]),
)
def test_no_loss_falls_below_its_floor(loss_type: str, c: float, r: float, beta: float, epsilon: float) -> None:
    result = start_loss("dpo", loss_type, beta=beta, label_smoothing=epsilon, trl_version="1.16.0")
    if result.floor is not None:
        assert FORMULAS[loss_type](c, r, beta, epsilon) >= result.floor - 1e-9
    else:
        assert loss_type in ("robust", "exo_pair")


@pytest.mark.parametrize("loss_type", FORMULAS)
@pytest.mark.parametrize("epsilon", [0.001, 0.2])
def test_floors_are_reached(loss_type: str, epsilon: float) -> None:
    """No floor is lower than need be: some pair of log-ratios comes near it."""
    beta = 0.5
    floor = start_loss("dpo", loss_type, beta=beta, label_smoothing=epsilon, trl_version="1.16.0").floor
    least = min(
        float(minimize(lambda x: FORMULAS[loss_type](x[0], x[1], beta, epsilon), start, method="Nelder-Mead").fun)
        for start in ((0, 0), (1, -60), (-30, -60), (60, -60))
    )
    assert least < -1 if floor is None else least == pytest.approx(floor, abs=1e-4)


@pytest.mark.parametrize(
    ("loss_type", "epsilon", "value"),
    [("sigmoid", 0, 0.693147), ("hinge", 0, 1), ("ipo", 0, 25), ("exo_pair", 1e-3, 2.761231),
     ("nca_pair", 0, 1.386294), ("robust", 0.2, 0.693147), ("bco_pair", 0, 1.386294), ("sppo_hard", 0, 50),
     ("aot", 0, 0.693147), ("apo_zero", 0, 1), ("apo_down", 0, 1), ("discopop", 0, 0.846574), ("kto_pair", 0, 0.5)],
)  # fmt: skip
def test_known_values(loss_type: str, epsilon: float, value: float) -> None:
    assert start_loss("dpo", loss_type, beta=0.1, label_smoothing=epsilon).value == pytest.approx(value, abs=1e-6)


def test_known_floors_and_simpo() -> None:
    assert baselines.smoothing_floor(0.1) == pytest.approx(0.325083, abs=1e-6)
    assert pytest.approx(0.954771, abs=1e-6) == baselines.NCA_FLOOR
    assert baselines.simpo_equal_averages(0.5) == pytest.approx(0.974077, abs=1e-6)
    assert baselines.simpo_equal_averages(1.375) == pytest.approx(1.600413, abs=1e-6)


def test_label_smoothing_follows_the_version() -> None:
    old = start_loss("dpo", "sigmoid", label_smoothing=0.1, trl_version="0.24.0")
    new = start_loss("dpo", "sigmoid", label_smoothing=0.1, trl_version="0.29.0")
    unknown = start_loss("dpo", "sigmoid", label_smoothing=0.1)
    assert (old.floor, old.is_sigmoid) == (pytest.approx(0.325083, abs=1e-6), False)
    assert (new.floor, new.is_sigmoid) == (0, True)
    assert (unknown.floor, unknown.is_sigmoid) == (None, False)
    assert old.value == new.value == unknown.value == pytest.approx(LN2)
    assert start_loss("dpo", "exo_pair", trl_version="0.28.0").value == pytest.approx(2.761231, abs=1e-6)
    assert start_loss("dpo", "exo_pair", trl_version="1.0.0").value is None


def test_several_losses_add_up_with_their_weights() -> None:
    mpo = start_loss("dpo", ["sigmoid", "bco_pair", "sft"], weights=[0.8, 0.2, 1.0])
    assert mpo.value is None
    assert mpo.known == pytest.approx(0.8 * LN2 + 0.2 * 2 * LN2)
    assert mpo.known == pytest.approx(0.8318, abs=1e-4)
    assert mpo.extra == ((1.0, "nll_loss"),)
    two = start_loss("dpo", ["sigmoid", "nca_pair"])
    assert two.value == pytest.approx(3 * LN2)
    assert two.floor == pytest.approx(baselines.NCA_FLOOR)
    assert not two.is_sigmoid
    assert start_loss("dpo", ["sigmoid"]) == start_loss("dpo", "sigmoid") == start_loss("dpo", "sigmoid", weights=[1.0])
    assert start_loss("dpo", ["sigmoid"], weights=[0.5]).value == pytest.approx(LN2 / 2)
    assert start_loss("dpo", ["sigmoid", "hinge"], weights=[1.0]).value is None
    assert start_loss("dpo", ["sigmoid", "ipo"]).value is None


@pytest.mark.parametrize("divergence", ["forward_kl", "js_divergence", "alpha_divergence"])
def test_divergences_move_no_start_that_only_sees_the_difference(divergence: str) -> None:
    for version in ("0.24.0", "0.29.0", "1.16.0", None):
        result = start_loss("dpo", "sigmoid", f_divergence=divergence, trl_version=version)
        assert result.value == pytest.approx(LN2)
        assert not result.is_sigmoid
    assert start_loss("dpo", "ipo", beta=0.1, f_divergence=divergence, trl_version="1.16.0").value == pytest.approx(25)
    assert start_loss("dpo", "bco_pair", f_divergence=divergence, trl_version="0.24.0").value == pytest.approx(2 * LN2)
    assert start_loss("dpo", "ipo", beta=0.1, f_divergence=divergence, trl_version="1.0.0").value is None
    assert start_loss("dpo", "ipo", beta=0.1, f_divergence=divergence).value is None


@pytest.mark.parametrize(
    "settings",
    [{"use_weighting": True}, {"reference_free": True}, {"explicit_reference": True}, {"loss_type": "novel"},
     {"loss_type": "ipo"}, {"loss_type": "sppo_hard"}, {"loss_type": "sft"}],
)  # fmt: skip
def test_what_has_no_constant_start_says_why(settings: dict[str, object]) -> None:
    result = start_loss("dpo", **{"loss_type": "sigmoid", **settings})  # type: ignore[arg-type]
    assert result.value is None
    assert len(result.why) > 20


def test_rpo_adds_a_cross_entropy_by_version() -> None:
    now = start_loss("dpo", "sigmoid", rpo_alpha=0.5, trl_version="0.24.0")
    then = start_loss("dpo", "sigmoid", rpo_alpha=0.5, trl_version="0.9.6")
    assert (now.value, now.known, now.extra) == (None, pytest.approx(LN2), ((0.5, "nll_loss"),))
    assert (then.value, then.known, then.extra) == (None, pytest.approx(LN2 / 2), ((1.0, "nll_loss"),))
    assert start_loss("dpo", "sigmoid", rpo_alpha=0.5).value is None
    assert start_loss("dpo", "sigmoid", rpo_alpha=0.5, trl_version="1.0.0").value == pytest.approx(LN2)


def test_other_methods() -> None:
    assert start_loss("kto", "kto").value == 0.5
    assert start_loss("kto", "kto", class_weights=(2.0, 2.0)).value == 1
    assert start_loss("kto", "kto", class_weights=(1.0, 2.0)).value is None
    assert start_loss("bco").value == pytest.approx(LN2)
    reward = start_loss("reward")
    assert (reward.value, reward.exact) == (pytest.approx(LN2), False)
    for method in ("sft", "orpo", "cpo", "grpo", "rloo", "ppo", None):
        result = start_loss(method)
        assert result.value is None
        assert result.why
    assert "1.600" in start_loss("cpo", "simpo", simpo_gamma=1.375).why
    assert start_loss("simpo").value is None


def test_the_default_loss_is_an_assumption_that_is_told() -> None:
    assert start_loss("dpo").assumes == ("the loss type is the library's default, sigmoid",)
    assert start_loss("dpo", "sigmoid").assumes == ()


EMPTY = Run(Path("r"), "r", "x", None, "dpo", "", "unknown", None, None, None, {}, {}, {}, {}, (), {}, {}, ())


def run(method: str = "dpo", trl: str = "", **settings: object) -> Run:
    told = {name: Setting(name, value, Source("f")) for name, value in settings.items()}
    return replace(EMPTY, method=method, settings=told, versions={"trl": trl} if trl else {})


@pytest.mark.parametrize(
    ("given_run", "expected"),
    [
        (run(), start_loss("dpo")),
        (run(loss_type=["sigmoid"], beta=0.1), start_loss("dpo", "sigmoid", beta=0.1)),
        (run(loss_type="ipo", beta="0.5"), start_loss("dpo", "ipo", beta=0.5)),
        (run(loss_type=["sigmoid", "sft"], loss_weights=[1, 0.2]),
         start_loss("dpo", ["sigmoid", "sft"], weights=[1, 0.2])),
        (run(trl="1.16.0", loss_type="ipo", beta=1, f_divergence_type="FDivergenceType.JS_DIVERGENCE"),
         start_loss("dpo", "ipo", beta=1, f_divergence="js_divergence", trl_version="1.16.0")),
        (run("kto", desirable_weight=2.0), start_loss("kto", class_weights=(2.0, 1.0))),
        (run(loss_type={"a": 1}, beta=[3]), start_loss("dpo", "{'a': 1}")),
        (run(loss_type="sigmoid", ref_model_name_or_path="a", model_name_or_path="b"),
         start_loss("dpo", "sigmoid", explicit_reference=True)),
        (run(loss_type="sigmoid", ref_model_name_or_path="a", model_name_or_path="a"),
         start_loss("dpo", "sigmoid")),
    ],
)  # fmt: skip
def test_a_runs_settings_give_its_start(given_run: Run, expected: Baseline) -> None:
    assert baselines.of(given_run) == expected
