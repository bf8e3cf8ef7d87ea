"""W&B runs as scripts log them without a trainer: their own counts of steps, pictures and tables beside the curves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from binary import field, leveldb
from dpo_report.core.folder import Folder
from dpo_report.core.model import Witness
from dpo_report.plugins.readers.wandb.witness import READER
from witnesses import points, told

HEADER = b":W&B\xe1\xbe\x00"


def items(values: Mapping[str, object]) -> bytes:
    """Items under a list of keys, one for each part, as later releases write nested values."""

    def keys(name: str) -> bytes:
        parts = name.split(".")
        return field(1, name) if len(parts) == 1 else b"".join(field(2, part) for part in parts)

    return b"".join(field(1, keys(key) + field(16, json.dumps(value))) for key, value in values.items())


def row(step: int, values: Mapping[str, object]) -> bytes:
    return field(2, items({**values, "_step": step}))


def metric(name: str, axis: str = "") -> bytes:
    return field(12, field(2 if "*" in name else 1, name) + (field(4, axis) if axis else b""))


def read(folder: Path, *records: bytes) -> Witness:
    (folder / "run-id.wandb").write_bytes(leveldb(HEADER, [field(17, field(1, "id")), *records]))
    (found,) = READER.read(Folder.open(folder))
    return found


def test_the_step_that_the_script_defined(tmp_path: Path) -> None:
    rows = [row(place, {"train/step": place * 100, "train/loss": 1 / (1 + place)}) for place in range(3)]
    rows.append(row(3, {"val/epoch": 0, "val/loss": 0.9}))
    run = read(tmp_path, metric("train/step"), metric("train/*", "train/step"), metric("val/*", "val/epoch"), *rows)
    assert points(run, "loss") == {0: 1, 100: 0.5, 200: pytest.approx(1 / 3)}
    assert points(run, "loss", "eval") == {200: 0.9}
    assert run.global_step == 200 and "W&B's own count" not in told(run)
    assert "step" not in {series.name for series in run.series}


@pytest.mark.parametrize(
    "metrics",
    [
        (metric("train/loss", "epoch"),),
        (metric("train/loss", "train/epoch"),),
        (metric("train/loss", "train/never_logged_step"),),
        (metric("train/loss", "a_step"), metric("train/acc", "b_step")),
        (metric("train/loss", "a_step"),),
    ],
)
def test_without_one_step_for_all_curves_rows_are_counted(metrics: tuple[bytes, ...], tmp_path: Path) -> None:
    values = {"epoch": 7, "train/epoch": 7, "a_step": 50, "b_step": 60, "train/loss": 0.5, "train/acc": 0.1}
    run = read(tmp_path, *metrics, row(0, values), row(1, values))
    assert set(points(run, "loss")) == {0, 1} and "W&B's own count" in told(run)


def test_parts_of_pictures_and_tables_are_no_curves(tmp_path: Path) -> None:
    picture = {"pic._type": "image-file", "pic.width": 4, "pic.size": 69, "nested.a": 1.5}
    summary = field(3, items({**picture, "best": 0.25}))
    run = read(tmp_path, *[row(place, {**picture, "loss": 0.5}) for place in range(2)], summary)
    assert {series.name for series in run.series} == {"nested.a", "loss"}
    assert set(run.summary) == {"best"}
