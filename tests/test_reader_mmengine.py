"""MMEngine's rows: evaluations that count epochs, and those that count iterations."""

import json
from pathlib import Path

import pytest

from dpo_report.core.loader import load_all
from witnesses import FORMATS, points, read


@pytest.mark.parametrize("by", ["epoch", "iter"])
def test_evaluations_stand_at_the_iteration_before_them(by: str) -> None:
    log = FORMATS / "mmengine" / by / "vis_data" / "scalars.json"
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    (run,) = [one for one in read("mmengine", "mmengine") if one.folder == by]
    assert points(run, "loss") == {row["iter"]: row["loss"] for row in rows if "iter" in row}
    assert points(run, "mse", "eval") == dict(zip((8, 16, 24), [r["mse"] for r in rows if "mse" in r], strict=True))
    assert run.global_step == 24


def test_copies_and_the_printed_log_are_the_same_run(tmp_path: Path) -> None:
    rows = (FORMATS / "mmengine/epoch/vis_data/scalars.json").read_text()
    (tmp_path / "vis_data").mkdir()
    for name in ("scalars.json", "20261123_233221.json"):
        (tmp_path / "vis_data" / name).write_text(rows)
    line = "2026/11/23 - mmengine - INFO - Epoch(train) [1][{}/8]  lr: 1.0000e-01  time: 0.0114  loss: 2.0120\n"
    (tmp_path / "20261123_233221.log").write_text("".join(line.format(place) for place in (2, 4, 6, 8)))
    (run,) = load_all(tmp_path)
    assert run.reader == "mmengine" and run.global_step == 24
