"""Tables that are taken in by columns tell what the same tables tell row by row."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpo_report.core.contract import Reader
from dpo_report.core.folder import Folder
from dpo_report.plugins.readers import layout, lightning, llamafactory, nanogpt
from dpo_report.plugins.readers.regular import Table, csv_table, json_table

CELLS = st.sampled_from(
    [
        "",
        "0.5",
        "-1e-3",
        "nan",
        "inf",
        "1_0",
        " 2 ",
        "85%",
        "tensor(0.25)",
        "none",
        "step",
        "1,5",
        '"3"',
        "#4",
        "\t",
        "é",
    ]
)
VALUES = st.sampled_from(
    [None, 0.5, -1e-3, 7, 10**30, True, "0.5", "0:01:02", [1], {"a": 1}, float("nan"), float("-inf"), "é", '"', "#"]
)
BREAKS = st.sampled_from(["\n"] * 20 + ["\r\n", "\r", "\n\n", "", ","])
STEPS = st.sampled_from(["0", "1", "1", "2", "3", "4", "10", "x", ""])


@st.composite
def csv_text(draw: st.DrawFn) -> str:
    """Lightning's table, with a little of what may be wrong with it."""
    header = draw(st.permutations(["epoch", "step", "train_loss_step", "val_loss"]))
    rows = draw(st.lists(st.tuples(STEPS, CELLS, CELLS), max_size=6))
    if draw(st.booleans()):
        rows.sort()
    lines = [",".join(header)]
    for step, loss, held in rows:
        cells = {"epoch": "0", "step": step, "train_loss_step": loss, "val_loss": held}
        lines.append(",".join(cells[name] for name in header))
    if draw(st.integers(0, 5)) == 0:
        lines.insert(
            draw(st.integers(0, len(lines))), draw(st.sampled_from([lines[0], "", "1,2", "a,b,c,d", "# note"]))
        )
    return "".join(line + draw(BREAKS) for line in lines)


@st.composite
def json_text(draw: st.DrawFn) -> str:
    """LLaMA-Factory's log, with a little of what may be wrong with it."""
    keys = st.sampled_from(["loss", "eval_loss", "lr", "accuracy", "elapsed_time", "epoch"])
    rows = draw(st.lists(st.dictionaries(keys, VALUES, max_size=4), max_size=6))
    steps = draw(st.lists(st.sampled_from([1, 2, 3, 4, 5, 5.5, "6", None]), min_size=len(rows), max_size=len(rows)))
    if draw(st.booleans()):
        steps = list(range(1, len(rows) + 1))
    lines = [json.dumps({"current_steps": step, "total_steps": 9} | row) for step, row in zip(steps, rows, strict=True)]
    if draw(st.integers(0, 5)) == 0:
        odd = st.sampled_from(["[]", "", "{}", '{"loss": 1', "3", '{"a":\n{"b": 1}}', '{"a": 1}{"a": 2}'])
        lines.insert(draw(st.integers(0, len(lines))), draw(odd))
    return "".join(line + draw(BREAKS) for line in lines)


PLAIN = st.lists(st.tuples(STEPS, st.sampled_from(["train", "val", "lr"]), CELLS), max_size=6).map(
    lambda rows: "".join(f"{step} {word} {value}\n" for step, word, value in rows)
)
KINDS = {
    "csv": ("metrics.csv", lightning.READER, csv_text()),
    "jsonl": ("trainer_log.jsonl", llamafactory.READER, json_text()),
    "txt": ("log.txt", nanogpt.READER, PLAIN),
}


def told(reader: Reader, file: Path) -> str:
    """Everything that a reader makes of a file."""
    return "\n".join(
        repr(
            (
                witness,
                [(one.name, one.split, one.steps.tolist(), one.values.tolist(), one.rows) for one in witness.series],
            )
        )
        for witness in reader.read(Folder.open(file))
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data())
def test_columns_tell_what_rows_tell(
    kind: str, data: st.DataObject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, reader, texts = KINDS[kind]
    file = tmp_path / name
    file.write_bytes(data.draw(texts).encode())
    at_once = told(reader, file)
    with monkeypatch.context() as patch:
        patch.setattr(layout, "WHOLE", 0)
        assert told(reader, file) == at_once


def test_what_is_regular_is_taken_in_by_columns() -> None:
    table = csv_table(b"epoch,step,loss\r\n0,1,0.5\r\n0,2,\r\n")
    assert table is not None and table.last == {"epoch": "0", "step": "2", "loss": ""}
    rows = json_table(b'{"step": 1, "loss": 0.5}\n{"step": 2, "eval_loss": 0.25}\n')
    assert rows is not None and rows.last == {"step": 2, "loss": 0.5, "eval_loss": 0.25}
    assert rows.columns["eval_loss"].rows == [1]


NO_CSV = (
    b"",
    b"a,b\n1,2",
    b"a,b\n1,2\n3\n",
    b"a,b\n1,2\na,b\n",
    b'a,b\n"1",2\n',
    b"# a\na,b\n1,2\n",
    b"a;b\n1;2\n",
    b"\xff\n",
)
NO_OBJECTS = (
    *(b"", b'{"a": 1}', b'{"a":\n{"b": 1}}\n', b'{"a": 1}{"a": 2}\n', b'{"a": 1}\n\n', b'{"a": NaN}\n'),
    *(b"[1]\n", b"\xff\n"),
)


@pytest.mark.parametrize(
    ("table", "text"), [*((csv_table, text) for text in NO_CSV), *((json_table, text) for text in NO_OBJECTS)]
)
def test_what_is_not_regular_is_left_to_the_rows(table: Callable[[bytes], Table | None], text: bytes) -> None:
    assert table(text) is None
