"""What stands beside a state: model cards, configurations, results; and which method all of it tells."""

import json
from pathlib import Path

import pytest

from dpo_report.core.cli import main
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.loader import load, load_all
from dpo_report.core.manager import Host
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.hf.card import Card, read_card
from dpo_report.plugins.readers.hf.method import from_keys, tell
from dpo_report.plugins.readers.hf.results import read_results

TRL_CARD = """---
base_model: Qwen/Qwen2.5-0.5B
library_name: transformers
model_name: my-model
tags:
- generated_from_trainer
- trl
- dpo
licence: license
datasets: 'org/pairs'
---

# Model Card for my-model

This model was trained with DPO, a method introduced in [Direct](https://example.org).

### Framework versions

- PEFT 0.19.1
- TRL: 1.2.0
- Transformers: 5.7.0
- Pytorch: 2.13.0.dev20260425+cu132
- Tokenizers: \\input{/etc/passwd}
"""
OLD_CARD = """---
tags:
- generated_from_trainer
---
# zephyr

### Training hyperparameters

The following hyperparameters were used during training:
- learning_rate: 5e-07
- train_batch_size: 8
- num_devices: 8
- optimizer: Adam with betas=(0.9,0.999) and epsilon=1e-08
- lr_scheduler_warmup_ratio: 0.1
- num_epochs: 3

### Framework versions

- Transformers 4.35.0
"""


def card(text: str, folder: Path) -> Card:
    (folder / "README.md").write_text(text)
    return read_card(Folder(folder), Entry("README.md", len(text)))


def test_a_card_of_trl(tmp_path: Path) -> None:
    told = card(TRL_CARD, tmp_path)
    assert told.made_by_trainer
    assert told.versions == {
        "peft": "0.19.1",
        "trl": "1.2.0",
        "transformers": "5.7.0",
        "torch": "2.13.0.dev20260425+cu132",
    }
    assert told.front["base_model"] == ["Qwen/Qwen2.5-0.5B"]
    assert told.front["datasets"] == ["org/pairs"]
    assert told.front["tags"] == ["generated_from_trainer", "trl", "dpo"]


def test_a_card_of_transformers(tmp_path: Path) -> None:
    told = card(OLD_CARD, tmp_path)
    assert told.versions == {"transformers": "4.35.0"}
    assert told.settings == {
        "learning_rate": 5e-07,
        "per_device_train_batch_size": 8,
        "world_size": 8,
        "optimizer": "Adam with betas=(0.9,0.999) and epsilon=1e-08",
        "warmup_ratio": 0.1,
        "num_train_epochs": 3,
    }
    assert OLD_CARD.splitlines()[told.lines["learning_rate"] - 1] == "- learning_rate: 5e-07"


@pytest.mark.parametrize(
    "text", ["", "---", "---\ntags:\n", "# A\n- learning_rate: 3\n", "\x00\ufffd", "- - -\n---\na: b\n"]
)
def test_a_card_by_hand_tells_nothing(text: str, tmp_path: Path) -> None:
    told = card(text, tmp_path)
    assert not told.made_by_trainer
    assert (told.versions, told.settings, told.problems) == ({}, {}, [])


def test_what_a_card_adds_to_a_run(tmp_path: Path, trainer: Host) -> None:
    (tmp_path / "trainer_state.json").write_text(
        json.dumps({"log_history": [{"loss": 1.0, "step": 1}], "global_step": 1})
    )
    (tmp_path / "README.md").write_text(OLD_CARD)
    run = load(tmp_path, host=trainer)
    assert run.setting("learning_rate") == 5e-07
    assert str(run.settings["learning_rate"].source) == "README.md: line 10"
    assert run.settings["learning_rate"].is_default is None
    (tmp_path / "README.md").write_text(TRL_CARD)
    run = load(tmp_path, host=trainer)
    assert (run.method, run.trainer) == ("dpo", "trl.DPOTrainer")
    assert run.method_why == "the model card says that it was trained with DPO"
    assert run.setting("base_model") == "Qwen/Qwen2.5-0.5B"
    assert "license" not in run.settings  # TRL's own placeholder


def test_configurations_are_settings(tmp_path: Path, trainer: Host) -> None:
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": [], "global_step": 1, "max_steps": 1}))
    config = {"model_type": "gpt2", "n_layer": 2, "architectures": ["GPT2LMHeadModel"], "deep": {"a": 1}, "no": None}
    (tmp_path / "config.json").write_text(json.dumps(config | {"transformers_version": "4.48.3"}))
    adapter = {"peft_type": "LORA", "r": 4, "target_modules": ["q", "v"], "base_model_name_or_path": "org/base"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(adapter | {"peft_version": "0.18.0"}))
    (tmp_path / "generation_config.json").write_text(json.dumps({"temperature": 0.7}))
    run = load(tmp_path, host=trainer)
    assert run.setting("model.n_layer") == 2
    assert run.setting("model.architectures") == ["GPT2LMHeadModel"]
    assert not {"model.deep", "model.no"} & run.settings.keys()
    assert run.setting("lora.r") == 4
    assert run.setting("lora.target_modules") == ["q", "v"]
    assert run.setting("generation.temperature") == 0.7
    assert run.setting("base_model") == "org/base"
    assert run.versions == {"peft": "0.18.0", "transformers": "4.48.3"}
    assert str(run.settings["lora.r"].source) == "adapter_config.json: r"


@pytest.mark.parametrize("content", ["[1]", "{", "", "[" * 10_000, "7", '{"a": ' + "9" * 5000 + "}"])
def test_a_broken_configuration_costs_only_itself(content: str, tmp_path: Path, trainer: Host) -> None:
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": [], "global_step": 1, "max_steps": 1}))
    (tmp_path / "config.json").write_text(content)
    run = load(tmp_path, host=trainer)
    assert run.status == "completed"
    assert [problem.where for problem in run.problems] == ["config.json"]


