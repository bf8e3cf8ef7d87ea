"""A look at both ends of a tracker's file tells for a list what reading all of it tells, and reads far less."""

import json
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from binary import event_file, field, leveldb, scalar
from dpo_report.core.continued import span
from dpo_report.core.contract import Reader
from dpo_report.core.folder import Folder
from dpo_report.core.listing import survey
from dpo_report.core.manager import Host
from dpo_report.plugins.readers.hf import witness as hf
from dpo_report.plugins.readers.hf.glance import glance
from dpo_report.plugins.readers.swanlab import witness as swanlab
from dpo_report.plugins.readers.tensorboard import witness as tensorboard
from dpo_report.plugins.readers.wandb import witness as wandb
from glanced import agree, interval, listed, looks, of_whole, seen
from reads import bytes_read

HERE = Path(__file__).parent
HF = Reader(hf.NAME, hf.detect, hf.read, glance=glance)
READERS = {one.NAME: one.READER for one in (tensorboard, wandb, swanlab)}
TAGS = ("train/loss", "train/grad_norm", "train/rewards/margins", "train/epoch")


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("home", ["formats", "runs"])
def test_every_small_run_is_told_alike(name: str, home: str) -> None:
    for folder in sorted(path for path in (HERE / home).iterdir() if path.is_dir()):
        agree(READERS[name], folder)


def value(tag: str, step: int) -> float:
    return step / 400 if tag == "train/epoch" else 0.75 - step / 1024 if tag == "train/loss" else math.sin(step)


def events(steps: int, arguments: dict[str, object], closing: bool = True) -> list[bytes]:
    words = field(8, json.dumps(arguments))
    note = field(1, "args/text_summary") + field(9, field(1, field(1, "text"))) + field(8, field(1, 7) + words)
    rows = [scalar(tag, step, value(tag, step)) for step in range(1, steps + 1) for tag in TAGS]
    end = [scalar("train/train_loss", steps, 0.5), scalar("train/train_runtime", steps, 9.0)] if closing else []
    return [field(1, 1.7e9) + field(5, field(1, note)), *rows, *end]


ARGUMENTS: dict[str, object] = {"seed": 7, "max_steps": 600, "per_device_train_batch_size": 4, "f_divergence_type": "x"}


def large(name: str, path: Path, steps: int = 600, ended: bool = True) -> Path:
    """A run with some hundred kilobytes of log."""
    path.mkdir(parents=True, exist_ok=True)
    if name == "tensorboard":
        file = path / "events.out.tfevents.1700000000.host.1.0"
        file.write_bytes(event_file(events(steps, ARGUMENTS, ended)))
    elif name == "wandb":
        file = path / "run-abc.wandb"
        file.write_bytes(leveldb(b":W&B\xe1\xbe\x00", wandb_records(steps, ended)))
    else:
        file = path / "run-abc.swanlab"
        rows = [
            field(13, field(1, tag) + field(2, step) + field(5, field(1, value(tag, step))))
            for step in range(1, steps + 1)
            for tag in TAGS
        ]
        end = [field(11, field(1, 1))] if ended else []
        file.write_bytes(leveldb(b":SWL\xe1\xbe\x00", [field(10, field(4, "mine")), *rows, *end]))
    return file


def items(values: dict[str, object]) -> bytes:
    return b"".join(field(1, field(2, key) + field(16, json.dumps(one))) for key, one in values.items())


def wandb_records(steps: int, ended: bool) -> Iterator[bytes]:
    yield field(1, 0) + field(17, field(1, "abc") + field(4, items(ARGUMENTS)) + field(8, "mine"))
    for step in range(1, steps + 1):
        row = items({tag: value(tag, step) for tag in TAGS} | {"train/global_step": step, "_step": step - 1})
        yield field(3, row)
        yield field(2, row)
    if ended:
        yield field(2, items({"train_runtime": 9.0, "train_loss": 0.5}))
        yield field(18, b"")


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("name", READERS)
def test_a_large_run_is_told_alike_and_little_of_it_is_read(name: str, ended: bool, tmp_path: Path) -> None:
    file = large(name, tmp_path, 3000, ended)
    (quick,) = agree(READERS[name], tmp_path)
    assert quick.global_step == 3000
    assert {key: one.value for key, one in quick.settings.items()} == ({} if name == "swanlab" else ARGUMENTS)
    assert sum(map(len, quick.series)) < 1000
    assert file.stat().st_size > 400_000
    glance = READERS[name].glance
    assert glance is not None
    assert bytes_read(lambda: list(glance(Folder.open(tmp_path)))) < 120_000


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("cut", [1, 40, 9000, 33000])
def test_a_killed_writers_file_is_told_alike(name: str, cut: int, tmp_path: Path) -> None:
    file = large(name, tmp_path, 900)
    os.truncate(file, file.stat().st_size - cut)
    agree(READERS[name], tmp_path)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.97])
