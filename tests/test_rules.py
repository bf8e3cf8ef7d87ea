"""Every rule: its sentence appears when it should, and not when it should not."""

from __future__ import annotations

import numpy as np
import pytest

import made
from dpo_report.core.contract import Check
from dpo_report.core.manager import default_host
from dpo_report.core.model import RunFile, Witness
from rules import BASE, FALL, Case, big, evaluated, noise
from rules_basic import CASES, NAN, nothing, rewards
from rules_more import CASES as MORE
from rules_more import STATED


@pytest.mark.parametrize("case", CASES + MORE, ids=str)
def test_the_sentence_appears_when_it_should(case: Case) -> None:
    finding = made.finding(case.speaks(), case.code)
    assert finding.status == "found", finding
    assert case.words in str(finding.text)
    assert case.severity in ("", finding.severity)


@pytest.mark.parametrize("case", CASES + MORE, ids=str)
def test_and_not_when_it_should_not(case: Case) -> None:
    assert case.words not in made.says(case.silent(), case.code)


def rules() -> list[Check]:
    return [provided.item for provided in default_host().checks]


def test_every_rule_with_a_sentence_is_tested() -> None:
    """Here, or in test_rules_more.py; those that only say what is enforced have their test there, too."""
    shaping = {"A6"}  # it shapes other sentences and prints none of its own
    assert {rule.code for rule in rules()} - shaping - {*STATED} == {case.code for case in CASES + MORE}


RULEBOOK = {"A": 7, "B": 10, "C": 13, "D": 10, "E": 8, "F": 10, "G": 9, "H": 9, "I": 8, "J": 7, "K": 10, "L": 11}
"""How many rules each group of the rulebook has."""


def test_every_rule_of_the_rulebook_is_there_once() -> None:
    codes = [rule.code for rule in rules()]
    assert len(codes) == len(set(codes))
    wanted = {f"{group}{number + 1}" for group, count in RULEBOOK.items() for number in range(count)}
    assert wanted == {code.partition(".")[0] for code in codes}


@pytest.mark.parametrize("name", ["mean_only", "trained", "broken", "empty"])
def test_not_applicable_always_has_a_reason(name: str) -> None:
    runs = {
        "mean_only": made.first_user(),
        "trained": rewards(1, -1),
        "broken": big(loss=[NAN] * 5),
        "empty": nothing(),
    }
    for finding in made.analysis(runs[name]).findings:
        if finding.status == "not_applicable":
            assert len(str(finding.text)) > 10, finding.code


def test_a_broken_run_supports_no_claim_above_completion() -> None:
    broken = rewards(1.0, -1.0, loss=[0.69] + [0.0] * 59, grad_norm=[1.0] + [NAN] * 59)
    result = made.analysis(broken)
    assert result.level == 0
    for code in ("C2", "C3", "C4", "C6", "D1", "D2.train", "E2"):
        assert next(f for f in result.findings if f.code == code).status == "not_applicable"


def test_level_three_needs_held_out_pairs_above_chance() -> None:
    logged = made.analysis(evaluated([0.6], [0.78]))
    assert logged.level == 3
    (said,) = [v.text for v in logged.verdicts if v.level == 3 and v.allowed and not v.patterns]
    assert "nothing shows that their prompts are new" in said  # logs do not tell what F7 asks
    assert made.analysis(evaluated([0.6], [0.53])).level < 3
    assert made.analysis(evaluated([0.6], [0.9], rows=10)).level < 3


def test_checkpoints_are_counted_in_the_wall_clock_sentence() -> None:
    from dataclasses import replace

    files = tuple(RunFile(f"checkpoint-{n}/trainer_state.json", 10) for n in (2, 4))
    text = made.says(replace(made.first_user(), files=files), "I1")
    assert "at least 2 checkpoint writes" in text


def test_old_versions_divide_by_all_steps_after_a_resume() -> None:
    """transformers up to 5.18: the mean is Σ over the resumed steps / all steps; it is multiplied back."""
    rows = [made.series("loss", np.linspace(0.6, 0.2, 11), steps=range(6, 17))]
    reported = float(np.linspace(0.6, 0.2, 11).sum() / 16)
    old = made.run(
        steps=16, rows=rows, versions=made.OLD, settings=BASE | {"logging_steps": 1}, summary={"train_loss": reported}
    )
    value = made.analysis(old).values["loss.train.mean"]
    assert float(value.value) == pytest.approx(0.4)
    assert "steps 6 to 16" in value.note


def test_a_resumed_run_with_clean_history_shows_in_its_mean() -> None:
    losses = np.linspace(0.69, 0.1, 16)
    reported = float(losses[5:].sum() / 16)
    old = made.run(
        loss=losses, versions=made.OLD, settings=BASE | {"logging_steps": 1}, summary={"train_loss": reported}
    )
    assert "resumed at step 5" in made.says(old, "A4")


def test_no_witness_means_no_source_is_invented() -> None:
    bare = made.run(method=None, steps=None, status="unknown")
    assert made.analysis(bare).values == {}
    assert isinstance(bare.witnesses[0], Witness)


