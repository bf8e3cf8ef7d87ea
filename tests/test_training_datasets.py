"""Pairs that are no text file: Parquet, the folder of a data set, a data set's name with and without its cache."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

from dpo_report.core.errors import ReportError
from dpo_report.plugins.training import pairs
from training import call, needs_torch, start

pytestmark = needs_torch
PLAIN = [{"prompt": f"p{i}", "chosen": "yes", "rejected": "no"} for i in range(4)]
CHAT = [
    {
        "prompt": [{"role": "user", "content": row["prompt"]}],
        **{name: [{"role": "assistant", "content": row[name]}] for name in ("chosen", "rejected")},
    }
    for row in PLAIN
]


@pytest.fixture(autouse=True)
def _their_warnings() -> Any:
    """What the libraries warn of is theirs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check(source: Path | str, folder: Path) -> list[str]:
    """A command line that only looks at the pairs."""
    return ["train", "--model", "tiny", "--data", str(source), "--output-dir", str(folder / "run"), "--check-data"]


@pytest.mark.parametrize("rows", [PLAIN, CHAT], ids=["texts", "messages"])
def test_parquet_gives_the_pairs_that_went_in(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow
    import pyarrow.parquet

    file = tmp_path / "pairs.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([*rows, {"prompt": rows[0]["prompt"]}]), file)
    found = pairs.read_pairs(str(file))
    assert [pair.columns() for pair in found.pairs] == rows and len(found.sha256) == 64
    assert found.faults == [(5, "has no chosen and no rejected")]


def test_a_broken_parquet_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pairs.parquet").write_bytes(b"PAR1 and then nothing")
    assert call(check(tmp_path / "pairs.parquet", tmp_path)) == 1
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and "cannot read" in error[0] and "pairs.parquet" in error[0]


@pytest.mark.parametrize("kind", ["saved", "saved splits", "parquet files"])
def test_the_folder_of_a_data_set_is_read(tmp_path: Path, kind: str) -> None:
    from datasets import Dataset, DatasetDict, disable_progress_bars

    disable_progress_bars()
    made, folder = Dataset.from_list(PLAIN), tmp_path / "set"
    if kind == "saved":
        made.save_to_disk(folder)
    elif kind == "saved splits":
        DatasetDict(train=made).save_to_disk(folder)
    else:
        (folder / "data").mkdir(parents=True)
        made.to_parquet(folder / "data" / "train-00000-of-00001.parquet")
    found = pairs.read_pairs(str(folder))
    assert [pair.columns() for pair in found.pairs] == PLAIN and found.name == "set"
    changed = pairs.read_pairs(str(write(tmp_path / "other", [*PLAIN[:3], {**PLAIN[3], "chosen": "other"}])))
    assert len(found.sha256) == 64 and changed.sha256 != found.sha256


def test_a_folder_that_holds_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot be read"):
        pairs.read_pairs(str(tmp_path))


def test_a_data_set_of_the_hub_comes_from_the_cache_where_there_is_no_network(tmp_path: Path) -> None:
    from datasets import disable_progress_bars, load_dataset

    disable_progress_bars()
    load_dataset(str(write(tmp_path / "set", PLAIN)), cache_dir=str(tmp_path / "made"))
    shutil.copytree(tmp_path / "made" / "set", tmp_path / "cache" / "someone___pairs")
    for file in (tmp_path / "cache").rglob("set-train.arrow"):
        file.rename(file.with_name("pairs-train.arrow"))
    process = start(check("someone/pairs", tmp_path), HF_HUB_OFFLINE="1", HF_DATASETS_CACHE=str(tmp_path / "cache"))
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 0 and "4 training pairs" in said, said


def test_a_data_set_out_of_reach_is_one_clear_line(tmp_path: Path) -> None:
    process = start(check("someone/pairs", tmp_path), HF_HUB_OFFLINE="1", HF_DATASETS_CACHE=str(tmp_path / "cache"))
    said = process.communicate(timeout=120)[0].splitlines()
    assert process.returncode == 1 and len(said) == 2, said
    assert said[0] == "dpo-report: the data set someone/pairs can be had neither here nor from the hub"
    assert not (tmp_path / "run").exists()


def write(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """A data set of one file."""
    folder.mkdir()
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
