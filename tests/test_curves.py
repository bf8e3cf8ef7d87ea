"""Curves: every row is in the figure, nothing is smoothed unsaid, and captions say only what the rows say."""

import math
import re
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import made
from dpo_report.core.analysis import analyse
from dpo_report.core.contract import NotApplicable
from dpo_report.core.figures import draw
from dpo_report.core.loader import load
from dpo_report.core.model import Value
from dpo_report.plugins import curves
from dpo_report.plugins.curves import tracks

LN2 = math.log(2)
START = {"loss.start": Value("loss.start", LN2, ())}
CURVES = {curve.name: curve for curve in curves.register_curves()}


def build(name, run, values=START):
    return CURVES[name].build(run, values)


def caption(name, run, values=START):
    return str(build(name, run, values).caption)


def reason(name, run):
    with pytest.raises(NotApplicable) as caught:
        build(name, run)
    return caught.value.reason


def falling(count, first=0.69, last=0.1):
    return np.linspace(first, last, count)


# --- from rows to lines -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "split", "making"),
    [(2, "train", "joined"), (20, "train", "joined"), (21, "train", "mean"), (400, "train", "mean"),
     (401, "train", "bins"), (40, "eval", "joined"), (41, "eval", "mean")],
)  # fmt: skip
def test_the_number_of_rows_decides_how_they_are_drawn(count, split, making):
    one = tracks.track(made.series("loss", falling(count), split), "loss", "loss")
    assert one.making == making
    assert one.line.marks == (making == "joined")
    assert (one.line.dots_y is not None) == (making == "mean")
    assert (one.line.low is not None) == (making == "bins")


def test_joined_points_are_the_rows_themselves():
    rows = made.series("loss", [0.7, np.nan, 0.5])
    line = tracks.track(rows, "loss", "loss").line
    assert line.x is rows.steps
    np.testing.assert_array_equal(line.y, rows.values)


def test_under_a_running_mean_every_row_stays_visible():
    rows = made.series("loss", [*falling(60), np.inf])
    line = tracks.track(rows, "loss", "loss").line
    np.testing.assert_array_equal(line.dots_y[:60], rows.values[:60])
    assert np.isnan(line.dots_y[60]) and np.isnan(line.y[60])
    assert line.y[0] == rows.values[0]
    assert line.y[30] == pytest.approx(rows.values[27:34].mean())


steps = st.lists(st.integers(1, 50), min_size=2, max_size=800).map(lambda gaps: np.cumsum(gaps).astype(float))


@given(steps, st.data())
def test_a_band_holds_every_row_and_no_value_that_no_row_has(at, data):
    wild = st.floats(-1e9, 1e9) | st.sampled_from([math.nan, math.inf, -math.inf])
    values = np.array(data.draw(st.lists(wild, min_size=len(at), max_size=len(at))))
    width, (centres, mean, low, high) = tracks.bins(at, values)
    finite = values[np.isfinite(values)]
    if len(finite):
        assert np.nanmin(low) == finite.min() and np.nanmax(high) == finite.max()
    shown = np.isfinite(mean)
    assert (low[shown] <= mean[shown]).all() and (mean[shown] <= high[shown]).all()
    assert (np.diff(centres) > 0).all() and len(centres) <= tracks.BINS + 1
    for left in np.unique(np.ceil(at / width)):
        rows = values[(at > (left - 1) * width) & (at <= left * width)]
        rows = rows[np.isfinite(rows)]
        where = np.ceil(centres / width - 1e-9) == left
        if len(rows):
            assert low[where].tolist() == [rows.min()] and high[where].tolist() == [rows.max()]


def test_a_million_rows_are_drawn_in_seconds_and_the_spike_is_seen():
    rng = np.random.default_rng(0)
    values = rng.normal(1.0, 0.1, 1_000_000)
    values[123_456] = 9.0
    started = time.perf_counter()
    figure = build("loss", made.run(loss=values))
    content = draw(figure)
    assert time.perf_counter() - started < 5
    assert len(content) < 100_000
    (line,) = figure.panels[0].lines
    assert (line.high.max(), line.low.min()) == (9.0, values.min())
    assert "Line: mean of bins of 10,000 steps; band: minimum and maximum in each bin" in str(figure.caption)


def test_a_schedule_is_drawn_as_logged_and_a_spiky_norm_by_its_median():
    rates = np.concatenate([np.linspace(0, 1, 30), np.linspace(1, 0, 70)])
    norms = np.where(np.arange(100) % 10 == 5, 50.0, 1.0)
    norm, rate = build("optimizer", made.run(learning_rate=rates, grad_norm=norms)).panels
    np.testing.assert_array_equal(rate.lines[0].y, rates)
    assert set(norm.lines[0].y) == {1.0}
    assert norm.lines[0].dots_y.max() == 50.0


