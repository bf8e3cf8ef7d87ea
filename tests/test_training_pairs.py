"""Pairs are checked row by row before anything is trained."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from dpo_report.core.cli import main
from dpo_report.core.errors import ReportError
from dpo_report.plugins.training import pairs
from training import write_pairs

GOOD = {"prompt": "p", "chosen": "yes", "rejected": "no"}


def lines(path: Path, *rows: object) -> str:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return str(path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prompt": "p", "chosen": "a"}, "has no rejected"),
        ({"chosen": "a"}, "has no prompt and no rejected"),
        ({**GOOD, "rejected": " yes "}, "chosen and rejected are the same"),
        ({**GOOD, "chosen": "  "}, "chosen is empty"),
        ({**GOOD, "prompt": []}, "prompt is empty"),
        ({**GOOD, "prompt": 7}, "prompt is neither a text nor chat messages"),
        ({**GOOD, "chosen": [{"content": "x"}]}, "chosen holds something that is no message with a role"),
        ({**GOOD, "chosen": [{"role": "assistant", "content": None}]}, "holds a message whose content is no text"),
        ("{not json", "is not JSON"),
        ([1], "is no object with prompt, chosen and rejected"),
    ],
)
def test_a_faulty_row_is_left_out_and_told_by_its_number(tmp_path: Path, row: object, said: str) -> None:
    found = pairs.read_pairs(lines(tmp_path / "d.jsonl", GOOD, row, {**GOOD, "prompt": "q"}))
    assert [pair.row for pair in found.pairs] == [1, 3]
    assert found.faults[0][0] == 2 and said in found.faults[0][1]
    assert any(f"d.jsonl: row 2: {found.faults[0][1]}" in line for line in found.said())


def test_every_format_gives_the_same_pairs(tmp_path: Path) -> None:
    rows = [GOOD, {"prompt": 'q, "r"', "chosen": "line\nbreak", "rejected": "ü"}]
    jsonl = lines(tmp_path / "d.jsonl", *rows)
    (tmp_path / "d.json").write_text(json.dumps({"data": rows}))
    with (tmp_path / "d.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["prompt", "chosen", "rejected"])
        writer.writeheader()
        writer.writerows(rows)
    told = [[p.columns() for p in pairs.read_pairs(f).pairs] for f in (jsonl, *map(str, tmp_path.glob("d.[jc]s[ov]*")))]
    assert all(one == rows for one in told) and len(told) >= 3


def test_texts_among_messages_become_messages(tmp_path: Path) -> None:
    chat = {
        "prompt": [{"role": "user", "content": "p"}],
        "chosen": "a",
        "rejected": [{"role": "assistant", "content": "b"}],
    }
    found = pairs.read_pairs(lines(tmp_path / "d.jsonl", GOOD, chat))
    assert found.chat and found.pairs[0].prompt == [{"role": "user", "content": "p"}]
    assert found.pairs[1].chosen == [{"role": "assistant", "content": "a"}]


def test_repeated_rows_and_leaking_prompts_are_told(tmp_path: Path, capsys) -> None:
    train = lines(tmp_path / "t.jsonl", GOOD, GOOD, {**GOOD, "prompt": "q"})
    held = lines(tmp_path / "h.jsonl", {**GOOD, "prompt": " P "}, {**GOOD, "prompt": "new"})
    words = ["train", "--model", "tiny", "--output-dir", str(tmp_path / "o"), "--data", train, "--eval-data", held]
    assert main([*words, "--check-data"]) == 0
    error = capsys.readouterr().err
    assert "1 row repeats" in error and "1 held-out pair has its prompt in the training set too (rows 1" in error


def test_a_split_shares_no_prompt_and_is_the_same_again(tmp_path: Path) -> None:
    whole = pairs.read_pairs(str(write_pairs(tmp_path / "d.jsonl", 60)))
    train, held = pairs.split(whole, 0.2, 1)
    assert not pairs.leaked(train.pairs, held.pairs) and len(held.pairs) == 12 and len(train.pairs) == 48
    assert [p.row for p in pairs.split(whole, 0.2, 1)[1].pairs] == [p.row for p in held.pairs]
    with pytest.raises(ReportError, match="leaves one side empty"):
        pairs.split(whole, 0.001, 1)


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}'])
def test_a_file_without_pairs_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "d.jsonl").write_text(content)
    with pytest.raises(ReportError, match="holds no preference pair"):
        pairs.read_pairs(str(tmp_path / "d.jsonl"))


def test_a_missing_file_is_one_line(tmp_path: Path, capsys) -> None:
    words = ["train", "--model", "tiny", "--output-dir", str(tmp_path / "o"), "--data", str(tmp_path / "no.jsonl")]
    assert main(words) == 1
    assert "there is no data file" in capsys.readouterr().err