def test_damage_is_survived(name: str, share: float, tmp_path: Path) -> None:
    file = large(name, tmp_path, 900)
    data = bytearray(file.read_bytes())
    place = int(len(data) * share)
    data[place : place + 5] = b"\xff\x00\xff\x00\xff"
    file.write_bytes(data)
    quick, whole = looks(READERS[name], tmp_path)
    assert [one.global_step for one in quick] == [one.global_step for one in whole]


def test_arguments_longer_than_the_beginning_and_curves_that_end_early(tmp_path: Path) -> None:
    """Then more is read, or all of it."""
    long = ARGUMENTS | {f"option_{number}": "x" * 50 for number in range(300)}
    other = [scalar("eval/loss", step, 0.5 + step / 4096) for step in range(1, 600)]
    for number, added in enumerate((events(900, long), events(900, ARGUMENTS, False) + 4 * other)):
        home = tmp_path / str(number)
        home.mkdir()
        (home / "events.out.tfevents.1700000000.host.1.0").write_bytes(event_file(added))
    quick = agree(READERS["tensorboard"], tmp_path)
    assert len(quick[0].settings) == len(long)


def test_attempts_in_one_folder_are_told_apart_at_a_glance(tmp_path: Path) -> None:
    for number, steps in enumerate((900, 400)):
        file = tmp_path / f"events.out.tfevents.170000000{number}.host.{number}.0"
        file.write_bytes(event_file(events(steps, ARGUMENTS, False)))
    resumed = [scalar(tag, step, value(tag, step)) for step in range(401, 900) for tag in TAGS]
    (tmp_path / "events.out.tfevents.1700000005.host.5.0").write_bytes(event_file(resumed))
    assert [one.identity for one in agree(READERS["tensorboard"], tmp_path)] == ["attempt-1", "attempt-2"]


@pytest.mark.parametrize("torn", [0, 1, 30])
def test_what_is_torn_in_one_file_is_not_sought_in_the_next(torn: int, tmp_path: Path) -> None:
    """Files are taken in together: small and large ones, and one with a text that goes over its beginning."""
    long = ARGUMENTS | {"template": "x" * 9000}
    for number, (steps, arguments) in enumerate([(900, ARGUMENTS), (900, long), (3, ARGUMENTS), (0, long), (700, {})]):
        home = tmp_path / f"run-{number}"
        home.mkdir()
        file = home / f"events.out.tfevents.170000000{number}.host.{number}.0"
        file.write_bytes(event_file(events(steps, arguments, False)))
        os.truncate(file, file.stat().st_size - torn)
    quick, whole = looks(READERS["tensorboard"], tmp_path)
    assert [listed(one) for one in quick] == [listed(one) for one in whole]
    told = [{key: setting.value for key, setting in one.settings.items()} for one in quick]
    assert told == [{key: setting.value for key, setting in one.settings.items()} for one in whole]
    assert [len(one.problems) for one in quick[2:4]] == [len(one.problems) for one in whole[2:4]]


