"""What the authors of plugins are given for their tests."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dpo_report import testing
from dpo_report.core.contract import Check, Metric, found
from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.model import Problem, Value
from dpo_report.core.text import say

RUN = Path(__file__).parents[1] / "examples" / "runs" / "kg-8pairs-log1"


class Lowest:
    """A plugin of one metric and one rule."""

    @hookimpl
    def register_metrics(self):
        def lowest(run):
            series = run.get("loss")
            return Value("loss.train.lowest", float(np.nanmin(series.values)), (series.source,), kind="loss")

        return [Metric("loss.train.lowest", "lowest logged loss", lowest, needs=("loss",))]

    @hookimpl
    def register_checks(self):
        def explain(run, values):
            return found(say("The lowest loss was {x}.", x=f"{values['loss.train.lowest'].value:.2f}"))

        return [Check("X1", "Lowest loss", explain, needs=("value:loss.train.lowest",))]


class Raises:
    """A plugin whose metric raises."""

    @hookimpl
    def register_metrics(self):
        return [Metric("x.y", "x", lambda run: 1 / 0)]


class IllMade:
    """A plugin that declares something else than a metric."""

    @hookimpl
    def register_metrics(self):
        return ["loss"]


def test_a_made_run_goes_through_the_whole_analysis():
    run = testing.made_run(loss=[0.69, 0.5, 0.4], rewards__margins=[0, 1, 2], settings={"beta": 0.1}, every=10)
    assert run.global_step == 30
    assert list(run.get("rewards/margins").steps) == [10, 20, 30]
    assert str(run.get("loss").source_at(1)) == "trainer_state.json: log_history[1].loss"
    assert testing.value(run, "loss.train.lowest", Lowest()).value == 0.4
    assert testing.sentence(run, "X1", Lowest()) == "The lowest loss was 0.40."
    assert testing.finding(testing.made_run(), "X1", Lowest()).status == "not_applicable"
    assert testing.sentence(testing.made_run(), "X1", Lowest()) == ""


def test_problems_of_the_run_are_no_failure_of_a_plugin():
    torn = Problem("a.json", "torn")
    assert torn in testing.analysed(testing.made_run(loss=[1.0], problems=[torn]), Lowest()).problems


def test_what_a_plugin_does_wrong_fails_the_test():
    with pytest.raises(AssertionError, match=r"plugin Raises: metric x\.y failed: ZeroDivisionError"):
        testing.analysed(testing.made_run(loss=[1.0]), Raises())
    with pytest.raises(AssertionError, match=r"plugin IllMade: register_metrics"):
        testing.host_of(IllMade())


def test_a_host_holds_what_it_is_given():
    assert [plugin.name for plugin in testing.host_of(Lowest(), builtin=False).plugins] == ["Lowest"]
    assert [plugin.source for plugin in testing.host_of(Lowest()).plugins][-1] == "given"


def test_a_report_is_made_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    files = testing.report_files(RUN, "markdown", Lowest())
    assert b"lowest logged loss" in files["report.json"]
    assert files["report.md"].startswith(b"# Training report: kg-8pairs-log1")
    assert not (RUN / "report").exists()


def test_the_fixtures_block_discovery(tmp_path):
    """In a process of its own, with an installed plugin beside it that spoils everything."""
    site = tmp_path / "site"
    info = site / "spoil-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: spoil\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dpo_report]\nspoil = spoil\n")
    (site / "spoil.py").write_text("raise RuntimeError('found')\n")
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "conftest.py").write_text('pytest_plugins = ["dpo_report.testing"]\n')
    (tests / "test_it.py").write_text(
        "from dpo_report.core.manager import default_host\n\n"
        "def test_found():\n    assert 'spoil' in [p.name for p in default_host().plugins]\n\n"
        "def test_blocked(no_discovery):\n    assert 'spoil' not in [p.name for p in default_host().plugins]\n\n"
        "def test_host(dpo_host):\n    assert dpo_host().problems == default_host().problems == ()\n\n"
        "def test_found_again():\n    assert 'spoil' in [p.name for p in default_host().plugins]\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(site), "DPO_REPORT_DISABLE_PLUGINS": ""}
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120)
    assert "4 passed" in done.stdout, done.stdout + done.stderr
