"""Tables by epoch with headers of their own: fastai, Ultralytics, simpletransformers, and skorch's history."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dpo_report.core.contract import FileKind
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.files import first_line, load_json
from dpo_report.plugins.readers.layout import Found, Layout, first_of, renamed, without
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import also_named, from_json, from_yaml
from dpo_report.plugins.readers.tabular import Row, columns, read_csv

# fastai: history.csv of CSVLogger; a second fit with append=True begins with the header again


def _knows_fastai(name: str, start: bytes) -> float:
    header = columns(first_line(start))
    shaped = header[:3] == ["epoch", "train_loss", "valid_loss"]
    return (0.9 if "time" in header else 0.7) if shaped else 0.0


FASTAI = Layout(
    "fastai",
    "fastai",
    (".csv",),
    _knows_fastai,
    read_csv,
    first_of("epoch"),
    cells=without("epoch", "time"),
    namer=renamed(lambda key: key if key in ("train_loss", "valid_loss") else f"valid_{key}"),
    counts="epoch",
    note="fastai logs by epoch and counts from 0; train_loss is a moving average, not the epoch's mean",
    complete=lambda _folder, found: found.extra.update(trainer="fastai.Learner"),
    precision=5,
    files=(FileKind("history.csv", "log", "fastai's log: one row for each epoch"),),
).reader()


# Ultralytics: results.csv and args.yaml

_BOXES = ("train/box_loss", "train/loss", "metrics/mAP50(B)", "metrics/accuracy_top1")


def _knows_ultralytics(name: str, start: bytes) -> float:
    header = columns(first_line(start))
    return 0.95 if "epoch" in header and any(mark in header for mark in _BOXES) and "step" not in header else 0.0


_ULTRALYTICS = {"epochs": "num_train_epochs", "model": "base_model"}
"""How Ultralytics names what is known by other names elsewhere."""


def _complete_ultralytics(folder: Folder, found: Found) -> None:
    config = next((entry for entry in folder.entries if entry.path == "args.yaml"), None)
    settings = from_yaml(folder, config, found.problems) if config else {}
    automatic = "optimizer" in settings and settings["optimizer"].value == "auto"  # then lr0 is not used
    settings = also_named(settings, _ULTRALYTICS if automatic else _ULTRALYTICS | {"lr0": "learning_rate"})
    if config:
        found.files.append(config.path)
    found.extra |= {"settings": settings, "trainer": "ultralytics"}
    done, planned = found.told.last_step(), number(settings["epochs"].value) if "epochs" in settings else None
    first = min((float(one.steps[0]) for one in found.told.series if len(one)), default=1.0)
    if done is None:
        return
    done += first == 0
    if planned is None:
        return
    patience = number(settings["patience"].value) if "patience" in settings else None
    timed = "time" in settings and number(settings["time"].value) is not None
    may_stop = patience is None or 0 < patience < done or timed
    found.extra["ended"] = "completed" if done >= planned else "unknown" if may_stop else "incomplete"
    if done < planned:
        why = "stopped early by patience, or interrupted; the files do not tell which"
        why = why if may_stop else "interrupted, or it still runs"
        found.problems.append(Problem(found.file, f"{done:g} of {planned:g} epochs: {why}"))


ULTRALYTICS = Layout(
    "ultralytics",
    "Ultralytics YOLO",
    (".csv",),
    _knows_ultralytics,
    read_csv,
    first_of("epoch"),
    cells=without("epoch", "time"),
    counts="epoch",
    note="Ultralytics logs by epoch; its best weights are of the epoch with the best fitness, not of the last one",
    complete=_complete_ultralytics,
    files=(
        FileKind("results.csv", "log", "the log of an Ultralytics run: one row for each epoch"),
        FileKind("args.yaml", "config", "the arguments of an Ultralytics run"),
    ),
).reader()


# simpletransformers: training_progress_scores.csv, whose other columns are of the evaluation


_SAVED = re.compile(r"^checkpoint-(\d{1,15})-epoch-(\d{1,9})/")


def _knows_simple(name: str, start: bytes) -> float:
    header = columns(first_line(start))  # which others write too, under names of their own
    named = name == "training_progress_scores.csv"
    return 0.95 if named and "global_step" in header and "train_loss" in header else 0.0


def _complete_simple(folder: Folder, found: Found) -> None:
    found.extra["trainer"] = "simpletransformers"
    config = next((entry for entry in folder.entries if entry.path == "model_args.json"), None)
    if config is None:
        return
    found.files.append(config.path)
    settings = from_json(folder, config, found.problems)
    found.extra["settings"] = settings
    planned, done = settings.get("num_train_epochs"), found.told.last_step()
    ends = (_SAVED.match(entry.path) for entry in folder.entries)
    last = max(((int(end[1]), int(end[2])) for end in ends if end), default=None)
    if planned and last is not None and last[0] == done and last[1] == number(planned.value):
        found.extra |= {"ended": "completed", "planned": done}


SIMPLE = Layout(
    "simpletransformers",
    "simpletransformers",
    (".csv",),
    _knows_simple,
    read_csv,
    first_of("global_step"),
    cells=without("global_step", ""),
    namer=renamed(lambda key: key if key in ("train_loss", "eval_loss") else f"eval_{key}"),
    note="simpletransformers' train_loss is that of the one batch before each evaluation",
    complete=_complete_simple,
    files=(FileKind("training_progress_scores.csv", "log", "train loss and evaluation scores at every evaluation"),),
).reader()


# skorch: history.json, a list of epochs with their batches inside


_RATE = "event_lr"
"""What skorch's LRScheduler records."""


def _knows_skorch(name: str, start: bytes) -> float:
    shaped = start.lstrip()[:1] == b"[" and b'"batches"' in start and b'"epoch"' in start
    return 0.95 if shaped else 0.0


def _skorch_rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    for place, row in enumerate(load_json(folder, entry, problems, list) or []):
        if isinstance(row, dict):
            yield Row(place, row)


def _skorch_cells(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Losses, scores and the rate; not whether a score is the best so far, nor what other callbacks record."""
    own = without("epoch", "batches", "dur", "train_batch_count", "valid_batch_count")(cells)
    return {key: cell for key, cell in own.items() if key == _RATE or not key.startswith("event_")}


def _skorch_name(key: str) -> str:
    if key == _RATE:
        return "learning_rate"
    return key if key.startswith(("train_", "valid_")) else f"valid_{key}"


SKORCH = Layout(
    "skorch",
    "skorch",
    (".json",),
    _knows_skorch,
    _skorch_rows,
    first_of("epoch"),
    cells=_skorch_cells,
    namer=renamed(_skorch_name),
    where="[{row}].{key}",
    counts="epoch",
    note="skorch logs by epoch; a score whose name tells no data set is of the validation data, as skorch has it",
    complete=lambda _folder, found: found.extra.update(trainer="skorch.NeuralNet"),
    files=(FileKind("history.json", "log", "losses and scores of every epoch"),),
).reader()

READERS = (FASTAI, ULTRALYTICS, SIMPLE, SKORCH)
