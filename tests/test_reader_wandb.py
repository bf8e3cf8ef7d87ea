"""W&B's files: three releases, copies and links, resumed and restarted runs, downloads, and damage."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binary import field, leveldb
from dpo_report.core.folder import Folder
from dpo_report.core.model import Witness
from dpo_report.plugins.readers.wandb.witness import READER
from witnesses import points, told

FORMATS = Path(__file__).parent / "formats" / "wandb"
RELEASES = ("0.16.6", "0.19.11", "0.31.0")
HEADER = b":W&B\xe1\xbe\x00"


def read(path: Path) -> list[Witness]:
    folder = Folder.open(path)
    return list(READER.read(folder)) if READER.detect(folder) else []


def one(path: Path) -> Witness:
    (found,) = read(path)
    return found


def items(values: Mapping[str, object]) -> bytes:
    return b"".join(field(1, field(1, key) + field(16, json.dumps(value))) for key, value in values.items())


def row(step: int, **values: float) -> bytes:
    """A history record: ``loss=...`` becomes ``train/loss``."""
    named = {key.replace("__", "/") if "__" in key else f"train/{key}": value for key, value in values.items()}
    return field(2, items({**named, "_step": step}))


def run(name: str = "tiny", run_id: str = "id", **config: object) -> bytes:
    return field(17, field(1, run_id) + field(4, items(config)) + field(8, name))


def write(file: Path, *records: bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(leveldb(HEADER, records))
    return file


END = field(18, b"")


@pytest.mark.parametrize("release", RELEASES)
def test_runs_of_each_release(release: str) -> None:
    witness = one(FORMATS / release)
    assert points(witness, "loss") == {step: 0.693 / step for step in range(1, 13)}
    assert points(witness, "rewards/chosen") == {step: 0.25 * step for step in range(1, 13)}
    assert points(witness, "loss", "eval") == {4: 0.125, 8: 0.0625, 12: 0.5 / 12}
    assert math.isnan(points(witness, "grad_norm")[3]) and points(witness, "grad_norm")[4] == 1.5
    assert points(witness, "probe.inner") == {12: 2.5}
    assert {key: datum.value for key, datum in witness.summary.items()} == {
        "train_runtime": 3.5,
        "train_loss": 0.179,
        "total_flos": 0.0,
    }
    known = {name: setting.value for name, setting in witness.settings.items()}
    assert known == {"learning_rate": 5e-6, "beta": 0.1, "f_divergence_type": "reverse_kl", "optimizer.name": "adamw"}
    assert (witness.method, witness.status, witness.global_step, witness.epoch) == ("dpo", "completed", 12, 2.0)
    assert witness.versions["wandb"] == release and witness.name == "tiny" and not witness.problems


def test_a_point_is_found_again_at_its_source() -> None:
    witness = one(FORMATS / "0.31.0")
    series = next(one for one in witness.series if (one.name, one.split) == ("loss", "eval"))
    assert str(series.source_at(0)).endswith("run-tiny.wandb: record 17, eval/loss")


def test_a_copy_or_link_of_the_latest_run_counts_once(tmp_path: Path) -> None:
    shutil.copytree(FORMATS / "0.31.0", tmp_path / "wandb")
    (folder,) = (tmp_path / "wandb").iterdir()
    shutil.copytree(folder, tmp_path / "wandb" / "latest-run")
    witness = one(tmp_path)
    assert witness.folder == f"wandb/{folder.name}"
    assert "latest-run/run-tiny.wandb: is a copy of" in told(witness)
    shutil.rmtree(tmp_path / "wandb" / "latest-run")
    (tmp_path / "wandb" / "latest-run").symlink_to(folder.name)
    assert one(tmp_path).folder == f"wandb/{folder.name}"


def test_steps_of_the_trainer_or_else_of_wandb(tmp_path: Path) -> None:
    file = write(tmp_path / "run.wandb", run(), row(0, loss=1.0), row(5, loss=0.5), END)
    witness = one(file)
    assert points(witness, "loss") == {0: 1.0, 5: 0.5} and "W&B's own count" in told(witness)
    write(file, run(), row(0, loss=1.0, global_step=10), row(1, loss=0.5, global_step=20), row(2, custom=3.0), END)
    witness = one(file)
    assert points(witness, "loss") == {10: 1.0, 20: 0.5} and points(witness, "custom") == {20: 3.0}
    assert "own count" not in told(witness)


def test_an_evaluation_that_counts_from_zero_is_left_out(tmp_path: Path) -> None:
    rows = [row(n, loss=1.0 / n, global_step=n) for n in range(1, 5)]
    late = row(9, eval__loss=0.5, train__global_step=0)
    witness = one(write(tmp_path / "run.wandb", run(), *rows, late, END))
    assert not [series for series in witness.series if series.split == "eval"]
    assert "record 5 counts from step 0 after step 4" in told(witness)


def test_a_resumed_run_is_one_run(tmp_path: Path) -> None:
    first = [row(n, loss=float(n), global_step=n) for n in range(1, 8)]
    again = [row(n, loss=2.0 * n, global_step=n) for n in range(5, 10)]
    write(tmp_path / "wandb/run-1-id/run-id.wandb", run(), *first)
    write(tmp_path / "wandb/run-2-id/run-id.wandb", run(), *again, END)
    witness = one(tmp_path)
    assert points(witness, "loss") == {n: float(n) if n < 5 else 2.0 * n for n in range(1, 10)}
    assert "goes back from step 7 to 5 (a resumed run)" in told(witness)
    assert (witness.folder, witness.identity) == ("wandb", "id")


def test_two_trainings_in_one_run_are_told_apart(tmp_path: Path) -> None:
    rows = [row(n, loss=scale * n, global_step=n) for scale in (1.0, 2.0) for n in (1, 2, 3)]
    first, second = read(write(tmp_path / "run.wandb", run(), *rows, END).parent)
    assert [points(w, "loss")[3] for w in (first, second)] == [3, 6]
    assert (first.identity, second.identity) == ("attempt-1", "attempt-2")


@pytest.mark.parametrize("beside", [True, False])
def test_means_in_the_closing_row_are_no_points_of_a_curve(tmp_path: Path, beside: bool) -> None:
    last = {"rewards__chosen": 0.25, "epoch": 2.0, "global_step": 2, **({} if beside else {"train_runtime": 9.0})}
    closing = field(2, items({f"train/{key.replace('__', '/')}": value for key, value in last.items()}))
    summary = [field(3, items({"train_runtime": 9.0, "train_loss": 0.5}))] if beside else []
    rows = [row(n, loss=1.0, rewards=1.0, global_step=n) for n in (1, 2)]
    evaluated = row(4, eval__loss=0.5, train__global_step=2)
    witness = one(write(tmp_path / "run.wandb", run(), *rows, closing, *summary, evaluated, END))
    assert not [series for series in witness.series if series.name == "rewards/chosen"]
    assert witness.summary["rewards/chosen"].value == 0.25 and witness.summary["train_runtime"].value == 9.0
    assert witness.status == "completed" and points(witness, "loss", "eval") == {2: 0.5}


def test_settings_changed_later_do_not_replace_those_of_the_training(tmp_path: Path) -> None:
    later = field(5, items({"max_steps": -1, "new": 1}))
    witness = one(write(tmp_path / "run.wandb", run(max_steps=4), row(1, loss=1.0), later, END))
    assert {name: setting.value for name, setting in witness.settings.items()} == {"max_steps": 4, "new": 1}
    assert "settings changed after the first row was logged (max_steps)" in told(witness)


@pytest.mark.parametrize(
    ("code", "status"), [(b"", "completed"), (field(1, 1), "incomplete"), (field(1, 255), "incomplete")]
)
def test_how_the_run_ended(tmp_path: Path, code: bytes, status: str) -> None:
    assert one(write(tmp_path / "run.wandb", run(), row(1, loss=1.0), field(18, code))).status == status


def test_a_run_whose_end_was_never_written(tmp_path: Path) -> None:
    witness = one(write(tmp_path / "run.wandb", run(), row(1, loss=1.0)))
    assert witness.status == "unknown" and "never recorded that this run ended" in told(witness)


def test_values_that_are_no_numbers_stay_out(tmp_path: Path) -> None:
    odd = {"text": "word", "flag": None, "list": [1, 2], "inf": math.inf, "media": {"_type": "image-file", "size": 3}}
    huge = field(2, field(1, field(1, "huge") + field(16, b"1" * 400)))
    witness = one(write(tmp_path / "run.wandb", run(), field(2, items(odd)), huge, END))
    assert {series.name: series.values.tolist() for series in witness.series} == {"inf": [math.inf], "huge": [math.inf]}


def test_a_downloaded_summary_without_its_history(tmp_path: Path) -> None:
    files = tmp_path / "run-1" / "files"
    files.mkdir(parents=True)
    told_last = {"train/loss": 0.5, "eval/loss": 0.75, "train_loss": 0.6, "train_runtime": 9, "train/global_step": 40}
    (files / "wandb-summary.json").write_text(json.dumps({**told_last, "_runtime": 9.5, "note": "text"}))
    (files / "wandb-metadata.json").write_text('{"python": "CPython 3.11.7", "gpu": "H100", "username": "ada"}')
    (files / "config.yaml").write_text("_wandb:\n  value: {cli_version: 0.19.0}\nbeta:\n  value: 0.1\n")
    witness = one(tmp_path)
    summary = {key: datum.value for key, datum in witness.summary.items()}
    assert summary == {"train/loss": 0.5, "eval_loss": 0.75, "train_loss": 0.6, "train_runtime": 9.0}
    assert {name: setting.value for name, setting in witness.settings.items()} == {"beta": 0.1, "machine.gpu": "H100"}
    assert witness.versions == {"wandb": "0.19.0", "python": "3.11.7"}
    assert (witness.folder, witness.global_step, witness.status) == ("run-1", 40, "completed")


def test_a_config_of_another_program_is_none_of_wandbs(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("model:\n  name: x\n")
    assert read(tmp_path) == []


# --- broken files ---


def _rows(count: int) -> list[bytes]:
    return [row(n, loss=1.0 / n, grad_norm=float(n), global_step=n) for n in range(1, count + 1)]


def test_records_across_blocks(tmp_path: Path) -> None:
    wide = run(note="x" * 100_000)
    witness = one(write(tmp_path / "run.wandb", wide, *_rows(600), END))
    assert len(points(witness, "loss")) == 600 and witness.status == "completed" and len(witness.problems) == 0


@pytest.mark.parametrize("lost", [1, 3, 12, 40])
def test_a_killed_writers_last_record(tmp_path: Path, lost: int) -> None:
    file = write(tmp_path / "run.wandb", run(), *_rows(20))
    file.write_bytes(file.read_bytes()[:-lost])
    witness = one(file)
    assert len(points(witness, "loss")) == 19 and "ends in the middle of record 20" in told(witness)


def test_a_flipped_byte_costs_its_record_and_is_told(tmp_path: Path) -> None:
    file = write(tmp_path / "run.wandb", run(), *_rows(20))
    data = bytearray(file.read_bytes())
    place = data.index(b"train/loss", 300)
    data[place] ^= 1
    file.write_bytes(bytes(data))
    witness = one(file)
    assert len(points(witness, "loss")) == 19 and "does not match its checksum" in told(witness)


def test_reading_goes_on_in_the_next_block(tmp_path: Path) -> None:
    file = write(tmp_path / "run.wandb", run(), *_rows(2000))
    data = bytearray(file.read_bytes())
    data[40000:40040] = bytes(range(1, 41))
    file.write_bytes(bytes(data))
    steps = points(one(file), "loss")
    assert 2000 in steps and 1 in steps and 1000 < len(steps) < 2000


def test_empty_and_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "run.wandb").write_bytes(b"")
    assert "is empty" in told(one(tmp_path))
    (tmp_path / "run.wandb").write_bytes(b"something else")
    assert "is no file of W&B" in told(one(tmp_path))
    (tmp_path / "run.wandb").write_bytes(b"version https://git-lfs.github.com/spec/v1\n" + b"x" * 100)
    assert "Git LFS pointer" in told(one(tmp_path))


@given(st.data())
@settings(max_examples=150)
def test_damage_never_raises_and_never_makes_numbers_up(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    good = leveldb(HEADER, [run(lr=1), *_rows(6), END])
    place = data.draw(st.integers(4, len(good) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=30))
    kind = data.draw(st.sampled_from(["flip", "cut", "insert", "drop"]))
    if kind == "flip":
        broken = good[:place] + bytes([good[place] ^ (noise[0] or 1)]) + good[place + 1 :]
    elif kind == "cut":
        broken = good[:place]
    else:
        broken = good[:place] + (noise if kind == "insert" else b"") + good[place + (kind == "drop") * len(noise) :]
    file = tmp_path_factory.mktemp("damage") / "run.wandb"
    file.write_bytes(broken)
    witness = one(file)
    found = {(s.name, int(a), float(v)) for s in witness.series for a, v in zip(s.steps, s.values, strict=True)}
    exact = {("loss", n, 1.0 / n) for n in range(1, 7)} | {("grad_norm", n, float(n)) for n in range(1, 7)}
    assert found <= exact and (found == exact or witness.problems or kind == "cut")


@given(st.lists(st.tuples(st.sampled_from([2, 3, 5, 11, 17, 18, 21]), st.binary(max_size=80)), max_size=6))
@settings(max_examples=150)
def test_any_records_with_right_checksums_are_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[int, bytes]]
) -> None:
    file = tmp_path_factory.mktemp("noise") / "run.wandb"
    witness = one(write(file, run(), *(field(number, body) for number, body in records)))
    assert witness.reader == "wandb"


@given(st.binary(max_size=300))
def test_any_bytes_behind_the_header(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    file = tmp_path_factory.mktemp("bytes") / "run.wandb"
    file.write_bytes(HEADER + noise)
    assert not one(file).series


def test_garbage_takes_bounded_time(tmp_path: Path) -> None:
    empty = b"\xde\xad\xbe\xef\x00\x00\x01"  # a fragment of nothing with a wrong checksum
    (tmp_path / "run.wandb").write_bytes(HEADER + empty * 200_000)
    started = time.process_time()
    witness = one(tmp_path)
    assert time.process_time() - started < 10 and "more damaged places" in told(witness)


def test_steps_that_are_none_stay_out(tmp_path: Path) -> None:
    rows = [row(n, loss=1.0, global_step=step) for n, step in enumerate([1, math.inf, math.nan, 1e300, 2])]
    assert list(points(one(write(tmp_path / "run.wandb", run(), *rows, END)), "loss")) == [1, 2]


def test_nested_values_are_bounded(tmp_path: Path) -> None:
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    record = field(2, field(1, field(1, "deep") + field(16, deep)))
    assert not one(write(tmp_path / "run.wandb", run(), record, END)).series


def test_openrlhf_keys_mean_what_they_mean_everywhere(tmp_path: Path) -> None:
    def train(step: int) -> bytes:
        logged = {"loss": 0.7, "acc": 0.5, "acc_mean": 0.6, "loss_mean": 0.65, "lr": 1e-6}
        rewards = {"chosen_reward": 0.25, "reject_reward": -0.125}
        return row(step, **{**logged, **rewards, "global_step": float(step)})

    held_out = {"eval__eval_loss": 0.69, "eval__acc_mean": 0.75, "eval__global_step": 3.0}
    found = one(write(tmp_path / "run-id.wandb", run(), train(1), train(2), row(3, **held_out), train(4)))
    assert points(found, "rewards/accuracies") == dict.fromkeys((1, 2, 4), 0.5)
    assert points(found, "acc_mean")[4] == 0.6 and points(found, "loss_mean")[1] == 0.65
    assert points(found, "rewards/chosen")[2] == 0.25 and points(found, "rewards/rejected")[2] == -0.125
    assert points(found, "loss", "eval") == {3: 0.69} and points(found, "rewards/accuracies", "eval") == {3: 0.75}
    assert points(found, "learning_rate")[1] == 1e-6
    assert found.method is None  # a reward model's log has the same keys
    tuned = {"gpt_loss": 2.0, "loss_mean": 2.1, "global_step": 1.0}
    sft = one(write(tmp_path / "sft" / "run-id.wandb", run(), row(1, **tuned), row(2, **{"eval__eval gpt_loss": 1.5})))
    assert points(sft, "loss") == {1: 2.0} and points(sft, "loss", "eval") == {1: 1.5}
    policy = {"policy_loss": 0.1, "actor_lr": 1e-6, "response_length": 40.0, "entropy_loss": 0.9, "kl": 0.01}
    ppo = one(write(tmp_path / "ppo" / "run-id.wandb", run(), row(1, **policy)))
    names = {"policy_loss", "learning_rate", "completions/mean_length", "entropy", "kl"}
    assert {series.name for series in ppo.series} == names
