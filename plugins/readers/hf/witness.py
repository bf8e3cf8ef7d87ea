"""All that a Hugging Face Trainer or TRL run directory tells, put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from dpo_report.core.contract import Match
from dpo_report.core.folder import Entry, Folder, natural
from dpo_report.core.growing import unchanged
from dpo_report.core.model import Datum, Problem, Source, Witness
from dpo_report.plugins.readers.hf import checkpoints
from dpo_report.plugins.readers.hf.columns import tabulate
from dpo_report.plugins.readers.hf.final import continued, evaluation, weights_of
from dpo_report.plugins.readers.hf.identity import Known, merged, same_run
from dpo_report.plugins.readers.hf.pickles import tidy
from dpo_report.plugins.readers.hf.results import NAMES, as_float, read_results
from dpo_report.plugins.readers.hf.settings import tell
from dpo_report.plugins.readers.hf.state import LFS, LFS_HINT, LFS_PROBLEM, is_pointer, read_state
from dpo_report.plugins.readers.hf.status import planned_epochs, status

NAME = "hf_trainer"
SMALL = 64 << 20
"""Up to this size of all states together every one is read whole."""
HEAD = 512 << 10
"""Of the older ones of larger runs this much is compared."""
EVENTS = "events.out.tfevents.*"
POINTER = 400
"""Git LFS pointers are smaller than this."""
MOST_POINTERS = 5000
_KEPT = ("best_metric", "best_global_step", "best_model_checkpoint", "total_flos", "num_input_tokens_seen")


def detect(folder: Folder) -> Match | None:
    """Whether a folder (or a single file) is a Trainer's."""
    if folder.only is not None:
        head = folder.read(folder.only, 1 << 16)
        if b'"log_history"' in head:
            return Match(0.9, "log_history")
        return Match(0.6, "train_runtime") if b'"train_' in head or b'"eval_' in head else None
    places = checkpoints.find(folder)
    if not places:
        return None
    best = max(places, key=lambda place: place.sure)
    return Match(best.sure, best.evidence)


def read(folder: Folder) -> Iterator[Witness]:
    """A witness for every run in a folder."""
    if folder.only is not None:
        yield from _read_file(folder, folder.entries[0])
        return
    for place in checkpoints.find(folder):
        yield from read_place(place)


def read_place(place: checkpoints.Place) -> Iterator[Witness]:
    """The witnesses of one run's folder."""
    for witness in _read_run(place.folder, place.state):
        yield replace(witness, folder=place.home)


def _read_file(folder: Folder, entry: Entry) -> Iterator[Witness]:
    if b'"log_history"' in folder.read(entry, 1 << 16) or entry.name == checkpoints.STATE:
        yield _witness(folder, [_known(folder, entry)], "", {}, ())
        return
    problems: list[Problem] = []
    summary = read_results(folder, entry.path, problems)
    if summary:
        yield _witness(folder, [], "", summary, tuple(problems))


def _read_run(folder: Folder, name: str) -> Iterator[Witness]:
    """The main run of a folder first, then the owners of checkpoints that belong to others."""
    entries = [entry for entry in folder.named(name) if _is_state_of(entry)]
    entries.sort(key=lambda e: (checkpoints.step_of(e.parent) or 0) if e.parent else 1 << 62)
    problems: list[Problem] = []
    summary: dict[str, Datum] = {}
    results = [read_results(folder, result, problems) for result in NAMES if result in folder]
    for told in results:
        for key, datum in (told or {}).items():
            _keep(summary, key, datum, problems)
    groups = _grouped(folder, entries)
    if not groups:
        unread = [problem for entry in entries for problem in _known(folder, entry).state.problems]
        yield _witness(folder, [], "", summary, (*problems, *unread), blind=bool(entries) or None in results)
        return
    main = next((g for g in groups if any("/" not in k.state.file for k in g)), groups[0])
    problems += [_other_run(main, group) for group in groups if group is not main]
    others = _homes(known for group in groups if group is not main for known in group)
    yield _witness(folder, main, "", summary, tuple(problems), others, evaluated=evaluation([t for t in results if t]))
    for group in groups:
        if group is not main:
            yield _witness(folder, group, group[0].state.file.rpartition("/")[0], {}, ())


def _homes(states: Iterable[Known]) -> frozenset[str]:
    return frozenset(known.state.file.rpartition("/")[0] for known in states)


def _is_state_of(entry: Entry) -> bool:
    """States at the top, in checkpoints and in parts such as ``best_model``, not deeper."""
    return entry.path.count("/") <= 1


def _known(folder: Folder, entry: Entry, limit: int | None = None) -> Known:
    def read() -> Known:
        state = read_state(folder, entry, limit)
        return Known(state, tabulate(state.history))

    return unchanged(folder.root / entry.path, f"{NAME} {entry.path} {limit}", read)


