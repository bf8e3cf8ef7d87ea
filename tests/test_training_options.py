"""Options of `train`: file, command line and defaults, each with its origin; mistakes in one line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from dpo_report.core.cli import main
from dpo_report.plugins.training import options
from dpo_report.plugins.training.attempts import Attempts
from dpo_report.plugins.training.facts import read, write


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_the_command_line_wins_over_the_file_and_the_origin_is_printed(tmp_path: Path, capsys) -> None:
    path = config(tmp_path, 'model = "tiny"\noutput_dir = "run"\ndata = "p.jsonl"\n[dpo]\nbeta = 0.2\n[lora]\nr = 4\n')
    assert main(["train", str(path), "--model", "other/model", "--set", "dpo.beta=0.5", "--print-config"]) == 0
    text = capsys.readouterr().out
    told = tomllib.loads(text)
    assert (told["model"], told["dpo"]["beta"], told["lora"]["r"]) == ("other/model", 0.5, 4)
    assert told["output_dir"] == str(tmp_path / "run") and told["data"] == str(tmp_path / "p.jsonl")
    lines = {line.split(" =")[0]: line for line in text.splitlines()}
    assert "# command line" in lines["model"] and "# command line" in lines["beta"]
    assert "# config.toml" in lines["output_dir"] and "# config.toml" in lines["r"]
    assert "# default" in lines["micro_batch"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modle = 'tiny'", "unknown option 'modle'"),
        ("dpo = 3", "dpo is not a table"),
        ("micro_batch = 0", "micro_batch = 0"),
        ("micro_batch = 'big'", "micro_batch = 'big'"),
        ("precision = 'fp8'", "precision = 'fp8'"),
        ("eval_split = 1.5", "eval_split = 1.5"),
        ("eval_split = 0.1\neval_data = 'x.jsonl'", "exclude each other"),
        ("model = ", "not valid TOML"),
        ("[dpo]\noutput_dir = 'x'", "output_dir stands outside"),
        ("", "train needs model, output_dir, data"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, capsys, text: str, said: str) -> None:
    assert main(["train", str(config(tmp_path, text))]) == 1
    error = capsys.readouterr().err
    assert said in error and len(error.splitlines()) <= 2


def test_set_takes_toml_or_plain_words(tmp_path: Path, capsys) -> None:
    sets = ["--set", 'dpo.loss_type=["sigmoid", "sft"]', "--set", "dpo.lr_scheduler_type=cosine"]
    assert main(["train", *sets, "--print-config"]) == 0
    told = tomllib.loads(capsys.readouterr().out)
    assert told["dpo"]["loss_type"] == ["sigmoid", "sft"] and told["dpo"]["lr_scheduler_type"] == "cosine"
    assert main(["train", "--set", "beta=1"]) == 1
    assert "dpo.NAME=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize("value", [True, 3, 0.25, 'a "b"\n', [1, "x"], {"k": 1}, 1e-6])
def test_what_is_written_as_toml_reads_back(value: object) -> None:
    assert tomllib.loads(f"v = {options.toml(value)}")["v"] == value


def test_facts_are_added_and_answers_stay(tmp_path: Path) -> None:
    (tmp_path / "dpo-report.toml").write_text('[answers]\nuse = "tests"\n[facts]\nhardware = "old"\nseed = 1\n')
    write(tmp_path, {"hardware": "new", "data": {"file": "p.jsonl", "odd key": 2}, "nothing": None})
    assert read(tmp_path) == {"hardware": "new", "seed": 1, "data": {"file": "p.jsonl", "odd key": 2}}
    assert tomllib.loads((tmp_path / "dpo-report.toml").read_text())["answers"] == {"use": "tests"}


def test_an_attempt_that_never_ended_counts_as_killed(tmp_path: Path) -> None:
    first = Attempts(tmp_path)
    first.begin(0)
    first.beat(3)
    first.save()
    second = Attempts(tmp_path)
    assert [one["ended"] for one in second.all] == ["killed"] and second.all[0]["to_step"] == 3
    second.begin(2)
    second.end("completed")
    assert [one["ended"] for one in Attempts(tmp_path).all] == ["killed", "completed"]
    assert second.seconds == pytest.approx(sum(one["seconds"] for one in second.all))