def test_versions_are_answered_only_where_the_libraries_that_trained_are_told() -> None:
    def answer(**versions: str) -> str | None:
        questions = {question.id: question for question in (item.item for item in default_host().questions)}
        return questions["versions"].known(big(versions=versions))

    assert answer(peft="0.15.2") is None
    assert answer(torch="2.1", transformers="4.35.0") is None  # TRL trained, and is not told
    assert answer(torch="2.1", transformers="4.35.0", trl="0.9.6") == "torch 2.1, transformers 4.35.0, trl 0.9.6"


def test_what_a_claim_is_about_follows_the_method() -> None:
    def ladder(method: str | None) -> str:
        return " ".join(v.text for v in made.analysis(big(method=method)).verdicts if not v.patterns)

    assert "implicit reward" in ladder("dpo") and "reward model" not in ladder("dpo")
    assert "ranked above chance by the reward model" in ladder("reward") and "implicit" not in ladder("reward")
    assert "The training reward rose." in ladder("grpo") and "objective decreased" not in ladder("grpo")
    for method in ("sft", "grpo", "orpo", None):
        assert "pairs" not in ladder(method)


def test_a_reward_that_did_not_rise_beyond_its_scatter_is_no_progress() -> None:
    scatter = list(0.1 * noise(60))
    assert made.analysis(big(method="grpo", reward=scatter)).level < 1
    rose = made.analysis(big(method="grpo", loss=[0.0] * 60, reward=[0.1 + 0.01 * n for n in range(60)]))
    assert rose.level == 1


def test_a_small_held_out_fall_is_no_displacement() -> None:
    def fell(nats: float) -> str:
        at = [20, 40, 60]
        held = {"rewards/chosen": (at, [-nats * 0.1] * 3), "rewards/margins": (at, [0.5] * 3)}
        return made.says(rewards(1.0, -1.0, evaluations=held), "E1")

    assert "by 2.00 nats on held-out pairs (step 60)" in fell(2.0)
    assert "displacement" not in fell(0.3)


def test_a_flat_curve_of_a_run_that_did_not_end_grants_no_convergence() -> None:
    flat = {"loss": FALL[:40] + [0.5 + 1e-5 * x for x in noise(30)], "learning_rate": [1e-5] * 70}
    assert "learning rate stayed at 1 × 10⁻⁵" in made.says(big(**flat), "C7")
    assert made.finding(big(**flat), "C7").grants == ("plateau",)
    assert made.finding(big(**flat, status="incomplete", max_steps=900), "C7").grants == ()


def test_a_share_of_a_policy_without_reference_is_no_evidence_of_training() -> None:
    said = evaluated([0.6], [0.9], method="orpo")
    assert "The policy's own likelihood ranked 90 % of 200 held-out pairs" in made.says(said, "D2")
    assert "only the difference is due to training" in made.says(said, "D2")
    assert made.finding(said, "D2").grants == ()


def test_every_held_out_set_has_its_number_of_rows() -> None:
    at = [10, 20]
    sets = {}
    for name, rows in (("far", 16), ("near", 24)):
        columns = {"loss": [0.6, 0.5], "runtime": [2.0, 2.0], "samples_per_second": [rows / 2] * 2}
        sets |= {(column, name): values for column, values in columns.items()}
    series = [made.series(column, values, steps=at, split=f"eval:{name}") for (column, name), values in sets.items()]
    values = made.analysis(big(rows=series)).values
    assert (values["data.eval_rows.far"].value, values["data.eval_rows.near"].value) == (16, 24)


def test_losses_of_a_broken_run_give_no_medians_and_no_trend() -> None:
    broken = made.analysis(big(loss=[0.69] + [0.0] * 59, grad_norm=[1.0] + [NAN] * 59))
    assert not {"loss.train.reduction", "loss.train.slope", "loss.train.rest"} & set(broken.values)


def test_a_time_per_step_counts_the_steps_of_its_own_call() -> None:
    rows = [made.series("loss", FALL[:10], steps=range(6, 16))]
    times = {"train_runtime": 20.0, "train_steps_per_second": 0.75}
    resumed = made.run(rows=rows, steps=15, settings=BASE | {"logging_steps": 1}, summary=times)
    assert "2.0 s on average over only 10 steps" in made.says(resumed, "B10")


def test_rows_that_count_no_optimizer_steps_are_not_called_updates() -> None:
    """Epochs, boosting rounds, environment steps: no update count, no resumption, no claim about few updates."""
    from dataclasses import replace

    rows = [made.series("loss", [0.9, 0.7, 0.5, 0.4, 0.35, 0.3], steps=[256, 512, 768, 1024, 1280, 1536])]
    counted = made.run(method=None, status="unknown", rows=rows)
    other = replace(counted, global_step=None, max_steps=None)
    result = made.analysis(other)
    assert "steps.done" not in result.values
    assert all(made.finding(other, code).status != "found" for code in ("A4", "B2", "G8", "K2"))
    assert "log positions" in str(made.finding(other, "C4").text)
