"""trainer_state.json is read in pieces, and rightly whatever its size, its white space and its text."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpo_report.core.folder import Entry, Folder
from dpo_report.plugins.readers.hf import scan
from dpo_report.plugins.readers.hf.columns import Table, tabulate
from dpo_report.plugins.readers.hf.state import State, read_state

Oracle = dict[tuple[str, int], float]


def read(folder: Path, content: str | bytes) -> State:
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    (folder / "trainer_state.json").write_bytes(data)
    return read_state(Folder(folder), Entry("trainer_state.json", len(data)))


def collected(state: State) -> Oracle:
    """Every number that the history kept, by key and row."""
    return {
        (key, int(row)): float(value)
        for shape in state.history.shapes.values()
        for key in shape.keys
        for row, value in zip(shape.index(), shape.column(key), strict=True)
    }


def expected(rows: list[Any]) -> Oracle:
    """The same from a plain loop."""
    found: Oracle = {}
    for number, row in enumerate(rows):
        for key, value in row.items() if isinstance(row, dict) else ():
            if isinstance(value, int | float) and not isinstance(value, bool):
                try:
                    found[key, number] = float(value)
                except OverflowError:
                    found[key, number] = math.inf if value > 0 else -math.inf
    return found


def same(one: Oracle, other: Oracle) -> bool:
    return one.keys() == other.keys() and all(
        one[key] == other[key] or (math.isnan(one[key]) and math.isnan(other[key])) for key in one
    )


def steps(count: int, **more: Any) -> list[Any]:
    return [{"loss": 0.7 - step / 100, "grad_norm": 1.5, "step": step} | more for step in range(1, count + 1)]


DUMPS: dict[str, Callable[[Any], str]] = {
    "the trainer's own": lambda value: json.dumps(value, indent=2, sort_keys=True) + "\n",
    "compact": lambda value: json.dumps(value, separators=(",", ":")),
    "default": json.dumps,
    "tabs": lambda value: json.dumps(value, indent="\t"),
    "windows": lambda value: json.dumps(value, indent=4).replace("\n", "\r\n"),
    "wide": lambda value: json.dumps(value, separators=("  ,\n ", " :\t")),
    "with a mark": lambda value: "\ufeff" + json.dumps(value),
}
ODD_ROWS = [
    {"loss": 1, "step": 1},
    {"loss": float("nan"), "step": 2},
    {"loss": float("inf"), "text": "}, {", "step": 3},
    {"loss": -float("inf"), "text": '\\"},\n    {\\', "step": 4},
    {"note": [{"a": 1}, {"b": [2, {"c": "]"}]}], "loss": 0.5, "step": 5},
    {"NaN": 0.25, "say": "NaN, -Infinity", "loss": -0.0, "step": 6},
    {"loss": 10**400, "step": 7},
    {"loss": True, "other": None, "step": 8},
    7,
    "log_history",
    [],
    {},
    {"step": 9, "loss": 5e-324, "漢": 1e308},
    {"eval_loss": 0.5, "step": 9},
]


@pytest.mark.parametrize("style", DUMPS)
@pytest.mark.parametrize("piece", [1, 7, 64, 300, 1 << 20])
def test_neither_white_space_nor_the_size_of_pieces_matters(
    style: str, piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "PIECE", piece)
    rows = [*steps(30), *ODD_ROWS, *steps(30)]
    state = read(tmp_path, DUMPS[style]({"best_metric": None, "log_history": rows, "max_steps": 60}))
    assert state.problems == []
    assert state.history.count == len(rows)
    assert same(collected(state), expected(rows))
    assert state.members == {"best_metric": None, "max_steps": 60}


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["}, {", '"', "\\", "NaN"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["loss", "step", "eval_loss", "epoch", "train_runtime", "a", ""]) | st.text(max_size=4)
row_lists = st.lists(st.dictionaries(keys, values, max_size=5) | values, max_size=12)


@given(rows=row_lists, piece=st.integers(1, 200), style=st.sampled_from(sorted(DUMPS)))
def test_no_valid_row_is_ever_lost(
    rows: list[Any], piece: int, style: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kept, scan.PIECE = scan.PIECE, piece
    try:
        state = read(tmp_path_factory.mktemp("state"), DUMPS[style]({"log_history": rows, "global_step": 3}))
    finally:
        scan.PIECE = kept
    assert state.problems == []
    assert state.whole("global_step") == 3
    assert same(collected(state), expected(rows))
    table = tabulate(state.history)
    for column in table.columns.values():
        assert (np.diff(column.steps) > 0).all()
        assert len(column.steps) == len(column.values) == len(column.rows)


@given(value=values)
def test_any_json_as_a_state_is_answered(value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    state = read(tmp_path_factory.mktemp("state"), json.dumps(value))
    assert state.problems or isinstance(value, dict)


def test_every_cut_of_a_file_keeps_the_rows_before_it(tmp_path: Path) -> None:
    rows = steps(4)
    whole = json.dumps({"epoch": 2.0, "global_step": 4, "log_history": rows, "max_steps": 4}, indent=2).encode()
    ends = [index + 1 for index in range(len(whole)) if whole[index : index + 1] == b"}"][:-1]
    for cut in range(len(whole)):
        state = read(tmp_path, whole[:cut])
        done = sum(end <= cut for end in ends)
        assert same(collected(state), expected(rows[:done])), cut
        assert len(state.problems) == 1, cut
        if done and cut < ends[-1]:
            assert f"the {done} complete rows" in state.problems[0].message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "no JSON object"),
        ('"text"', "no JSON object"),
        ("", "is empty"),
        ("[" * 10_000, "no JSON object"),
        ('{"log_history": ' + "[" * 10_000, "ends"),
        ('{"log_history": {"a": 1}, "max_steps": 3}', "log_history is not a list"),
        ('{"max_steps": 3}', "holds no log_history"),
        ('{"a": ' + "[" * 10_000 + "]" * 10_000 + ', "log_history": []}', "a: is nested too deeply"),
        ("\x00\x01\x02", "no JSON object"),
        ('{"global_step" 5}', "not valid JSON"),
    ],
)
def test_what_is_no_state_is_told(content: str, said: str, tmp_path: Path) -> None:
    state = read(tmp_path, content)
    assert any(said in problem.message for problem in state.problems), state.problems


def test_a_row_too_deep_costs_only_itself(tmp_path: Path) -> None:
    deep = '{"step": 2, "loss": ' + "[" * 10_000 + "]" * 10_000 + "}"
    state = read(tmp_path, f'{{"log_history": [{{"step": 1, "loss": 0.5}}, {deep}, {{"step": 3, "loss": 0.25}}]}}')
    table = tabulate(state.history)
    assert table.columns["loss", "train"].values.tolist() == [0.5, 0.25]
    assert "not valid JSON (1 ×, first in row 1)" in table.problems[0]


def test_a_pointer_of_git_lfs_is_recognised(tmp_path: Path) -> None:
    state = read(tmp_path, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    assert not state.readable
    assert "git lfs pull" in state.problems[0].hint


def table_of(rows: list[Any], tmp_path: Path) -> Table:
    return tabulate(read(tmp_path, json.dumps({"log_history": rows})).history)


def test_rows_of_three_kinds_at_one_step(tmp_path: Path) -> None:
    rows = [
        {"loss": 0.5, "epoch": 1.0, "step": 2},
        {"eval_loss": 0.6, "eval_rewards/margins": 0.1, "eval_runtime": 1.0, "epoch": 1.0, "step": 2},
        {"train_runtime": 9.0, "train_loss": 0.55, "rewards/accuracies": 0.75, "epoch": 1.0, "step": 2},
    ]
    table = table_of(rows, tmp_path)
    assert set(table.columns) == {
        ("loss", "train"), ("epoch", "train"), ("loss", "eval"), ("rewards/margins", "eval"), ("runtime", "eval"),
        ("epoch", "eval"),
    }  # fmt: skip
    assert table.summary == {
        "train_runtime": (9.0, 2), "train_loss": (0.55, 2), "rewards/accuracies": (0.75, 2), "epoch": (1.0, 2)
    }  # fmt: skip
    assert table.problems == []


def test_a_mean_without_runtime_closes_only_when_it_stands_alone(tmp_path: Path) -> None:
    alone = table_of([*steps(2), {"train_loss": 0.6, "step": 2}], tmp_path)
    assert alone.summary == {"train_loss": (0.6, 2)}
    often = table_of([{"train_loss": 0.6, "step": 1}, {"train_loss": 0.5, "step": 2}], tmp_path)
    assert often.summary == {}
    assert often.columns["train_loss", "train"].values.tolist() == [0.6, 0.5]


@pytest.mark.parametrize(
    ("row", "split", "name"),
    [
        ({"eval_near_loss": 1.0, "eval_near_runtime": 2.0}, "eval:near", "loss"),
        ({"eval_far_off_loss": 1.0, "eval_far_off_runtime": 2.0}, "eval:far_off", "runtime"),
        (
            {"eval_near_loss": 1.0, "eval_near_runtime": 2.0, "eval_rewards/margins": 3.0},
            "eval:near",
            "rewards/margins",
        ),
        ({"eval_nll_loss": 1.0, "eval_loss": 2.0, "eval_runtime": 3.0}, "eval", "nll_loss"),
        ({"eval_loss": 2.0}, "eval", "loss"),
        ({"eval_near_loss": 1.0}, "eval:near", "loss"),
        ({"test_loss": 2.0}, "test", "loss"),
        ({"predict_bleu": 2.0}, "test", "bleu"),
        ({"reward": 2.0, "kl": 0.1}, "train", "kl"),
        ({"eval_loss": 2.0, "loss": 0.3}, "train", "loss"),
    ],
)
def test_splits(row: dict[str, float], split: str, name: str, tmp_path: Path) -> None:
    assert (name, split) in table_of([row | {"step": 1}], tmp_path).columns


def test_a_plain_evaluation_beside_named_ones(tmp_path: Path) -> None:
    rows = [
        {"eval_loss": 1.0, "eval_runtime": 1.0, "eval_nll_loss": 4.0, "step": 1},
        {"eval_near_loss": 2.0, "eval_near_runtime": 1.0, "eval_rewards/margins": 5.0, "step": 1},
    ]
    columns = table_of(rows, tmp_path).columns
    assert {place: column.values.tolist() for place, column in columns.items() if place[0] != "runtime"} == {
        ("loss", "eval"): [1.0],
        ("nll_loss", "eval"): [4.0],
        ("loss", "eval:near"): [2.0],
        ("rewards/margins", "eval:near"): [5.0],
    }


def test_an_evaluation_that_is_repeated(tmp_path: Path) -> None:
    first = {"eval_loss": 0.5, "eval_runtime": 1.0, "step": 4}
    equal = table_of([first, first | {"eval_runtime": 2.0}], tmp_path)
    assert equal.columns["loss", "eval"].values.tolist() == [0.5]
    assert equal.problems == []
    other = table_of([first, first | {"eval_loss": 0.25}], tmp_path)
    assert other.columns["loss", "eval"].values.tolist() == [0.5]
    assert "stand twice at step 4; the first was kept" in other.problems[0]


def test_whose_weights_a_repeated_evaluation_is_of(tmp_path: Path) -> None:
    def said(*losses: tuple[int, float]) -> str:
        rows = [
            {"eval_loss": loss, "eval_accuracy": 1.0, "eval_runtime": place / 7, "eval_num_tokens": place, "step": step}
            for place, (step, loss) in enumerate(losses)
        ]
        (told,) = table_of(rows, tmp_path).problems
        return told.partition("the first was kept: ")[2]

    unknown = "an evaluation repeated later may be of other weights"
    assert (
        said((2, 0.5), (4, 0.6), (6, 0.7), (6, 0.6)) == "the other is of the weights of step 4, whose values it repeats"
    )
    assert said((2, 0.5), (4, 0.6), (6, 0.7), (6, 0.55)) == unknown  # as nowhere before
    assert said((2, 0.6), (4, 0.6), (6, 0.7), (6, 0.6)) == unknown  # of two steps
    assert said((2, 0.5), (4, 0.6), (4, 0.5), (6, 0.7), (6, 0.6)) == unknown  # several times


def test_a_training_step_that_was_done_again_counts_as_done_last(tmp_path: Path) -> None:
    table = table_of([*steps(3), {"loss": 9.0, "step": 2}, {"loss": 8.0, "step": 3}], tmp_path)
    assert table.columns["loss", "train"].values.tolist() == [pytest.approx(0.69), 9.0, 8.0]
    assert table.columns["loss", "train"].rows.tolist() == [0, 3, 4]
    assert "train rows with different values stand twice at step 2, 3; the last was kept" in table.problems[0]


def test_each_kind_of_broken_row_is_told_once(tmp_path: Path) -> None:
    rows = [
        {"loss": "0.5", "step": 1},
        {"loss": "0.4", "step": 2},
        {"loss": 0.3},
        5,
        {"loss": None, "step": 3},
        {"step": "4", "a": 1},
    ]
    table = table_of(rows, tmp_path)
    assert table.columns == {}
    assert sorted(table.problems) == [
        "log_history: rows that are no objects (1 ×, first in row 3), left out",
        "log_history: rows without a step (2 ×, first in row 2), left out",
        "log_history: texts in place of numbers (3 ×, first in row 0), left out",
        "log_history: values that are null (1 ×, first in row 4), left out",
    ]


def test_zero_and_negative_zero_are_values(tmp_path: Path) -> None:
    table = table_of([{"loss": 0.0, "step": 0}, {"loss": -0.0, "step": 1}], tmp_path)
    assert table.columns["loss", "train"].values.tolist() == [0.0, 0.0]
    assert table.columns["loss", "train"].steps.tolist() == [0.0, 1.0]