def test_a_wide_positive_norm_is_drawn_on_a_logarithmic_scale_and_the_caption_says_so():
    run = made.run(grad_norm=[0.01, 1, 100, 50])
    assert build("optimizer", run).panels[0].y_scale == "log"
    assert "The scale of the gradient norm is logarithmic." in caption("optimizer", run)
    assert build("optimizer", made.run(grad_norm=[0.0, 1, 100, 50])).panels[0].y_scale == "linear"


# --- figures ------------------------------------------------------------------------------------------------------


def dpo(**more):
    return made.run(
        loss=falling(4),
        rewards__accuracies=[0.5, 1, 1, 1],
        rewards__chosen=[0.0, 0.1, 0.2, 0.3],
        rewards__rejected=[0.0, -0.1, -0.2, -0.4],
        rewards__margins=[0.0, 0.2, 0.4, 0.7],
        evaluations={"loss": ([2, 4], [0.6, 0.8]), "rewards/accuracies": ([2, 4], [0.6, 0.7])},
        **more,
    )


def dpo_from_the_start(**more):
    return made.run(
        loss=[LN2, 0.6, 0.5],
        rewards__accuracies=[0.0, 0.0, 0.75],
        rewards__margins=[0.0, 0.1, 0.2],
        evaluations={"loss": ([0, 2, 3], [LN2, 0.6, 0.5]), "rewards/accuracies": ([0, 2, 3], [0.0, 0.5, 0.75])},
        **more,
    )


def test_loss_and_accuracy_stand_together_with_their_references():
    loss, accuracy = build("loss", dpo()).panels
    assert [line.label for line in loss.lines] == ["training", "held-out"]
    assert [line.role for line in loss.lines] == ["train", "eval"]
    assert [(level.y, level.label) for level in loss.levels] == [(LN2, "ln 2: policy = reference")]
    assert (loss.y_label, loss.y_from) == ("DPO loss", 0.0)
    assert [(level.y, level.label) for level in accuracy.levels] == [(0.5, "chance")]


def test_without_a_known_start_no_line_is_drawn_for_it():
    assert build("loss", dpo(), {}).panels[0].levels == ()
    ipo = {"loss.start": Value("loss.start", 25.0, ())}
    assert build("loss", dpo(settings={"loss_type": "ipo"}), ipo).panels[0].levels[0].label == "25: policy = reference"
    assert build("loss", dpo(settings={"loss_type": "ipo"}), ipo).panels[0].y_label == "DPO loss (ipo)"


def test_chosen_and_rejected_differ_by_dash_and_stand_beside_their_margin():
    rewards, margin = build("rewards", dpo()).panels
    assert [(line.label, line.dashed) for line in rewards.lines] == [("chosen", False), ("rejected", True)]
    assert [level.label for level in rewards.levels] == ["0: policy = reference"]
    assert margin.levels == ()


def test_rewards_without_a_reference_model_have_no_zero_line():
    orpo = made.run(method="orpo", rewards__chosen=[-1.0, -0.9], rewards__rejected=[-1.0, -1.1])
    assert build("rewards", orpo).panels[0].levels == ()
    assert build("rewards", orpo).panels[0].y_label == "Reward"


def test_the_loss_of_a_policy_gradient_method_is_not_drawn_but_its_reward_is():
    run = made.run(method="grpo", loss=[1e-8, -1e-8], reward=[0.1, 0.4], kl=[0.0, 0.01])
    assert reason("loss", run) == "the loss of GRPO is no measure of progress; its reward is drawn instead"
    assert [panel.y_label for panel in build("reward", run).panels] == [
        "Mean reward",
        "KL divergence from the reference (nats)",
    ]


def test_a_reward_model_is_compared_with_equal_scores_not_with_a_reference():
    run = made.run(method="reward", loss=[0.7, 0.5], accuracy=[0.5, 0.9])
    loss, accuracy = build("loss", run).panels
    assert loss.levels[0].label == "ln 2: equal scores"
    assert accuracy.levels[0].label == "chance"
    assert "policy" not in caption("loss", run)


def test_rows_before_any_training_are_no_accuracies_but_stay_in_every_other_line():
    run = dpo_from_the_start()
    loss, accuracy = build("loss", run).panels
    assert [line.x.tolist() for line in loss.lines] == [[1, 2, 3], [0, 2, 3]]
    assert [line.x.tolist() for line in accuracy.lines] == [[2, 3], [2, 3]]
    assert accuracy.lines[0].y.tolist() == [0.0, 0.75]
    assert (
        "Left out: the training accuracy at step 1 and the held-out accuracy at step 0, where policy and reference tie."
    ) in caption("loss", run)
    assert [line.x.tolist() for line in build("rewards", run).panels[0].lines] == [[1, 2, 3]]