@pytest.mark.parametrize("name", READERS)
def test_a_run_that_begins_late_is_seen_to_begin_late(name: str, tmp_path: Path) -> None:
    """Also where a row is long, so that few rows are read of the end."""
    tags = [*TAGS, *(f"train/curve_{number}" for number in range(80))]
    rows = range(2001, 2400)
    if name == "tensorboard":
        file = tmp_path / "events.out.tfevents.1700000000.host.1.0"
        file.write_bytes(event_file(scalar(tag, step, step / 7) for step in rows for tag in tags))
    elif name == "wandb":
        told = (items(dict.fromkeys(tags, step / 7) | {"train/global_step": step, "_step": step}) for step in rows)
        records = [record for row in told for record in (field(2, row), *[field(9, field(2, "said"))] * 7)]
        (tmp_path / "run-abc.wandb").write_bytes(leveldb(b":W&B\xe1\xbe\x00", records))
    else:
        (tmp_path / "run-abc.swanlab").write_bytes(leveldb(b":SWL\xe1\xbe\x00", swanlab_rows(rows, tags)))
    agree(READERS[name], tmp_path)
    assert [[interval(one) for one in told] for told in looks(READERS[name], tmp_path)] == [[1.0], [1.0]]


def swanlab_rows(steps: Iterable[int], tags: Iterable[str]) -> list[bytes]:
    return [field(13, field(1, tag) + field(2, step) + field(5, field(1, step / 7))) for step in steps for tag in tags]


@pytest.mark.parametrize("steps", [3, 40, 2000])
def test_a_log_that_opens_with_other_records_is_told_alike(steps: int, tmp_path: Path) -> None:
    """SwanLab announces every column, and the end may hold evaluations alone."""
    opening = [field(14, field(1, f"column {number}")) for number in range(90)]
    rows = swanlab_rows(range(1, steps + 1), TAGS[:2])
    end = swanlab_rows(range(steps, steps + 600), ["eval/loss"])
    for number, records in enumerate(([*opening, *rows], [*opening, *rows, *end], [*opening, *end])):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "run-abc.swanlab").write_bytes(leveldb(b":SWL\xe1\xbe\x00", records))
    quick, whole = looks(READERS["swanlab"], tmp_path)
    agree(READERS["swanlab"], tmp_path)
    starts = [[one.first if (one := span(witness)) else None for witness in told] for told in (quick, whole)]
    assert starts[0] == starts[1] == [1.0, 1.0, None]


def test_what_only_stands_beside_a_torn_log_is_listed(tmp_path: Path) -> None:
    file = large("wandb", tmp_path, 900, ended=False)
    file.write_bytes(leveldb(b":W&B\xe1\xbe\x00", [*wandb_records(900, False)][1:]))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "wandb-summary.json").write_text('{"train_loss": 0.5, "train/global_step": 900}')
    (tmp_path / "files" / "config.yaml").write_text("wandb_version: 1\nseed:\n  value: 9\n")
    (quick,) = agree(READERS["wandb"], tmp_path)
    assert (quick.status, quick.settings["seed"].value) == ("completed", 9)


def test_attempts_at_the_top_are_listed_as_reading_whole_tells_them(tmp_path: Path) -> None:
    for number, steps in enumerate((900, 400, 500)):
        file = tmp_path / f"events.out.tfevents.170000000{number}.host.{number}.0"
        file.write_bytes(event_file(events(steps, ARGUMENTS | {"seed": number}, closing=number == 1)))
    host = Host(discover=False)
    quick = survey(tmp_path, host)
    assert (quick.runs, [seen(one) for one in quick.listed]) == ((), of_whole(tmp_path))
    (tmp_path / "log.csv").write_text("step,loss\n1,0.5\n2,0.25\n")
    assert [seen(one) for one in survey(tmp_path, host).all] == of_whole(tmp_path)


Row = dict[str, Any]


def train(step: int, **more: Any) -> Row:
    return {
        "loss": round(0.7 - step / 4096, 4),
        "grad_norm": 1.0 + step / 7,
        "learning_rate": 1e-6,
        "step": step,
    } | more


def state(file: Path, rows: list[Row], planned: int = 2000, mark: bytes = b"", **more: Any) -> None:
    whole = {"global_step": 900, "log_history": rows, "logging_steps": 1, "max_steps": planned} | more
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(mark + json.dumps(whole, indent=2).encode())


