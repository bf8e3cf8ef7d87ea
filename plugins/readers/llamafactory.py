"""LLaMA-Factory: ``trainer_log.jsonl``, and the YAML that a run was started with (in the run's folder, or given).

As its log callback writes them: ``current_steps`` of ``total_steps``; ``accuracy`` is TRL's ``rewards/accuracies``;
nulls where a stage logs nothing; a closing line without a loss; a predict stage that logs nothing but its progress.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Setting, Witness
from dpo_report.plugins.readers.collect import Method, Told, witness
from dpo_report.plugins.readers.files import head
from dpo_report.plugins.readers.hf.state import is_pointer
from dpo_report.plugins.readers.keys import Key, mapping
from dpo_report.plugins.readers.layout import Found, Layout, first_of, without
from dpo_report.plugins.readers.numbers import whole
from dpo_report.plugins.readers.settings import also_named, from_yaml, read_yaml
from dpo_report.plugins.readers.tabular import read_jsonl

NAME = "llamafactory"
_LOG = "trainer_log.jsonl"
_METHODS = {"sft": "sft", "dpo": "dpo", "kto": "kto", "rm": "reward", "ppo": "ppo", "pt": "pretraining"}
_BY_LOSS = {"orpo": "orpo", "simpo": "simpo"}
_ALIASES = {"pref_beta": "beta", "pref_loss": "loss_type", "kto_beta": "beta", "model_name_or_path": "base_model"}
_NOT_LOGGED = ("current_steps", "total_steps", "percentage", "elapsed_time", "remaining_time", "throughput")
_RENAMED = {"accuracy": "rewards/accuracies", "lr": "learning_rate", "predict_loss": "predict_loss"}
_YAML = (".yaml", ".yml")
_LOOKED_AT = 4
_YAML_MARKS = (b"finetuning_type:", b"model_name_or_path:", b"stage:", b"template:", b"output_dir:", b"cutoff_len:")


def _knows(name: str, start: bytes) -> float:
    if b'"current_steps"' in start and b'"total_steps"' in start:
        return 0.95
    return 0.8 if name == _LOG else 0.0


def _namer(keys: Iterable[str]) -> Mapping[str, Key]:
    listed = list(keys)
    known = mapping(_RENAMED.get(key, key) for key in listed)
    return {key: known[_RENAMED.get(key, key)] for key in listed}


def _complete(folder: Folder, found: Found) -> None:
    last = found.last
    planned, done = whole(first_of("total_steps")(last)), whole(first_of("current_steps")(last))
    beside = [entry for entry in folder.entries if not entry.parent and entry.path.lower().endswith(_YAML)]
    config = next((entry for entry in beside if _is_config(folder, entry)), None)
    settings = _settings(folder, config, found.problems) if config else {}
    if config is None:
        for entry in beside[:_LOOKED_AT]:  # what cannot be read may be it, and is told; so is a pointer elsewhere
            if not is_pointer(head(folder, entry)):
                read_yaml(folder, entry, found.problems)
    if config:
        found.files.append(config.path)
    found.extra |= {"settings": settings, "method": method_of(settings), "trainer": "llamafactory"}
    logged = any(one.name != "epoch" for one in found.told.series)
    if not logged and done is not None and settings_value(settings, "do_train") is not True:
        progress = f"its log tells only its progress: {done:,} of {planned or 0:,} batches"
        found.problems.append(Problem(found.file, f"an evaluation or prediction, no training; {progress}"))
        found.extra["method"] = None
        return
    reached = found.told.last_step()
    if done is not None and reached is not None and reached > done:
        text = f"its last line is of step {done:,}, an earlier one of step {reached:,}"
        found.problems.append(
            Problem(found.file, f"{text}: it was resumed from before that, or two trainings wrote it")
        )
        done, planned = reached, planned if planned and planned >= reached else None
    if done is not None:
        found.extra["step"] = done
    if planned:
        found.extra["planned"] = planned


def _is_config(folder: Folder, entry: Entry) -> bool:
    if not entry.path.lower().endswith(_YAML):
        return False
    start = head(folder, entry)
    return sum(start.startswith(mark) or b"\n" + mark in start for mark in _YAML_MARKS) >= 2


def _settings(folder: Folder, entry: Entry, problems: list[Problem]) -> dict[str, Setting]:
    """The YAML's settings; those that TRL names otherwise also under its names."""
    return also_named(from_yaml(folder, entry, problems), _ALIASES)


def settings_value(settings: Mapping[str, Setting], name: str) -> Any:
    """The value of a setting, or None."""
    known = settings.get(name)
    return known.value if known else None


def method_of(settings: Mapping[str, Setting]) -> Method | None:
    """The method that LLaMA-Factory's ``stage`` and ``pref_loss`` tell."""
    stage, loss = settings_value(settings, "stage"), settings_value(settings, "pref_loss")
    method = _METHODS.get(stage) if isinstance(stage, str) else None
    if method is None:
        return None
    if method == "dpo" and isinstance(loss, str) and loss in _BY_LOSS:
        return _BY_LOSS[loss], f"the configuration says stage: dpo, pref_loss: {loss}", 1.0
    return method, f"the configuration says stage: {stage}", 1.0


LAYOUT = Layout(
    NAME,
    "LLaMA-Factory",
    (".jsonl",),
    _knows,
    read_jsonl,
    first_of("current_steps"),
    cells=without(*_NOT_LOGGED),
    namer=_namer,
    where="line {row}, key {key}",
    complete=_complete,
    precision=6,
    files=(
        FileKind(_LOG, "log", "LLaMA-Factory's log: one line for each logged step, with progress and time"),
        FileKind("training_args.yaml", "config", "the arguments that LLaMA-Factory was started with"),
        FileKind("llamaboard_config.yaml", "config", "what was chosen in LLaMA-Factory's web page"),
        FileKind("running_log.txt", "log", "what LLaMA-Factory printed while training"),
        FileKind("training_*.png", "other", "a curve that LLaMA-Factory drew"),
    ),
)


def _detect(folder: Folder) -> Match | None:
    """A log of LLaMA-Factory's, or its configuration alone."""
    match = LAYOUT.reader().detect(folder)
    if match is None and folder.only is not None and _is_config(folder, folder.entries[0]):
        return Match(0.6, "finetuning_type, stage")
    return match


def _read(folder: Folder) -> Iterator[Witness]:
    if folder.only is not None and _is_config(folder, folder.entries[0]):
        entry = folder.entries[0]
        problems: list[Problem] = []
        settings = _settings(folder, entry, problems)
        given = Told()
        yield witness(
            NAME, given, [entry.path], settings=settings, method=method_of(settings), problems=problems, precision=1
        )
        return
    yield from LAYOUT.reader().read(folder)


READER = Reader(NAME, _detect, _read, LAYOUT.title, LAYOUT.files)
