"""report.json: strict, stable, in the documented form, and silent about the machine it was made on."""

import json
import math
import os
import shutil
import socket
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import made
from dpo_report.core import export
from dpo_report.core.build import build_runs
from dpo_report.core.model import Series, Setting, Source
from dpo_report.core.portable import portable
from typeset import hostile_run

RUNS = Path(__file__).parent / "runs"
SCHEMA = json.loads((files("dpo_report.core") / "report.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def no_constant(text):
    raise AssertionError(f"{text} is no JSON")


def exported(run, figures=None):
    document = export.dumps(export.report([made.analysis(run)], "1.2.3", figures))
    return json.loads(document, parse_constant=no_constant)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "name", sorted(path.name for path in RUNS.iterdir() if path.is_dir() and path.name != "two-runs-one-folder")
)
def test_every_run_gives_a_valid_report(name, tmp_path):
    folders = [RUNS / name] if name != "dpo-seeds" else sorted(p for p in (RUNS / name).iterdir() if p.is_dir())
    for folder in folders:
        (report,) = build_runs(folder, ["json"], tmp_path / folder.name)
        assert [path.name for path in report.files] == ["report.json"]
        text = report.files[0].read_text(encoding="utf-8")
        VALIDATOR.validate(json.loads(text, parse_constant=no_constant))
        assert str(RUNS) not in text
        assert socket.gethostname() not in text.replace(folder.name, "")


def test_a_hostile_run_gives_a_valid_report(tmp_path):
    (report,) = build_runs(hostile_run(tmp_path), ["json"], tmp_path / "out")
    document = json.loads(report.files[0].read_bytes(), parse_constant=no_constant)
    VALIDATOR.validate(document)
    assert document["runs"][0]["directory"] == "run_50% #1 & {x} $y$ ^^41 中文"


def test_it_is_known_by_its_first_bytes():
    head = export.dumps(export.report([], "1"))[:300]
    assert b'"name": "dpo-report"' in head


def test_numbers_that_are_none_are_words():
    run = made.run(loss=[0.7, math.nan, math.inf, -math.inf, 0.5])
    (loss,) = (s for s in exported(run)["runs"][0]["series"] if s["name"] == "loss")
    assert (loss["points"], loss["nonfinite"]) == (5, 3)
    assert (loss["min"], loss["max"]) == ({"step": 5, "value": 0.5}, {"step": 1, "value": 0.7})
    nothing = exported(made.run(loss=[math.nan, -math.inf]))["runs"][0]["series"][0]
    assert (nothing["first"]["value"], nothing["last"]["value"]) == ("NaN", "-Infinity")
    assert (nothing["min"], nothing["max"]) == (None, None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(max_size=3),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
        max_leaves=8,
    )
)
def test_any_setting_can_be_written(value):
    written = export.dumps({"value": value})
    json.loads(written, parse_constant=no_constant)
    written.decode("utf-8")


def test_values_carry_their_places():
    (run,) = exported(made.run(loss=np.linspace(0.69, 0.1, 40)), {"loss": ["figures/loss.pdf"]})["runs"]
    last = next(value for value in run["values"] if value["name"] == "loss.train.last")
    assert last["sources"] == [{"file": "trainer_state.json", "where": "log_history[39].loss"}]
    assert next(f for f in run["figures"] if f["name"] == "loss")["files"] == ["figures/loss.pdf"]
    found = next(f for f in run["findings"] if f["code"] == "C4")
    assert (found["status"], found["evidence"]) == (
        "found", ["loss.train.median_first", "loss.train.median_last", "loss.train.reduction"],
    )  # fmt: skip


def test_no_path_of_the_machine_is_told():
    home = f"/home/{os.environ.get('USER', 'ada')}/secret/out"
    setting = Setting("output_dir", home, Source("training_args.bin", "output_dir"))
    run = replace(
        made.first_user(),
        directory=Path(home),
        settings={"output_dir": setting, "nested": replace(setting, value=[home])},
    )
    text = json.dumps(exported(run), ensure_ascii=False)
    assert "secret" not in text
    assert "…/out" in text


@pytest.mark.parametrize("text", ["org/model", "a b/c", "/", "rewards/margins", "1/2", "http://x.y/z"])
def test_what_is_no_absolute_path_stays(text):
    assert portable(text) == text


def test_a_value_of_very_many_rows_names_the_first_and_the_last():
    """A million rows must not become a million sources."""
    (run,) = exported(made.run(loss=[0.7 - step / 9999 for step in range(2000)]))["runs"]
    (first,) = [value for value in run["values"] if value["name"] == "loss.train.median_first"]
    (source,) = first["sources"]
    assert " to " in source["where"]
    assert max(len(value["sources"]) for value in run["values"]) <= 20


def test_the_places_of_points_are_listed_by_file():
    rows = np.arange(50)
    which = (rows > 30).astype(np.int64)
    sources = (Source("a.csv", "line {row}"), Source("b.csv", "line {row}"))
    series = Series("loss", "train", rows.astype(float), rows.astype(float), sources, rows + 2, which)
    assert [str(one) for one in series.sources_at(np.array([0, 49]))] == ["a.csv: line 2", "b.csv: line 51"]
    assert [str(one) for one in series.sources_at(rows)] == ["a.csv: line 2 to 32", "b.csv: line 33 to 51"]


def test_a_series_names_every_file_that_gave_points(tmp_path):
    """Of a killed run the last steps stand in the event file only."""
    shutil.copytree(RUNS / "dpo-killed", tmp_path / "run", ignore=shutil.ignore_patterns("checkpoint-8"))
    (report,) = build_runs(tmp_path / "run", ["json"], tmp_path / "out")
    (run,) = json.loads(report.files[0].read_bytes())["runs"]
    loss = next(one for one in run["series"] if (one["name"], one["split"]) == ("loss", "train"))
    assert sum(source["points"] for source in loss["sources"]) == loss["points"]
    first, second = loss["sources"]
    assert {key: first[key] for key in ("file", "where")} == loss["source"]
    assert first["file"] == "checkpoint-4/trainer_state.json" and first["points"] == second["points"] == 4
    assert "tfevents" in second["file"]