def test_only_a_tie_of_policy_and_reference_is_left_out():
    assert "Left out" not in caption("loss", dpo())  # its first row is no tie
    assert "Left out" not in caption("loss", dpo_from_the_start(method="orpo"))  # there is no reference
    late = made.series("rewards/accuracies", [0.0, 0.5, 0.75], steps=[10, 20, 30])  # means over trained steps too
    assert "Left out" not in caption("loss", made.run(rows=[late]))


def test_warm_up_from_rate_zero_leaves_two_steps_untrained():
    run = made.run(
        rewards__accuracies=[0.0, 0.0, 0.75, 1.0],
        learning_rate=[0.0, 1e-6, 2e-6, 3e-6],
        versions={"transformers": "5.0.0"},
    )
    assert build("loss", run).panels[0].lines[0].x.tolist() == [3, 4]
    assert "Left out: the training accuracy at steps 1 and 2, where" in caption("loss", run)


def test_an_accuracy_that_is_no_choice_between_two_has_no_chance_line():
    panel = build("loss", made.run(method="sft", loss=[3.0, 2.0], mean_token_accuracy=[0.3, 0.5])).panels[1]
    assert (panel.y_label, panel.levels, panel.y_from) == ("Token accuracy", (), 0.0)


@pytest.mark.parametrize("name", sorted(CURVES.keys() - {"profile"}))  # of several runs: in test_aggregate.py
def test_a_curve_without_two_rows_says_so(name):
    rows = {key: [1.0] for key in ("loss", "reward", "rewards__chosen", "logps__chosen", "grad_norm")}
    for run in (made.run(), made.run(**rows), made.run(loss=[math.nan, math.nan], reward=[1, math.inf])):
        assert re.match("fewer than two rows with an? .* logged", reason(name, run))


def test_steps_that_are_no_whole_numbers_are_epochs():
    run = made.run(rows=[made.series("loss", [2.0, 1.0], steps=[0.5, 1.0])])
    assert build("loss", run).panels[0].x_label == "Epoch"
    assert caption("loss", run).startswith("The training loss goes from 2.000 to 1.000.")
    halved = made.run(rows=[made.series("loss", [2.0, 1.0, math.nan], steps=[0.5, 1.0, 1.5])])
    assert "to 1.000 (to epoch 1)." in caption("loss", halved)
    assert "1 value of the training loss (epoch 1.50)." in caption("loss", halved)


def test_named_held_out_sets_are_named_and_what_finds_no_room_is_told():
    rows = [made.series("loss", [0.5, 0.4], f"eval:set{index}") for index in range(8)]
    figure = build("loss", made.run(loss=[0.7, 0.6], rows=rows))
    assert [line.label for line in figure.panels[0].lines][:2] == ["training", "held-out (set0)"]
    assert len(figure.panels[0].lines) == 7
    assert "Not drawn: 2 further held-out sets (set6, set7)." in str(figure.caption)


# --- captions -----------------------------------------------------------------------------------------------------


def test_a_short_run_is_told_by_its_ends():
    assert caption("loss", made.run(loss=[0.6931, 0.475, 0.337, 0.259])) == (
        "The training loss goes from 0.693 to 0.259. Filled markers: logged rows."
    )


def test_lines_that_end_where_they_began_or_hold_one_number_are_told_as_such():
    run = made.run(loss=[0.7, 0.5, 0.7], rewards__chosen=[0.1, 0.2, 0.3], rewards__rejected=[math.nan, 0.2, math.nan])
    assert caption("loss", run).startswith("The training loss starts and ends at 0.700.")
    told = "of chosen responses goes from 0.100 to 0.300, the training reward of rejected responses is 0.200 at step 2."
    assert told in caption("rewards", run)


def test_chosen_and_rejected_are_told_together_and_named_once():
    held_out = {f"rewards/{which}": ([2, 4], [0.1, 0.2]) for which in ("chosen", "rejected")}
    told = caption("rewards", made.run(rewards__chosen=[0, 0.1], rewards__rejected=[0, -0.1], evaluations=held_out))
    assert re.match("The training rewards of chosen and rejected responses go from [^;]*, the held-out ones from", told)