def _grouped(folder: Folder, entries: list[Entry]) -> list[list[Known]]:
    """States by run, each run's most telling state first; the run that went furthest first.

    Where they are large together, only the newest are read whole, and of the others as much as shows whose they are.
    """
    large = sum(entry.size for entry in entries) > SMALL
    newest = {entry.path for entry in entries[-2:]}
    known = [_known(folder, e, HEAD if large and e.path not in newest else None) for e in entries]
    groups: list[list[Known]] = []
    for one in sorted((k for k in known if k.state.readable), key=lambda k: k.rank, reverse=True):
        group = next((g for g in groups if same_run(g[0], one)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    by_path = {entry.path: entry for entry in entries}
    for group in groups:
        if large and group[0].state.file not in newest:
            group[0] = _known(folder, by_path[group[0].state.file])
    return groups


def _other_run(main: list[Known], other: list[Known]) -> Problem:
    files = [known.state.file.rpartition("/")[0] or known.state.file for known in other]
    names = ", ".join(sorted(files, key=natural))
    planned, theirs = main[0].state.whole("max_steps"), other[0].state.whole("max_steps")
    why = "its rows differ"
    if theirs and planned and theirs != planned:
        why = f"planned for {theirs:,} steps, not {planned:,}"
    return Problem(names, f"belongs to another training run ({why}); left out", "report it on its own, by its path")


def _witness(
    folder: Folder,
    group: list[Known],
    identity: str,
    results: Mapping[str, Datum],
    problems: tuple[Problem, ...],
    others: frozenset[str] = frozenset(),
    blind: bool = False,
    evaluated: Mapping[str, Datum] = MappingProxyType({}),
) -> Witness:
    """Put together what one run's files tell; ``blind`` where files with metrics could not be read."""
    series = merged(group) if group else []
    told = tell(folder, group, series, others, main=not identity, trained=bool(results))
    found = list(problems)
    summary = _summary(group, results, found)
    leader = group[0].state if group else None
    step = group[0].step if group else None
    planned = leader.whole("max_steps") if leader else None
    planned = planned if planned and planned > 0 else None
    member = leader.members.get("epoch") if leader else None
    epoch = _epoch(member, summary)
    series = continued(series, evaluated, weights_of(evaluated, step, member, summary, told.settings), step, found)
    found += [*_group_problems(group), *told.problems]
    ended = status(step, planned, series, summary, planned_epochs(told.settings))
    if not group and not results:
        ended = "unknown" if blind or folder.named(EVENTS) else "no-metrics"
    states = tuple(known.state.file for known in group)
    return Witness(
        NAME,
        identity,
        tuple(dict.fromkeys((*states, *(d.source.file for d in results.values()), *told.files))),
        told.name,
        told.method.trainer,
        told.method.method,
        told.method.why,
        ended,
        step if step is not None and step >= 0 else None,
        planned,
        epoch,
        told.versions,
        told.settings,
        summary,
        tuple(series),
        tuple(_pointers(folder, found)),
        precision=10,
        method_sure=told.method.sure,
    )


def _epoch(member: Any, summary: Mapping[str, Datum]) -> float | None:
    if isinstance(member, int | float) and not isinstance(member, bool):
        return as_float(member)
    told = summary.get("epoch")
    return told.value if told is not None and isinstance(told.value, float) else None


def _summary(group: list[Known], results: Mapping[str, Datum], problems: list[Problem]) -> dict[str, Datum]:
    """The closing row, then what only the results files or the state's own members tell."""
    found: dict[str, Datum] = {}
    closing = next((known for known in group if known.table.summary), None)
    if closing:
        for key, (value, row) in closing.table.summary.items():
            found[key] = Datum(value, Source(closing.state.file, f"log_history[{row}].{key}"))
    for key, datum in results.items():
        _keep(found, key, datum, problems)
    for known in group[:1]:
        for key in _KEPT:
            member = known.state.members.get(key)
            if isinstance(member, str):  # a path on the machine that trained
                name = tidy(member.replace("\\", "/").rstrip("/").rpartition("/")[2])
                found.setdefault(key, Datum(name, Source(known.state.file, key)))
            elif isinstance(member, int | float) and not isinstance(member, bool):
                found.setdefault(key, Datum(as_float(member), Source(known.state.file, key)))
    return found


def _keep(found: dict[str, Datum], key: str, datum: Datum, problems: list[Problem]) -> None:
    """Add a value; where another file told it before, that one stays, and a real difference is told."""
    kept = found.setdefault(key, datum).value
    value = datum.value
    if kept == value or isinstance(kept, str) or isinstance(value, str) or key == "epoch":
        return
    if abs(kept - value) > 1e-3 * max(abs(kept), abs(value)):
        said = f"{key} is {value:g} here and {kept:g} in {found[key].source.file}; the latter is used"
        problems.append(Problem(datum.source.file, said))


def _group_problems(group: list[Known]) -> list[Problem]:
    found = [problem for known in group for problem in known.state.problems]
    if group:
        leader = group[0]
        found += [Problem(leader.state.file, text) for text in leader.table.problems]
        root = next((known for known in group if "/" not in known.state.file), None)
        if root is not None and root is not leader and root.step < leader.step:
            where = leader.state.file.rpartition("/")[0]
            said = f"stands at step {root.step:,}; {where} (step {leader.step:,}) is used instead"
            found.append(Problem(root.state.file, said))
    return found


def _pointers(folder: Folder, told: list[Problem]) -> list[Problem]:
    """The problems with Git LFS pointers told once for all files, also for those that nothing else reads."""
    found = {problem.where for problem in told if problem.message == LFS_PROBLEM}
    small = [entry for entry in folder.entries if len(LFS) < entry.size < POINTER and entry.path not in found]
    for entry in small[:MOST_POINTERS]:
        with suppress(OSError):
            if is_pointer(folder.read(entry, len(LFS))):
                found.add(entry.path)
    others = [problem for problem in dict.fromkeys(told) if problem.message != LFS_PROBLEM]
    if len(found) < 2:
        return [*(Problem(where, LFS_PROBLEM, LFS_HINT) for where in found), *others]
    wanted = {problem.where for problem in told if problem.message == LFS_PROBLEM}
    first = min(
        wanted or found, key=lambda path: (not path.endswith(checkpoints.STATE), path.count("/"), natural(path))
    )
    return [Problem(first, f"and {len(found) - 1} more: each {LFS_PROBLEM}", LFS_HINT), *others]
