"""Where no rule could be applied, a report says that and why, and makes no claim in either direction."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import made
from dpo_report.core.analysis import analyse
from dpo_report.core.build import build_runs
from dpo_report.core.cli import main
from dpo_report.core.contract import Check, passed
from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.manager import Host, builtin
from dpo_report.core.outline import Outline

RUN = Path(__file__).parents[1] / "examples" / "runs" / "kg-8pairs-log1"
CHECKS = "dpo_report.plugins.checks"
CLAIMS = ("carries no claim", "No claim", "This run shows at most", "does not show that", "Nothing in this run speaks",
          "would license", "These were applied")  # fmt: skip


@pytest.mark.parametrize("family", ["latex", "markdown", "html", "typst", "modelcard"])
def test_rules_that_fail_to_load_are_told_and_nothing_is_claimed(family, tmp_path):
    modules = tuple("dpo_report.plugins.broken" if module == CHECKS else module for module in builtin())
    (report,) = build_runs(RUN, family, tmp_path / "out", Host(discover=False, modules=modules))
    files = [file for file in report.files if file.suffix in (".tex", ".md", ".html", ".typ")]
    text = " ".join(" ".join(file.read_text().split()) for file in files)
    assert "The rules could not be applied (plugin broken" in text
    assert "No module named" in text
    assert [words for words in CLAIMS if words in text] == []
    claims = json.loads((report.directory / "report.json").read_text())["runs"][0]["claims"]
    assert claims["unjudged"].startswith("plugin broken")
    assert (claims["level"], claims["allowed"], claims["blocked"]) == (-1, [], [])


def test_rules_that_were_left_out_are_told(capsys):
    assert main(["inspect", str(RUN), "--no-plugin", "checks"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "The rules could not be applied (left out: checks)" in text
    assert "It supports" not in text


def test_a_rule_that_failed_may_have_shown_more():
    class Failing:
        @hookimpl
        def register_checks(self):
            return [Check("X1", "Broken", lambda run, values: 1 / 0), Check("X2", "Fine", lambda run, values: passed())]

    host = Host(discover=False, modules=(), extra=[Failing()])
    told = Outline(analyse(made.run(), host))
    assert told.claim == "This run carries no claim: rules failed (X1), so what they would have shown is not known."
    assert (
        "not even that training ran to its planned end" in Outline(made.analysis(made.run(status="incomplete"))).claim
    )


@pytest.mark.parametrize(
    ("ended", "why"),
    [
        ({"max_steps": None}, "it records that training ended, but not how many steps were planned."),
        ({"global_step": None}, "it records that training ended, but not how many steps were taken."),
    ],
)
def test_a_run_that_ended_without_its_counts_is_not_said_to_have_stopped_early(ended, why):
    told = Outline(made.analysis(replace(made.run(steps=4), **ended)))
    assert told.subtitle.startswith("trl.DPOTrainer, completed")
    assert told.claim.startswith(f"This run carries no claim: {why} It does not show")
    assert told.claim.endswith("let training run to its planned last step, and record which that is.")


def test_without_rules_no_paper_is_checked(tmp_path, capsys):
    paper = tmp_path / "paper.md"
    paper.write_text("The trained model is safe.\n")
    assert main(["check", str(paper), str(RUN), "--no-plugin", "checks"]) == 2
    assert "the rules could not be applied (left out: checks)" in capsys.readouterr().err
