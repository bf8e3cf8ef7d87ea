"""Tokens are counted to the end of the run, or the count says up to which step it goes."""

from __future__ import annotations

import made
from dpo_report.core.model import Run
from rules import big


def counted(**changes: object) -> Run:
    """Tokens logged every ten steps of 66."""
    tokens = made.series("num_tokens", [1000.0 * k for k in range(1, 7)], every=10)
    return big(rows=[tokens], steps=66, **changes)


def test_the_last_evaluation_may_count_further_than_the_last_row() -> None:
    values = made.analysis(counted(evaluations={"num_tokens": ([30, 66], [3000.0, 6600.0])})).values
    assert values["tokens.seen"].value == 6600
    assert values["tokens.seen"].note == "policy inputs without padding; the prompt of a pair is counted twice"


def test_a_count_that_ends_early_says_so() -> None:
    value = made.analysis(counted()).values["tokens.seen"]
    assert value.value == 6000
    assert value.note.endswith("; up to step 60")
