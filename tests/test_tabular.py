"""Tables from anywhere: what is well formed comes out as written, what is not comes out as far as it goes."""

import csv
import io
import json
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpo_report.core.folder import Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.tabular import Row, columns, read_csv, read_jsonl, separator

NAMES = st.text("abcdefgh_/", min_size=1, max_size=6)
NUMBERS = st.floats(width=64) | st.none()


def rows(content: bytes, kind: str = "csv") -> tuple[list[Row], list[Problem]]:
    with tempfile.TemporaryDirectory() as home:
        file = Path(home) / f"table.{kind}"
        file.write_bytes(content)
        folder = Folder.open(file)
        problems: list[Problem] = []
        found = list((read_jsonl if kind == "jsonl" else read_csv)(folder, folder.entries[0], problems))
    return found, problems


def messages(problems: list[Problem]) -> str:
    return "\n".join(problem.message for problem in problems)


@given(
    st.lists(NAMES, min_size=2, max_size=5, unique=True),
    st.lists(st.lists(NUMBERS, min_size=5, max_size=5), max_size=8),
    st.sampled_from(",\t;|"),
)
def test_every_number_comes_back(names: list[str], table: list[list[float | None]], cut: str) -> None:
    names = ["step", *names]
    if len(set(names)) < len(names):
        names = names[:1] + [f"{name}{place}" for place, name in enumerate(names[1:])]
    content = io.StringIO()
    writer = csv.writer(content, delimiter=cut, lineterminator="\n")
    writer.writerow(names)
    kept = [
        [place, *("" if cell is None else repr(cell) for cell in row)][: len(names)] for place, row in enumerate(table)
    ]
    kept = [row + [""] * (len(names) - len(row)) for row in kept]
    writer.writerows(kept)
    found, problems = rows(content.getvalue().encode())
    assert problems == [] and len(found) == len(kept)
    for row, made in zip(found, kept, strict=True):
        for name, cell in zip(names, made, strict=True):
            read, wanted = number(row.cells[name]), number(str(cell))
            assert read == wanted or (
                read is not None and wanted is not None and math.isnan(read) and math.isnan(wanted)
            )


@given(st.binary(max_size=400), st.sampled_from(["csv", "jsonl"]))
def test_no_bytes_raise(content: bytes, kind: str) -> None:
    found, _ = rows(content, kind)
    assert all(row.line >= 1 for row in found)


@given(st.text("0123456789eE+-.,;\t\n\"'naif{}[]:step", max_size=300), st.sampled_from(["csv", "jsonl"]))
def test_no_text_raises(content: str, kind: str) -> None:
    rows(content.encode(), kind)


@given(
    st.lists(
        st.dictionaries(NAMES, st.floats(allow_nan=False) | st.text(max_size=5) | st.none(), max_size=4), max_size=6
    )
)
def test_json_lines_come_back(objects: list[dict[str, object]]) -> None:
    found, _ = rows("".join(json.dumps(one) + "\n" for one in objects).encode(), "jsonl")
    assert [dict(row.cells) for row in found] == objects


def test_lines_are_those_of_the_file() -> None:
    found, _ = rows(b"# a comment\n\nstep,loss\n1,0.5\n\n2,0.4\n")
    assert [(row.line, row.cells["loss"]) for row in found] == [(4, "0.5"), (6, "0.4")]


def test_a_header_in_the_middle_begins_anew_and_may_change_the_columns() -> None:
    found, _ = rows(b"epoch,loss\n0,0.5\nepoch,loss,acc\n0,0.4,0.9\n")
    assert [row.fresh for row in found] == [False, True]
    assert dict(found[1].cells) == {"epoch": "0", "loss": "0.4", "acc": "0.9"}


def test_rows_of_other_lengths_are_told() -> None:
    found, problems = rows(b"step,loss,acc\n1,0.5\n2,0.4,0.9,7\n3,0.3,0.8\n")
    assert [row.cells.get("acc") for row in found] == [None, "0.9", "0.8"]
    assert "as many cells as the header" in messages(problems) and "2 ×, first in line 2" in messages(problems)


def test_a_cut_last_row_is_left_out() -> None:
    found, problems = rows(b"step,loss,acc\n1,0.5,0.9\n2,0.")
    assert len(found) == 1 and "the last row is cut off" in messages(problems)


def test_a_cut_last_object_is_left_out() -> None:
    found, problems = rows(b'{"step": 1}\n{"step": 2, "lo', "jsonl")
    assert len(found) == 1 and "the last line is cut off" in messages(problems)


def test_a_broken_object_in_the_middle_is_told_with_its_line() -> None:
    found, problems = rows(b'{"step": 1}\n{broken\n[1, 2]\n{"step": 2}\n', "jsonl")
    assert [row.cells["step"] for row in found] == [1, 2]
    assert "not valid JSON, left out (1 ×, first in line 2)" in messages(problems)


@pytest.mark.parametrize(
    "table",
    ["step\tloss\tacc\n1\t0,5\t3\n2\t1,234\t0,9\n", "step|loss\n1|0,5\n2|1,234\n", 'step,loss\n1,"0,5"\n2,"1,234"\n'],
)
def test_decimal_commas_are_read_whatever_cuts_the_table(table: str) -> None:
    found, problems = rows(table.encode())
    assert [number(row.cells["loss"]) for row in found] == [0.5, 1.234] and problems == []


def test_a_comma_that_may_stand_for_thousands_is_told() -> None:
    found, problems = rows(b"step\tloss\n1\t1,234\n2\t2,345\n3\t0.5\n")
    assert [number(row.cells["loss"]) for row in found] == [None, None, 0.5]
    assert "numbers like 1,234 (1.234 or 1234?), which are left out (2 ×, first in line 2)" in messages(problems)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_encodings(encoding: str) -> None:
    found, problems = rows("step,lößs\n1,0.5\n".encode(encoding))
    assert dict(found[0].cells) == {"step": "1", "lößs": "0.5"} and problems == []


def test_other_encodings_are_told_and_the_numbers_are_kept() -> None:
    found, problems = rows("step,lößs,loss\n1,2,0.5\n".encode("latin-1"))
    assert found[0].cells["loss"] == "0.5" and "no UTF-8 text" in messages(problems)


def test_an_empty_file_and_a_pointer_are_told() -> None:
    assert "is empty" in messages(rows(b"")[1])
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    assert "Git LFS pointer" in messages(rows(pointer)[1])


def test_a_line_without_end_is_left_out() -> None:
    found, problems = rows(b"step,loss\n1,0.5\n" + b"9" * (17 << 20) + b"\n2,0.4\n")
    assert [row.cells["step"] for row in found] == ["1", "2"] and "longer than 16 MiB" in messages(problems)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5),
        (" 1e-3 ", 1e-3),
        ("85.5%", 85.5),
        ("-inf", -math.inf),
        ("tensor([2.5])", 2.5),
        ("None", None),
        ("1_0", None),
    ],
)
def test_numbers(text: str, value: float | None) -> None:
    assert number(text) == value


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()))
def test_anything_is_a_number_or_none(value: object) -> None:
    assert number(value) is None or isinstance(number(value), float)


def test_headers() -> None:
    assert columns('#step,"a, b",c') == ["step", "a, b", "c"]
    assert separator("a\tb\tc,d") == "\t"
