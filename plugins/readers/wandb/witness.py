"""All that W&B's folders tell: a witness for each run, copies and links counted once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, RunStatus, Witness
from dpo_report.plugins.readers import method
from dpo_report.plugins.readers.collect import Told, witness
from dpo_report.plugins.readers.files import head, subs
from dpo_report.plugins.readers.points import told
from dpo_report.plugins.readers.wandb.beside import CONFIG, METADATA, NAMES, SUMMARY, Beside, home_of, is_config
from dpo_report.plugins.readers.wandb.beside import read as read_beside
from dpo_report.plugins.readers.wandb.curves import STEPS, curves
from dpo_report.plugins.readers.wandb.store import MAGIC, Store
from dpo_report.plugins.readers.wandb.store import read as read_store

NAME = "wandb"
TITLE = "Weights & Biases, offline runs and downloaded summaries"
PRECISION = 7
FILES = (
    FileKind("*.wandb", "log", "everything that W&B logged of the run: configuration, history, summary"),
    FileKind(SUMMARY, "metrics", "the last value of everything that W&B logged"),
    FileKind("debug-core.log", "other", "what W&B tells of itself"),
    FileKind("debug-internal.log", "other", "what W&B tells of itself"),
    FileKind(METADATA, "other", "the machine and the program, as W&B saw them"),
)


def detect(folder: Folder) -> Match | None:
    """Whether there are ``.wandb`` files, or what W&B writes beside them."""
    found = next((entry for entry in folder.entries if _is_store(folder, entry)), None)
    if found is not None:
        return Match(0.7, found.path)
    loose = next((entry for entry in folder.entries if _is_loose(folder, entry)), None)
    return Match(0.4, loose.path) if loose else None


def read(folder: Folder, *, ends: bool = False) -> Iterator[Witness]:
    """A witness for every run in a folder; with ``ends`` of the first and last records of its file only."""
    entries = [entry for entry in folder.entries if _is_store(folder, entry)]
    groups: dict[tuple[str, str], list[Store]] = {}
    kept: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: ("latest-run" in entry.path.split("/"), entry.path)):
        store = read_store(folder, entry, ends=ends)
        twins = groups.setdefault((home_of(entry.path).rpartition("/")[0], store.run_id or entry.path), [])
        copy = next((one for one in twins if _same(folder, kept[one.path], entry)), None)
        if copy is None:
            twins.append(store)
            kept[store.path] = entry
        else:
            copy.problems.append(Problem(store.path, f"is a copy of {copy.path}, not counted again"))
    inside = subs(folder, {_home(above, stores) for (above, _), stores in groups.items()})
    for (above, run_id), stores in groups.items():
        yield from _from_stores(inside[_home(above, stores)], _home(above, stores), run_id, stores, ends)
    taken = {home_of(entry.path) for entry in entries}
    homes = dict.fromkeys(home_of(e.path) for e in folder.entries if _is_loose(folder, e))
    loose = [home for home in homes if home not in taken]
    inside = subs(folder, loose)
    for home in loose:
        yield _from_summary(inside[home], home)


def _same(folder: Folder, one: Entry, copy: Entry) -> bool:
    """Whether a file is a copy of another, perhaps made before that was complete."""
    try:
        limit = min(copy.size, 64 << 20)
        return one.size >= copy.size and folder.read(one, limit) == folder.read(copy, limit)
    except OSError:
        return False


def _is_store(folder: Folder, entry: Entry) -> bool:
    if entry.name.endswith(".wandb"):
        return True
    return folder.only is not None and head(folder, entry)[:4] == MAGIC


def _is_loose(folder: Folder, entry: Entry) -> bool:
    if entry.name in (SUMMARY, METADATA):
        return True
    return entry.name == CONFIG and entry.size > 0 and is_config(head(folder, entry)[:400])


def _home(above: str, stores: list[Store]) -> str:
    """The folder of a run: that of its files, or the one above the folders of several."""
    homes = {home_of(store.path) for store in stores}
    return homes.pop() if len(homes) == 1 else above


def _from_stores(own: Folder, home: str, run_id: str, stores: list[Store], ends: bool) -> Iterator[Witness]:
    """One run from its files: one for each process that wrote it. Several trainings in it are told apart."""
    homes = list(dict.fromkeys(home_of(store.path) for store in stores))
    cut = len(home) + 1 if home else 0
    for store in stores:
        store.path = store.path[cut:]
        store.problems = [replace(one, where=one.where.removeprefix(f"{home}/")) for one in store.problems]
    near = [entry for entry in own.entries if entry.name in NAMES and home_of(entry.path) in {h[cut:] for h in homes}]
    if ends:  # a file of settings takes long to read, and mostly repeats those in the log
        configured = any(store.config for store in stores)
        near = [entry for entry in near if entry.name == SUMMARY or (entry.name == CONFIG and not configured)]
    rest = read_beside(own, near)
    for store in stores:
        rest.add(store)
    trainings, keys = curves(stores)
    for number, training in enumerate(trainings, 1):
        attempt = f"attempt-{number}" if len(trainings) > 1 else ""
        identity = "-".join(filter(None, (run_id if len(homes) > 1 else "", attempt)))
        log = told(training.parts, keys) if training.parts else Told()
        if number == len(trainings):
            log.summary |= rest.summary(keys)
        problems = [problem for store in stores for problem in store.problems] + training.problems
        files = [store.path for store in stores]
        yield _witness(log, files, home, identity, stores[-1], rest, problems, training.last)


def _from_summary(folder: Folder, home: str) -> Witness:
    """A run of which only the files beside the history are there."""
    rest = read_beside(folder, [e for e in folder.entries if e.name in NAMES and home_of(e.path) == ""])
    log = Told(summary=rest.summary(()))
    step = next((int(rest.numbers[key]) for key in STEPS if 0 <= rest.numbers.get(key, -1.0) < 1 << 53), None)
    return _witness(log, [], home, "", None, rest, [], step)


def _witness(
    log: Told,
    files: list[str],
    home: str,
    identity: str,
    store: Store | None,
    rest: Beside,
    problems: list[Problem],
    step: int | None,
) -> Witness:
    known = method.tell({one.name for one in log.series if one.split == "train"}, rest.settings)
    limit = rest.settings.get("max_steps")
    planned = limit.value if limit is not None and type(limit.value) is int and limit.value > 0 else None
    ended: RunStatus = "unknown"
    if {"train_loss", "train_runtime"} & log.summary.keys():
        ended = "completed"
    elif store is not None and store.exit_code is None and store.rows:
        problems.append(Problem(store.path, "W&B never recorded that this run ended: it was killed, or still runs"))
    elif store is not None and store.exit_code is not None:
        ended = "incomplete" if store.exit_code else "completed" if planned is None else "unknown"
    return witness(
        NAME,
        log,
        [*files, *rest.files],
        identity=identity,
        folder=home,
        name=store.name if store is not None else "",
        trainer=known.trainer,
        method=known.said,
        settings=rest.settings,
        versions=rest.versions,
        problems=[*problems, *rest.problems],
        step=step,
        planned=planned,
        ended=ended,
        precision=PRECISION,
    )


READER = Reader(NAME, detect, read, TITLE, FILES, partial(read, ends=True))
