"""All that the event files of a folder tell: a witness for each run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Folder
from dpo_report.core.model import Problem, Setting, Witness
from dpo_report.plugins.readers import method
from dpo_report.plugins.readers.collect import TRAINERS_OWN, witness
from dpo_report.plugins.readers.files import head
from dpo_report.plugins.readers.keys import canonical, mapping, split_of, tells_split
from dpo_report.plugins.readers.points import told
from dpo_report.plugins.readers.tensorboard.arguments import settings
from dpo_report.plugins.readers.tensorboard.attempts import Attempt, attempts
from dpo_report.plugins.readers.tensorboard.axes import placed
from dpo_report.plugins.readers.tensorboard.ends import briefly
from dpo_report.plugins.readers.tensorboard.eventfile import EventFile, brief, is_event_file
from dpo_report.plugins.readers.tensorboard.eventfile import read as read_file

NAME = "tensorboard"
TITLE = "TensorBoard event files"
PRECISION = 4
"""Scalars are single precision."""
FILES = (FileKind("*.tfevents.*", "log", "the logged curves for TensorBoard"),)
_STAMP = re.compile(r"^\d{9,11}\.\d+$")
_COUNTS_EPOCHS = "epoch_loss"


def detect(folder: Folder) -> Match | None:
    """Whether there are event files."""
    found = [entry for entry in folder.entries if is_event_file(entry)]
    if folder.only is not None and not found and b"brain.Event:" in head(folder, folder.entries[0])[:200]:
        found = list(folder.entries)
    return Match(0.6, found[0].path) if found else None


def read(folder: Folder, *, ends: bool = False) -> Iterator[Witness]:
    """A witness for every run in a folder; with ``ends`` of the beginning and the end of its files only."""
    entries = [entry for entry in folder.entries if is_event_file(entry) or folder.only is not None]
    homes: dict[str, list[EventFile]] = {}
    known = briefly(folder, entries) if ends else {}
    for entry in entries:
        told_of = known.get(entry.path)
        file = read_file(folder, entry) if told_of is None else brief(entry, told_of)
        homes.setdefault(entry.parent, []).append(file)
    for home, files in _joined(homes).items():
        yield from _read_home(home, files)


def _joined(homes: dict[str, list[EventFile]]) -> dict[str, list[EventFile]]:
    """Files by run folder, with paths relative to it: sub-folders that a writer makes for its own use belong to it."""
    found: dict[str, list[EventFile]] = {}
    for home, files in homes.items():
        for file in files:
            run, added = _drawn_apart(home, file, homes) or (home, None)
            above, _, last = home.rpartition("/")
            if added is None and home:
                beside = {one.writer for one in homes.get(above, ())}
                added = _added(last, file, file.writer in beside)
                run = home if added is None else above
            path = file.path[len(run) + 1 :] if run else file.path
            found.setdefault(run, []).append(file.seen_from(path, *(added or ())))
    return found


def _drawn_apart(
    home: str, file: EventFile, homes: Mapping[str, list[EventFile]]
) -> tuple[str, tuple[str, str]] | None:
    """The run's folder of a curve that tensorboardX's ``add_scalars`` drew, and what its name adds to the tag.

    It writes the curve ``val`` of the tag ``Loss/all`` into the folder ``Loss/all/val`` of the run.
    """
    above, _, curve = home.rpartition("/")
    tags = list(file.points)
    if file.writer or len(tags) != 1 or not f"/{above}".endswith(f"/{tags[0]}"):
        return None
    run = above[: -len(tags[0])].rstrip("/")
    return (run, ("", f"/{curve}")) if run in homes else None


def _added(folder: str, file: EventFile, same_writer: bool) -> tuple[str, str] | None:
    """What a folder's name puts before and behind the tags of a file in it; None where the folder is a run of its own.

    Keras writes ``train`` and ``validation``; ``add_scalars`` a folder ``Loss_val`` for a curve of the tag ``Loss``;
    ``add_hparams`` a folder named after the time.
    """
    tags = list(file.points)
    split = split_of(folder)
    if split is not None and all(not tells_split(tag) or canonical(tag).split == split for tag in tags):
        return f"{folder}/", ""
    if same_writer and _STAMP.match(folder):
        return "", ""
    named = same_writer and bool(file.writer)
    if named and len(tags) == 1 and folder.startswith(stem := tags[0].replace("/", "_") + "_"):
        return "", "/" + folder[len(stem) :]
    return None


def _read_home(home: str, files: list[EventFile]) -> Iterator[Witness]:
    readable = [file for file in files if file.readable]
    found = attempts(readable)
    for number, attempt in enumerate(found, 1):
        yield _witness(home, attempt, f"attempt-{number}" if len(found) > 1 else "")
    if not readable:
        problems = [problem for file in files for problem in file.problems]
        yield Witness(NAME, "", tuple(file.path for file in files), problems=tuple(problems), folder=home)


def _witness(home: str, attempt: Attempt, identity: str) -> Witness:
    parts = attempt.parts()
    keys = mapping(key for part in parts for key in part.columns)
    found: dict[str, Setting] = {}
    problems = [*attempt.problems, *(problem for file in attempt.files for problem in file.problems)]
    log = told([placed(part, keys, problems) for part in parts], keys)
    for file in attempt.files:
        found |= settings(file)
    if any(key.endswith(_COUNTS_EPOCHS) for key in keys):
        problems.append(Problem(attempt.files[0].path, "the steps of epoch_loss and the like count epochs from 0"))
    known = method.tell({one.name for one in log.series if one.split == "train"}, found)
    steps = [int(one.steps[-1]) for one in log.series if one.split == "train" and len(one)]
    steps += [int(points.steps[-1]) for part in parts for points in part.closing.values()]
    epoch = log.summary.get("epoch")
    limit = found.get("max_steps")
    planned = limit.value if limit is not None and type(limit.value) is int and limit.value > 0 else None
    counts = _counts_updates(keys, found)
    version = found.get("model.transformers_version") if counts else None
    return witness(
        NAME,
        log,
        [file.path for file in attempt.files],
        identity=identity,
        folder=home,
        trainer=known.trainer,
        method=known.said,
        settings=found,
        versions={"transformers": version.value} if version is not None and isinstance(version.value, str) else {},
        problems=problems,
        step=max(steps, default=None) if counts else None,
        epoch=epoch.value if epoch is not None and isinstance(epoch.value, float) else None,
        planned=planned,
        ended="completed" if {"train_loss", "train_runtime"} & log.summary.keys() else "unknown",
        precision=PRECISION,
    )


def _counts_updates(keys: Iterable[str], found: Mapping[str, Setting]) -> bool:
    """Whether the steps are a Trainer's optimizer steps: it logs ``train/epoch`` or its arguments beside them.

    Other writers count epochs, environment steps or calls, and do not say which.
    """
    return "train/epoch" in keys or TRAINERS_OWN in found


READER = Reader(NAME, detect, read, TITLE, FILES, partial(read, ends=True))
