"""Methods that only the values of settings tell: classifiers of a plain Trainer, and SimPO as a loss of TRL's CPO."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.made import first_user

from dpo_report.core.listing import survey
from dpo_report.core.loader import load
from dpo_report.core.manager import Host
from dpo_report.core.model import Run, Setting, Source
from dpo_report.plugins.baselines import of as start_of
from dpo_report.plugins.checks.provenance import method_text
from dpo_report.plugins.readers import method as by_names
from dpo_report.plugins.readers.hf.method import tell

HOST = Host()
CLASSES = {"architectures": ["BertForSequenceClassification"], "problem_type": "single_label_classification"}
ROWS = [{"step": 1, "epoch": 0.5, "loss": 0.7}, {"step": 2, "epoch": 1.0, "loss": 0.6, "eval_loss": 0.5}]


def made(folder: Path, config: dict[str, Any], card: str = "", keys: tuple[str, ...] = ()) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row | dict.fromkeys(keys, 0.5) for row in ROWS]
    state = {"global_step": 2, "log_history": rows, "max_steps": 2}
    (folder / "trainer_state.json").write_text(json.dumps(state))
    (folder / "config.json").write_text(json.dumps(config))
    if card:
        (folder / "README.md").write_text(card)
    return folder


def settings(**values: Any) -> dict[str, Setting]:
    return {name: Setting(name, value, Source("training_args.bin")) for name, value in values.items()}


@pytest.mark.parametrize("kind", ["single_label_classification", "multi_label_classification"])
def test_a_model_that_was_given_classes_is_a_classifier(tmp_path: Path, kind: str) -> None:
    run = load(made(tmp_path / "run", CLASSES | {"problem_type": kind}), host=HOST)
    assert run.method == "classification"
    assert run.method_why == f"the model is a BertForSequenceClassification with problem_type {kind}"
    assert run.method_sure == 0.7
    assert method_text(run).plain({}) == "supervised classification"


def test_an_adapter_of_a_classifier_may_be_one_of_a_reward_model(tmp_path: Path) -> None:
    adapter = {"peft_type": "LORA", "r": 8, "task_type": "SEQ_CLS"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(adapter))
    run = load(tmp_path, host=HOST)
    assert (run.method, run.method_sure) == ("classification", 0.5)
    assert run.method_why == "the adapter's task_type is SEQ_CLS, which a reward model's is too"
    (tmp_path / "adapter_config.json").write_text(json.dumps(adapter | {"task_type": "CAUSAL_LM"}))
    assert load(tmp_path, host=HOST).method is None


def test_a_list_names_the_classifier_of_an_adapter_too(tmp_path: Path) -> None:
    for name, keys in (("a", ()), ("b", ()), ("judged", ("rewards/margins",))):
        run = made(tmp_path / name, {}, keys=keys)
        (run / "config.json").rename(run / "adapter_config.json")
        (run / "adapter_config.json").write_text('{"peft_type": "LORA", "task_type": "SEQ_CLS"}')
        assert load(run, host=HOST).method == (None if keys else "classification")
    assert [one.method for one in survey(tmp_path, HOST).listed] == ["classification", "classification", None]


@pytest.mark.parametrize(
    "other",
    [
        {"problem_type": None},
        {"problem_type": "regression"},
        {"architectures": ["BertForMaskedLM"]},
        {"architectures": "ForSequenceClassification"},
        {"architectures": []},
        {"id2label": {"0": "LABEL_0"}},
    ],
)
def test_heads_that_give_one_score_are_no_classifiers(tmp_path: Path, other: dict[str, Any]) -> None:
    assert load(made(tmp_path / "run", CLASSES | other), host=HOST).method is None


def test_a_reward_model_on_a_former_classifier_is_none(tmp_path: Path) -> None:
    card = "---\ntags:\n- generated_from_trainer\n- trl\n- reward-trainer\n---\n# m\n"
    assert load(made(tmp_path / "told", CLASSES, card), host=HOST).method == "reward"
    assert load(made(tmp_path / "graded", CLASSES, keys=("rewards/margins",)), host=HOST).method is None
    assert tell("transformers.TrainingArguments", (), "", (), True, settings=settings(**CLASSES)).method is None


def test_the_configuration_of_another_model_below_tells_nothing(tmp_path: Path) -> None:
    made(tmp_path / "run", {"architectures": ["BertForMaskedLM"]})
    (tmp_path / "run" / "config.json").unlink()
    (tmp_path / "run" / "scorer").mkdir()
    (tmp_path / "run" / "scorer" / "config.json").write_text(json.dumps(CLASSES))
    assert load(tmp_path / "run", host=HOST).method is None


def test_lists_name_classifiers_too(tmp_path: Path) -> None:
    for name in ("a", "b"):
        made(tmp_path / name, CLASSES)
    assert [one.method for one in survey(tmp_path, HOST).listed] == ["classification"] * 2


def test_trackers_log_the_models_configuration_among_the_arguments() -> None:
    assert by_names.tell(["loss"], settings(**CLASSES)).method == "classification"
    assert by_names.tell(["loss"], settings(**CLASSES, num_labels=1)).method is None


CPO = "trl.trainer.cpo_config.CPOConfig"


@pytest.mark.parametrize(
    ("values", "method"),
    [
        ({"loss_type": "simpo", "cpo_alpha": 0.0}, "simpo"),
        ({"loss_type": "simpo", "cpo_alpha": 1.0}, "simpo"),
        ({"loss_type": "simpo", "cpo_alpha": 0.0, "alpha": 0.0}, "simpo"),
        ({"loss_type": "simpo", "cpo_alpha": 0.0, "alpha": 0.1}, "cpo"),
        ({"loss_type": "sigmoid", "cpo_alpha": 1.0}, "cpo"),
        ({"cpo_alpha": 1.0}, "cpo"),
    ],
)
def test_simpo_is_a_loss_of_cpo(values: dict[str, Any], method: str) -> None:
    by_arguments = tell(CPO, (), "", (), True, settings=settings(**values))
    by_tracker = by_names.tell((), settings(**values))
    assert (by_arguments.method, by_tracker.method) == (method, method)
    assert by_arguments.trainer == by_tracker.trainer == "trl.CPOTrainer"
    assert by_arguments.why.endswith("with loss_type simpo") is (method == "simpo")


def test_simpo_with_cpos_likelihood_term_is_called_so() -> None:
    def run(alpha: float | None) -> Run:
        told = settings(loss_type="simpo", simpo_gamma=0.5) | ({} if alpha is None else settings(cpo_alpha=alpha))
        return replace(first_user(method="simpo"), settings=told)

    for alpha in (None, 0.0):
        assert str(method_text(run(alpha)).plain({})).startswith("SimPO")
        assert "equal average" in start_of(run(alpha)).why
    assert method_text(run(1.0)).plain({}) == "CPO-SimPO (meng2024simpo; xu2024cpo)"
    assert "likelihood term" in start_of(run(1.0)).why
