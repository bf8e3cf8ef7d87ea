"""Claims: the evidence that each needs can be had, and is granted where it is."""

from __future__ import annotations

import ast
import math
from dataclasses import replace
from pathlib import Path

import pytest

import made
from dpo_report.core.contract import Claim, Threshold
from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.manager import Host
from dpo_report.plugins.claims import LADDER, OUTSIDE, PHRASES
from rules import big

HALF = Threshold("Z1.rows", 12, "rows")
CHECKS = Path(__file__).parents[1] / "plugins" / "checks"


def test_the_evidence_of_every_claim_is_granted_by_a_rule_or_is_known_to_stand_outside() -> None:
    words = {
        node.value
        for path in CHECKS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    needed = {flag for claim in (*LADDER, *PHRASES) for flag in claim.needs}
    assert needed - words == OUTSIDE


def _allowed(run: object, words: str) -> bool:
    return next(v.allowed for v in made.analysis(run).verdicts if v.text == words)  # type: ignore[arg-type]


def test_no_run_makes_its_mean_a_final_loss_nor_a_change_one_in_per_cent() -> None:
    for run in (big(), made.first_user(), big(loss=[math.log(2), 0.6])):
        assert not _allowed(run, "a mean over the run called a final loss")
        assert not _allowed(run, "a reduction in per cent")


def _licences(**limits: float) -> str:
    return " ".join(v.licence for v in made.analysis(replace(made.run(), limits=limits)).verdicts)


@pytest.mark.parametrize(
    ("name", "value", "words", "default"),
    [
        ("K2.steps", 35, "train for at least 35 steps", "train for at least 20 steps"),
        ("C6.rows", 50, "train for at least 50 steps", "train for at least 20 steps"),
        ("D2.pairs", 60, "windows of at least 60 distinct", "windows of at least 30 distinct"),
        ("D2.pairs", 250, "evaluate on at least 250 held-out pairs", "evaluate on at least 100 held-out pairs"),
        ("J2.interval", 8, "with at least 8 seeds", "with at least 5 seeds"),
        ("I3.sizes", 4, "at least 4 sizes", "at least 3 sizes"),
    ],
)
def test_what_would_license_a_claim_follows_the_thresholds_in_force(
    name: str, value: float, words: str, default: str
) -> None:
    assert words in _licences(**{name: value})
    assert default in _licences() and default not in _licences(**{name: value})


def test_a_licence_without_thresholds_keeps_its_braces() -> None:
    assert Claim(1, "It holds.", ("x",), r"see \citet{lee2020}").licensed({}) == r"see \citet{lee2020}"


def test_a_licence_that_names_no_threshold_of_its_own_is_refused_by_name() -> None:
    class Plugin:
        @hookimpl
        def register_claims(self) -> list[Claim]:
            return [Claim(1, "It holds.", ("x",), "log {Z1.row} rows", thresholds=(HALF,)),
                    Claim(1, "It held.", ("x",), "log {Z1.rows, 8} rows", thresholds=(HALF,))]  # fmt: skip

    host = Host(discover=False, extra=(Plugin(),), modules=())
    assert [one.item.licensed({}) for one in host.claims] == ["log 12 rows"]
    assert "names of its thresholds: log {Z1.row} rows" in host.problems[0].message
