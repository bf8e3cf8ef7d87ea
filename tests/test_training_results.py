"""What an evaluation found reaches the report: values with their sources, rules, claim level 3. Needs no torch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.loader import load
from dpo_report.core.model import Analysis
from dpo_report.plugins.training import measures
from dpo_report.plugins.training.generations import Answer
from dpo_report.plugins.training.measures import Scored

RUNS = Path(__file__).parent / "runs"


def result(right: int, of: int, leaking: int | None = 0, name: str = "held", **more: Any) -> dict[str, Any]:
    """An evaluation in which the implicit reward ranks so many pairs correctly; every other chosen answer is longer."""
    pairs = [Scored(i, -21.0 + (1 if i < right else -1), -22.5, -20.0, -22.0, 9 + i % 3, 10) for i in range(of)]
    answers = [[Answer("one two three four five six", n, True)] * 4 for n in (30, 20)]
    data = {"file": f"{name}.jsonl", "sha256": "0" * 64} | ({} if leaking is None else {"pairs_in_train": leaking})
    return {
        "schema": 1,
        "kind": "preference-evaluation",
        "name": name,
        "step": 16,
        "beta": 0.1,
        "pairs": of,
        "data": data,
        "values": measures.values(pairs, 0.1),
        "generations": {"greedy": measures.answers(*answers)},
    } | more


def analysed(tmp_path: Path, *results: dict[str, Any], source: str = "dpo-lora") -> Analysis:
    run = tmp_path / "run"
    shutil.copytree(RUNS / source, run)
    (run / "evaluation").mkdir()
    for one in results:
        (run / "evaluation" / f"{one['name']}.json").write_text(json.dumps(one, indent=1))
    return analyse(load(run))


def findings(analysis: Analysis) -> dict[str, Any]:
    return {finding.code: finding for finding in analysis.findings}


def test_held_out_pairs_above_chance_reach_level_3(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, result(80, 100))
    found = findings(analysis)
    text = str(found["D7"].text)
    assert "On 100 held-out pairs (held.jsonl) the implicit reward ranked 80 correctly (0.80" in text
    assert "0.71 to 0.87" in text and "p < 0.001" in text and found["D7"].severity == "good"
    assert "held-out-above-chance" in found["D7"].grants and found["F7"].status == "passed"
    assert [v.allowed for v in analysis.verdicts if v.level == 3 and not v.patterns] == [True, True]
    value = analysis.values["accuracy.test"]
    assert (value.value, value.n, str(value.sources[0])) == (0.8, 100, "evaluation/held.json: values.accuracy.value")
    assert analysis.run.get("rewards/accuracies", "test") is not None


@pytest.mark.parametrize(("right", "of"), [(55, 100), (9, 10), (45, 100)])
def test_what_chance_may_explain_grants_nothing(tmp_path: Path, right: int, of: int) -> None:
    found = findings(analysed(tmp_path, result(right, of)))
    assert ("cannot be told from chance" in str(found["D7"].text)) == (of == 100)
    assert ("held-out-above-chance" in found["D7"].grants) == (of == 10)  # nine of ten is beyond chance, but few
    assert found["D7"].severity == ("caution" if of == 10 else "info")


@pytest.mark.parametrize(("leaking", "severity"), [(3, "warning"), (None, "caution")])
def test_leaking_or_unchecked_pairs_grant_nothing(tmp_path: Path, leaking: int | None, severity: str) -> None:
    found = findings(analysed(tmp_path, result(90, 100, leaking)))
    assert found["F7"].severity == severity and "held-out-above-chance" not in found["D7"].grants


def test_the_policys_own_ranking_and_longer_answers_are_told(tmp_path: Path) -> None:
    found = findings(analysed(tmp_path, result(80, 100)))
    assert "the policy itself found the preferred answer likelier in 100 of the 100" in str(found["D6"].text).lower()
    assert found["E8"].severity == "caution" and "1.50 times as long" in str(found["E8"].text)
    assert found["E7"].status == "passed"


def test_chosen_answers_that_lose_likelihood_are_displacement(tmp_path: Path) -> None:
    one = result(80, 100)
    one["values"]["drift_chosen"] = {"value": -1.5, "low": -2.0, "high": -1.0, "n": 100}
    found = findings(analysed(tmp_path, one))
    assert "1.5" in str(found["E1"].text) and "held-out evaluation" in str(found["E1"].text)


def test_several_evaluations_keep_their_names(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, result(80, 100), result(60, 100, name="other set"))
    assert {"accuracy.test.held", "accuracy.test.other_set"} <= set(analysis.values)
    assert analysis.values["accuracy.test.other_set"].value == 0.6


@pytest.mark.parametrize(
    "text", ['{"kind": "preference-evaluation", ', '{"kind": "preference-evaluation", "schema": 9}']
)
def test_a_broken_evaluation_is_a_problem_and_no_crash(tmp_path: Path, text: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(RUNS / "dpo-lora", run)
    (run / "evaluation").mkdir()
    (run / "evaluation" / "x.json").write_text(text)
    analysis = analyse(load(run))
    assert any(problem.where == "evaluation/x.json" for problem in analysis.problems)
    assert findings(analysis)["D7"].status == "not_applicable"
