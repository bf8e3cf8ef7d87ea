"""The micro-batch that memory allows, the precision that pays, what is told of lengths, and an evaluation's numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dpo_report.core.errors import ReportError
from dpo_report.plugins.training import decide, measures
from dpo_report.plugins.training.generations import Answer
from dpo_report.plugins.training.hardware import Machine
from dpo_report.plugins.training.lengths import Lengths, edit_distance
from dpo_report.plugins.training.measures import Scored
from dpo_report.plugins.training.memory import Need, plan

NEED = Need(135_000_000, 135_000_000, 30, 576, 1536, 9, 49152, 200, 80)
MUCH = 1 << 40


def test_the_whole_effective_batch_goes_at_once_where_memory_allows() -> None:
    made = plan(NEED, (1, 4), "auto", 8, 1, MUCH, None)
    assert (made.micro, made.accumulation, made.checkpointing) == (4, 1, False)
    assert plan(NEED, (2, 4), "as-given", 8, 1, MUCH, None).micro == 2
    assert plan(NEED, (2, 4), 4, 8, 1, MUCH, None).accumulation == 2


def test_an_epoch_that_ends_in_a_part_of_a_step_keeps_its_weights() -> None:
    """10 pairs in steps of 4: micro-batches of 4 or 2 mean the last two alike; with 7 pairs, 2 would not, 4 does."""
    assert plan(NEED, (1, 4), "auto", 10, 1, MUCH, None).micro == 4
    tight = NEED.bytes(2) / 0.8 + 1
    assert plan(NEED, (1, 4), "auto", 10, 1, int(tight), None).micro == 2
    assert plan(NEED, (1, 4), "auto", 7, 1, int(tight), None).micro == 1


def test_little_memory_means_smaller_passes_then_checkpointing_then_a_refusal() -> None:
    frees = (NEED.bytes(8), NEED.bytes(4), NEED.bytes(1))
    sizes = [plan(NEED, (8, 1), "auto", 64, 1, int(free / 0.8) + 1, None).micro for free in frees]
    assert sizes == [8, 4, 1]
    assert plan(NEED, (1, 1), "auto", 8, 1, int(NEED.bytes(1, True) / 0.8) + 1, None).checkpointing
    with pytest.raises(ReportError, match="GiB of memory"):
        plan(NEED, (8, 1), "auto", 64, 1, 1 << 30, None)
    with pytest.raises(ReportError, match="does not divide"):
        plan(NEED, (1, 4), 3, 8, 1, MUCH, None)


def test_bf16_is_taken_where_there_are_matrix_units_for_it_or_as_asked() -> None:
    with_units, without = (Machine("a processor", 2, 8 << 30, units, "Linux") for units in (True, False))
    assert [decide.precision("auto", one)[0] for one in (with_units, without)] == [True, False]
    assert [decide.precision(asked, without) for asked in ("bf16", "fp32")] == [(True, "as asked"), (False, "as asked")]


def test_the_facts_tell_what_was_cut_and_how_much_of_the_answers_is_left() -> None:
    sizes = Lengths([10, 10, 30], [5, 20, 8], [6, 4, 2])
    assert sizes.kept(None) == {"truncated_share": 0, "mean_completion_tokens": 11}
    assert sizes.kept(20) == {"truncated_share": 0.5, "mean_completion_tokens": 5}  # 5, 10 and none are left


@pytest.mark.parametrize(
    ("one", "other", "steps"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("flaw", "lawn", 2), ("ab", "ba", 2)],
)
def test_edit_distance_is_levenshteins(one: str, other: str, steps: int) -> None:
    assert edit_distance([*map(ord, one)], [*map(ord, other)]) == steps


def scored(margins: list[float], lengths: list[tuple[int, int]]) -> list[Scored]:
    return [Scored(i, -10 + m, -12.0, -10.0, -12.0, *n) for i, (m, n) in enumerate(zip(margins, lengths, strict=True))]


def test_values_follow_from_the_pairs() -> None:
    made = scored([2.0, 1.0, -1.0, 0.0] * 3, [(5, 4), (4, 5), (6, 4), (4, 4)] * 3)
    told = measures.values(made, 0.5)
    assert (told["accuracy"]["k"], told["accuracy"]["n"], told["accuracy"]["ties"]) == (6, 12, 3)
    assert told["margin"]["value"] == pytest.approx(0.25) and told["margin_nats"]["value"] == pytest.approx(0.5)
    assert told["loss"]["value"] == pytest.approx(np.mean([math.log1p(math.exp(-m)) for m in (1, 0.5, -0.5, 0)]))
    assert told["ranking"]["k"] == 12 and told["drift_rejected"]["value"] == 0
    assert told["length"]["chosen_longer"]["k"] == 6 and told["length"]["chosen_longer"]["n"] == 9
    assert told["length"]["accuracy_longer"]["k"] == 3 and told["length"]["accuracy_shorter"]["k"] == 3
    assert told["margin"]["low"] < 0.25 < told["margin"]["high"]


def test_a_tie_is_no_right_answer_and_few_pairs_have_no_interval() -> None:
    told = measures.values(scored([0.0, 0.0], [(3, 3), (3, 3)]), 0.1)
    assert told["accuracy"]["k"] == 0 and "low" not in told["margin"]


def test_the_surest_and_the_wrongest_pairs() -> None:
    made = scored([0.1, 3.0, -2.0, -0.01], [(4, 4)] * 4)
    shown = measures.extremes(made, 1.0, [{"chosen": str(i)} for i in range(4)], count=1)
    assert [shown[key][0]["row"] for key in ("most_certain", "least_certain", "most_wrong")] == [1, 3, 2]


def test_answers_are_compared_in_length_and_repetition() -> None:
    again, plain = Answer("a b c d a b c d a b c d", 12, False), Answer("one two three four five", 6, True)
    assert plain.repetition == 0 and again.repetition == pytest.approx(5 / 9)
    told = measures.answers([again, plain], [plain, plain])
    assert told["length_ratio"] == pytest.approx(1.5) and told["same"] == 1 and told["reference"]["ended"] == 2