LONG = [train(step) for step in range(1, 901)]
EVALUATED = [
    {f"eval_{name}_loss": 0.5, f"eval_{name}_runtime": 1.0, "step": 900} for name in "abcdef" for _ in range(9)
]
ODD_STATES: dict[str, tuple[list[Row], dict[str, Any]]] = {
    "evaluations fill the end": (LONG + EVALUATED, {}),
    "a loss that is none in an evaluation before others": (
        [*LONG, {"eval_a_loss": math.nan, "eval_a_runtime": 1.0, "step": 900}, *EVALUATED], {},
    ),
    "nested values at the end": ([*LONG, train(901, nested={"a": 1}), train(902, nested=[{"a": 1}, {"b": 2}])], {}),
    "braces in a text": ([*LONG, train(901, note='}, {"step": 3}')], {}),
    "a second row of other keys only": ([*LONG, {"entropy": 1.0, "step": 901}] * 2, {}),
    "a loss of no number": ([*LONG, train(901, loss=None), train(902, loss="0.5")], {}),
    "a mean that is none": ([*LONG, {"train_loss": math.nan, "train_runtime": 9.0, "step": 900}], {}),
    "first rows without a step": ([{"loss": 1.0}, {"grad_norm": 1.0}, *LONG], {}),
    "no rows": ([], {"padding": "x" * 9000}),
    "searched hyperparameters": (LONG, {"stateful_callbacks": {"a": [1]}, "trial_params": {"max_steps": 7}}),
    "searched ones in a small state": (LONG[:3], {"stateful_callbacks": {"a": [1]}, "trial_params": {"max_steps": 7}}),
    "a list of mappings behind the rows": (LONG, {"others": [{"a": 1}], "padding": "x" * 5000}),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_STATES)
def test_a_state_is_told_alike_whatever_stands_in_its_rows(name: str, tmp_path: Path) -> None:
    rows, more = ODD_STATES[name]
    state(tmp_path / "trainer_state.json", rows, **more)
    agree(HF, tmp_path)


def test_a_state_with_a_mark_and_one_cut_in_its_last_number_are_told_alike(tmp_path: Path) -> None:
    marked, cut = tmp_path / "marked", tmp_path / "cut"
    state(marked / "trainer_state.json", LONG, mark=b"\xef\xbb\xbf")
    state(cut / "trainer_state.json", LONG, planned=900)
    text = (cut / "trainer_state.json").read_text()
    (cut / "trainer_state.json").write_text(text[: text.rindex("900") + 1])
    quick = agree(HF, tmp_path)
    assert {one.folder: one.max_steps for one in quick} == {"marked": 2000, "cut": None}


def test_states_of_one_plan_that_begin_otherwise_are_two_runs(tmp_path: Path) -> None:
    state(tmp_path / "checkpoint-900" / "trainer_state.json", LONG)
    state(tmp_path / "checkpoint-40" / "trainer_state.json", [train(step, loss=3.0) for step in range(1, 41)])
    assert [one.identity for one in agree(HF, tmp_path)] == ["", "checkpoint-40"]


def test_states_of_two_plans_that_share_their_rows_are_one_run(tmp_path: Path) -> None:
    state(tmp_path / "checkpoint-40" / "trainer_state.json", LONG[:40], planned=40, global_step=40)
    state(tmp_path / "checkpoint-900" / "trainer_state.json", LONG)
    assert [(one.identity, one.max_steps) for one in agree(HF, tmp_path)] == [("", 2000)]


def test_a_mean_in_the_results_shows_that_a_run_diverged(tmp_path: Path) -> None:
    state(tmp_path / "checkpoint-900" / "trainer_state.json", LONG)
    (tmp_path / "all_results.json").write_text('{"train_loss": NaN, "train_runtime": 9.0}')
    assert [one.status for one in agree(HF, tmp_path)] == ["diverged"]


def test_arguments_beside_another_checkpoint_are_found(tmp_path: Path) -> None:
    state(tmp_path / "checkpoint-900" / "trainer_state.json", LONG)
    (tmp_path / "training_args.bin").write_bytes(b"torn")
    real = HERE / "runs" / "dpo-log1" / "training_args.bin"
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "training_args.bin").write_bytes(real.read_bytes())
    assert [one.method for one in agree(HF, tmp_path)] == ["dpo"]
