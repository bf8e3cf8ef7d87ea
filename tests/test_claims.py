"""Claims: the evidence that each needs can be had, and is granted where it is."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import made
from dpo_report.plugins.claims import LADDER, OUTSIDE, PHRASES
from rules import big

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