def test_a_longer_run_is_told_by_the_means_of_its_ends_with_their_size():
    run = made.run(loss=falling(60, 0.6, 0.01), every=100, settings={"logging_steps": 100})
    text = caption("loss", run, {})
    assert text.startswith("The training loss goes from 0.590 to 0.020. ")
    assert (
        "Dots: logged means of 100 steps; line: running mean over 7 (numbers: means of the first and last 3 rows)."
    ) in text


def test_rows_are_called_means_only_where_the_trainer_says_so():
    uneven = made.series("loss", falling(30), steps=[1, *range(100, 3000, 100)])
    assert "Dots: logged rows;" in caption("loss", made.run(rows=[uneven], settings={"logging_steps": 100}))
    norms = made.run(grad_norm=falling(30), every=100, settings={"logging_steps": 100})
    assert "Dots: logged rows;" in caption("optimizer", norms)


def test_held_out_data_is_told_with_its_best_value_and_its_size():
    run = made.run(
        loss=falling(4),
        evaluations={
            "loss": ([1, 2, 3], [0.6, 0.5, 0.9]),
            "samples_per_second": ([1, 2, 3], [10.0, 10.0, 10.0]),
            "runtime": ([1, 2, 3], [25.0, 25.0, 25.0]),
        },
    )
    told = ", the held-out loss from 0.600 to 0.900 (lowest: 0.500 at step 2; above ln 2 at the end). "
    assert told in caption("loss", run)
    assert "Open squares: evaluations on 250 held-out pairs." in caption("loss", run)


def test_many_evaluations_are_smoothed_and_called_evaluations():
    run = made.run(loss=falling(30), evaluations={"loss": (range(1, 101), falling(100, 0.8, 0.6))})
    text = caption("loss", run)
    assert "Dots: evaluations; line: running mean over 11 (" in text
    assert "Dots: logged rows; line: running mean over 3 (" in text
    assert "Open squares only tell the held-out lines apart." in text


def test_values_that_are_no_numbers_are_counted_and_placed():
    run = made.run(loss=[0.7, math.nan, 0.6, math.nan, math.inf, math.nan, 0.5])
    text = caption("loss", run)
    assert "Not finite, so not drawn: 4 values of the training loss (steps 2 and 4 to 6)." in text
    assert np.isnan(build("loss", run).panels[0].lines[0].y).sum() == 4


def test_lines_with_the_same_gaps_are_told_together_and_long_lists_are_cut():
    values = [math.nan if index % 2 else 1.0 for index in range(20)]
    text = caption("rewards", made.run(rewards__chosen=values, rewards__rejected=values))
    told = "10 values each of the training reward of chosen responses and the training reward of rejected responses"
    assert f"{told} (steps 2, 4, 6, 8, 10, 12 and 4 more)." in text


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=60))
def test_no_caption_claims_a_direction(values):
    run = made.run(loss=values, rewards__chosen=values, rewards__rejected=values[::-1], grad_norm=values)
    for name in ("loss", "rewards", "optimizer"):
        assert not re.search(r"\b(fall|fell|drop|decreas|ris|rose|grow|increas|improv|converg)", caption(name, run))


def test_a_name_from_the_run_is_text_and_no_markup():
    run = made.run(loss=[0.7, 0.6], rows=[made.series("loss", [0.5, 0.4], "eval:a `b` [@c] $d$")])
    parts = build("loss", run).caption.parts
    assert all(isinstance(part, str) for part in parts)
    assert "held-out (a `b` [@c] $d$) loss" in parts[0]


def test_a_version_that_logs_the_next_rate_is_named():
    rates = {"learning_rate": [1e-5, 5e-6, 0.0], "versions": {"transformers": "4.35.0"}}
    assert "learning rate logged with a row is that of the step after it" in caption("optimizer", made.run(**rates))
    newer = rates | {"versions": {"transformers": "5.0.0"}}
    assert "the step after it" not in caption("optimizer", made.run(**newer))
    assert build("optimizer", made.run(**rates)).title == "Learning rate over training"


def test_a_zero_in_place_of_a_number_is_told():
    broken = made.run(loss=[0.69, 0.0, 0.0], grad_norm=[1.0, math.nan, math.nan])
    assert "A training loss of exactly 0, logged at 2 steps, marks a failure, no fit." in caption("loss", broken)


@pytest.mark.parametrize("name", ["kg-heldout", "kg-8pairs-log1"])
def test_captions_are_short_and_name_no_place(name):
    run = load(Path(__file__).parents[1] / "examples" / "runs" / name)
    captions = [str(figure.caption) for figure in analyse(run).figures]
    assert captions and max(map(len, captions)) < 500
    assert not [text for text in captions if re.search(r"\b(left|middle|right):", text, re.IGNORECASE)]