def test_results_of_another_program_are_left_out(tmp_path: Path) -> None:
    problems: list[Problem] = []
    (tmp_path / "eval_results.json").write_text(json.dumps({"method": "DPO", "accuracy": 0.5, "failures": [1]}))
    assert read_results(Folder(tmp_path), "eval_results.json", problems) == {}
    assert "no metrics of the trainer" in problems[0].message


def test_results_that_contradict_the_state_are_told(tmp_path: Path, trainer: Host) -> None:
    rows = [{"loss": 0.5, "step": 1}, {"train_runtime": 9.0, "train_loss": 0.5, "epoch": 1.0, "step": 1}]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": rows, "global_step": 1, "max_steps": 1}))
    (tmp_path / "all_results.json").write_text(
        json.dumps({"train_loss": 0.25, "train_runtime": 9.0, "eval_loss": 0.75})
    )
    run = load(tmp_path, host=trainer)
    assert run.number("train_loss") == 0.5
    assert run.number("eval_loss") == 0.75
    assert str(run.summary["eval_loss"].source) == "all_results.json: eval_loss"
    (told,) = run.problems
    assert told.message == "train_loss is 0.25 here and 0.5 in trainer_state.json; the latter is used"


@pytest.mark.parametrize(
    ("config", "method", "trainer"),
    [
        ("trl.trainer.dpo_config.DPOConfig", "dpo", "trl.DPOTrainer"),
        ("trl.trainer.grpo_config.GRPOConfig", "grpo", "trl.GRPOTrainer"),
        ("trl.trainer.ppov2_config.PPOv2Config", "ppo", "trl.PPOTrainer"),
        ("trl.trainer.online_dpo_config.OnlineDPOConfig", "online_dpo", "trl.OnlineDPOTrainer"),
        ("trl.trainer.nash_md_config.NashMDConfig", "nash_md", "trl.NashMDTrainer"),
        ("trl.experimental.orpo.orpo_config.ORPOConfig", "orpo", "trl.experimental.orpo.ORPOTrainer"),
        ("alignment.configs.DPOConfig", "dpo", None),
        ("UnslothSFTTrainer.UnslothSFTConfig", "sft", None),
        ("transformers.training_args.TrainingArguments", None, None),
        ("", None, None),
    ],
)
def test_the_class_of_the_arguments_tells_the_method(config: str, method: str | None, trainer: str | None) -> None:
    told = tell(config, (), "", (), True)
    assert (told.method, told.trainer) == (method, trainer)
    assert bool(told.why) == bool(method)


def test_the_order_of_evidence() -> None:
    dpo_keys = {"loss", "rewards/chosen", "rewards/accuracies", "logps/chosen"}
    card = "This model was trained with CPO, a method introduced in"
    assert tell("trl.trainer.kto_config.KTOConfig", ["dpo"], card, dpo_keys, True).method == "kto"
    assert tell("", ["dpo"], card, dpo_keys, True).method == "cpo"
    assert tell("", ["orpo", "trl"], "", dpo_keys, True).method == "orpo"
    assert tell("", ["dpo", "orpo"], "", dpo_keys, True).method == "dpo"  # two tags decide nothing, the keys do
    assert tell("", [], "", dpo_keys, False).trainer is None


@pytest.mark.parametrize(
    ("keys", "method"),
    [
        ({"rewards/chosen", "rewards/accuracies", "rewards/margins"}, "dpo"),
        ({"rewards/chosen", "rewards/accuracies", "nll_loss"}, None),
        ({"rewards/chosen", "rewards/accuracies", "nll_loss", "log_odds_chosen"}, "orpo"),
        ({"rewards/chosen", "kl"}, None),
        ({"reward", "reward_std", "completion_length"}, "grpo"),
        ({"reward", "reward_std"}, None),
        ({"objective/kl", "val/contain_eos_token", "logps/chosen"}, "online_dpo"),
        ({"mean_reward", "min_reward", "max_reward", "accuracy"}, "reward"),
        ({"loss", "mean_token_accuracy", "num_tokens", "entropy"}, "sft"),
        ({"loss", "grad_norm"}, None),
    ],
)
def test_keys_tell_the_method_only_where_one_trainer_logs_them(keys: set[str], method: str | None) -> None:
    assert from_keys(keys, trl=False).method == method


@pytest.mark.parametrize(
    ("card", "method"),
    [
        ("---\ntags:\n- sft\n- lora\n---\n# Mine\n", "sft"),
        ("---\ntags:\n- sft\n- dpo\n---\n# Mine\n", None),
        ("---\ntags:\n- trl\n- sft\n---\n# Theirs\n", "sft"),
        ("# Mine, by SFT\n", None),
    ],
)
def test_a_list_and_a_run_tell_the_same_method(
    card: str, method: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, loss in (("one", 0.7), ("two", 0.6)):
        (tmp_path / name).mkdir()
        rows = [{"loss": loss - step / 100, "grad_norm": 1.5 + step / 7, "step": step} for step in range(1, 5)]
        whole = {"epoch": 1.0, "global_step": 4, "log_history": rows, "max_steps": 4}
        (tmp_path / name / "trainer_state.json").write_text(json.dumps(whole, indent=2))
        (tmp_path / name / "README.md").write_text(card)
    assert main(["inspect", str(tmp_path)]) == 0
    listed = [row.split()[1] for row in capsys.readouterr().out.splitlines()[1:]]
    assert listed == [method or "?"] * 2
    for run in (load(tmp_path / "one"), load_all(tmp_path)[0]):
        assert run.method == method
        assert ("did not write" in run.method_why) == ("Mine" in card and method is not None)
