"""A directory becomes a run: readers are asked, what they tell is grouped and merged, contradictions are told."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from dpo_report.core import remote
from dpo_report.core.above import CHECKPOINT, with_folder_above
from dpo_report.core.continued import sentences, span
from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.errors import NothingThereError, ReportError
from dpo_report.core.facts import Facts, read_facts
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.glances import glances
from dpo_report.core.grouping import Group, grouped
from dpo_report.core.merge import merge, moved
from dpo_report.core.model import Problem, Run, RunFile, Witness
from dpo_report.core.refusals import damage, nothing, offer
from dpo_report.core.unreached import without_password

if TYPE_CHECKING:
    from dpo_report.core.host.declared import Provided
    from dpo_report.core.manager import Host
    from dpo_report.core.why import Trace

_NUMBER = re.compile(r"^[0-9a-f]{32}$")
"""A folder's name that a machine gave it."""
_NAMELESS = frozenset(
    {"run", "runs", "out", "output", "outputs", "result", "results", "model", "models", "checkpoints", "tmp", ""}
)
_LISTED = 30
_NAMED = 3
_MOST_FILES = 2_000
"""Files of a folder in which a name that is no file is looked for among its runs."""
ASSUMED = 0.2
"""A reader that is less sure than this only assumes that it knows a file."""

Found = tuple["Provided[Reader]", Match]


def load(path: Path | str, *, host: Host | None = None, with_files: Iterable[Path | str] = ()) -> Run:
    """Read one training run from a folder, a checkpoint folder or a single log file, here or at a URL.

    ``with_files`` are further files outside the folder that belong to the run.

    Raises:
        ReportError: nothing there tells of a run, or several runs lie below the folder and none at its top.
    """
    root, runs = _at(path, host, with_files)
    return one_of(runs, path, root)


def one_of(runs: Sequence[Run], path: Path | str, root: Path) -> Run:
    """The run that a path means, of those that were read from it; ``root`` is its folder on disk.

    Raises:
        ReportError: it holds several, and none at its top.
    """
    first = runs[0]
    if is_parent(runs, root):
        listed = "\n".join(_line(run, root) for run in runs[:_LISTED])
        more = f"\n  and {len(runs) - _LISTED} more" if len(runs) > _LISTED else ""
        spans = {place_of(run, root): logged for run in runs if (logged := span(run))}
        resumed = "".join(f"\n  {sentence}" for sentence in sentences(spans))
        raise ReportError(
            f"{without_password(path)} holds {len(runs)} runs:\n{listed}{more}{resumed}",
            offer(folder_of(path), [(place_of(run, root), run.status, run.global_step) for run in runs]),
        )
    below = [place_of(run, root) for run in runs if run.directory != first.directory]
    if below:
        said = "1 more run lies" if len(below) == 1 else f"{len(below)} more runs lie"
        named = ", ".join(below[:_NAMED]) + (", ..." if len(below) > _NAMED else "")
        other = Problem(
            ".", f"{said} below this folder, not in this report", f"give their paths to report them: {named}"
        )
        return replace(first, problems=(*first.problems, other))
    return first


def folder_of(path: Path | str) -> Path | str:
    """The folder whose runs a path tells of, as it was typed: of a log file the one that it is in."""
    return Path(path).parent if not remote.is_url(path) and Path(path).is_file() else path


def is_parent(runs: Sequence[Run], root: Path) -> bool:
    """Whether a folder holds several runs and is none itself."""
    first = runs[0]
    return len(runs) > 1 and (first.directory != root or bool(first.witnesses[0].identity))


def place_of(run: Run, root: Path) -> str:
    """A run's path from a folder, with its identity where several stand in one folder."""
    home = run.directory.relative_to(root).as_posix() if run.directory.is_relative_to(root) else run.name
    return "/".join(filter(None, ("" if home == "." else home, run.witnesses[0].identity))) or "."


def load_all(
    path: Path | str, host: Host | None = None, with_files: Iterable[Path | str] = (), trace: Trace | None = None
) -> list[Run]:
    """Read every run in a folder, those at its top first.

    Where several runs stand in one folder, its path with a run's identity behind it (``logs/attempt-3``) is that run.
    ``trace`` takes down what happened on the way.

    Raises:
        ReportError: nothing there tells of a run.
    """
    return _at(path, host, with_files, trace)[1]


def _at(
    path: Path | str, host: Host | None, with_files: Iterable[Path | str], trace: Trace | None = None
) -> tuple[Path, list[Run]]:
    """The runs at a path, and its folder on disk."""
    if host is None:
        from dpo_report.core.manager import default_host

        host = default_host()
    extra = [Path(file) for file in with_files]
    if remote.is_url(path):
        try:
            folder = remote.open_url(str(path))
        except NothingThereError:
            above, _, name = str(path).rstrip("/").rpartition("/")
            chosen = _by_identity(above, name, host, extra, trace) if remote.is_url(above) else []
            if not chosen:
                raise
            return chosen[0].directory, chosen
        return folder.root, loaded(folder, path, host, extra, trace)
    place = Path(path)
    if not place.exists() and place.parent.is_dir():
        chosen = _by_identity(place.parent, place.name, host, extra, trace)
        if chosen:
            return place.parent, chosen
    runs = loaded(Folder.open(place), place, host, extra, trace)
    if CHECKPOINT.match(place.resolve().name) and not place.is_file():
        runs = [with_folder_above(run, place, host, loaded) for run in runs]
    return place.parent if place.is_file() else place, runs


def open_place(path: Path | str) -> Folder:
    """The files at a path or URL.

    Raises:
        ReportError: there are none, or they cannot be read.
    """
    return remote.open_url(str(path)) if remote.is_url(path) else Folder.open(Path(path))


def _by_identity(above: Path | str, name: str, host: Host, extra: Sequence[Path], trace: Trace | None) -> list[Run]:
    """The run of that name among several in the folder above; empty where there is none.

    A folder of very many files is not read for what may be a slip of the pen.
    """
    wanted = ("", name)
    try:
        folder = open_place(above)
        if len(folder.entries) > _MOST_FILES and (
            remote.is_url(above) or wanted not in {(w.folder, w.identity) for w in glances(folder, host)}
        ):
            return []
        for only in (name, ""):
            if trace is not None:
                trace.asked.clear()
            runs = loaded(folder, above, host, extra, trace, only)
            if trace is not None:
                trace.groups = [group for group in trace.groups if group.place == wanted]
            chosen = [run for run in runs if run.directory == folder.root and run.witnesses[0].identity == name]
            if chosen:
                return chosen
    except ReportError:
        pass
    return []


def loaded(
    folder: Folder,
    path: Path | str,
    host: Host,
    with_files: Sequence[Path] = (),
    trace: Trace | None = None,
    only: str = "",
) -> list[Run]:
    """Every run in a folder that is open; ``path`` is its name in messages.

    Where only the run of one identity is wanted, readers may leave out the others.

    Raises:
        ReportError: nothing there tells of a run.
    """
    problems = _left_out(folder, host)
    if folder.only is not None:
        _must_open(folder, path)
    found = _matching(folder, host, problems, trace)
    witnesses = _read(folder, found, host, problems, only)
    home, identity = (witnesses[0].folder, witnesses[0].identity) if witnesses else ("", "")
    for extra in with_files:
        told = _read_extra(extra, folder.root / home, host, problems)
        witnesses += [replace(witness, folder=home, identity=identity) for witness in told]
    if not witnesses:
        raise nothing(path, folder, problems or damage(folder, host))
    first = _first_reader(folder, found, host, problems)
    groups = sorted(grouped(witnesses), key=lambda group: group.place != ("", ""))
    if trace is not None:
        trace.groups = groups
    parts = folder.parted({group.place[0] for group in groups})
    if folder.only is not None:
        parts[""] = folder
    known = {home: _known(part, host) for home, part in parts.items()}
    return [
        _run(known[group.place[0]], group, first, host, () if number else problems)
        for number, group in enumerate(groups)
    ]


def _left_out(folder: Folder, host: Host) -> list[Problem]:
    """What of a folder is not opened, but for files of which a reader knows that they tell nothing of the run."""
    known = {file.path: file for file in _classified((Entry(one.where, 0) for one in folder.problems), host)}
    idle = {path for path, file in known.items() if file.role == "other" and file.meaning}
    return [problem for problem in folder.problems if problem.where not in idle]


def _matching(folder: Folder, host: Host, problems: list[Problem], trace: Trace | None = None) -> list[Found]:
    """Readers that know the folder, the surest first."""
    found: list[Found] = []
    for provided in host.readers:
        match = host.guard(provided, provided.item.detect, folder)
        if trace is not None:
            trace.asked.append((provided.item.name, provided.item.title, match))
        if isinstance(match, Problem):
            problems.append(match)
        elif match is not None and match.sure > 0:
            found.append((provided, match))
    return sorted(found, key=lambda pair: -pair[1].sure)


def _read(folder: Folder, found: Sequence[Found], host: Host, problems: list[Problem], only: str = "") -> list[Witness]:
    """What every reader tells; one that only assumes gives way in files that a surer one has read."""
    witnesses: list[Witness] = []
    for provided, match in found:
        one, read = provided.item.one, provided.item.read
        told = host.guard(provided, one, folder, only) if one and only else host.guard(provided, read, folder)
        if isinstance(told, Problem):
            problems.append(told)
            continue
        known = {(w.folder, file) for w in witnesses for file in w.files} if match.sure < ASSUMED else set()
        witnesses += [w for w in told if not w.files or not known.issuperset((w.folder, file) for file in w.files)]
    return witnesses


def _read_extra(path: Path, run: Path, host: Host, problems: list[Problem]) -> list[Witness]:
    """Witnesses of a file outside the run's folder, with its place relative to that."""
    folder = Folder.open(path)
    if folder.only is None:
        raise ReportError(f"{path} is a folder", "--with takes a file")
    _must_open(folder, path)
    witnesses = _read(folder, _matching(folder, host, problems), host, problems)
    if not witnesses:
        problems.append(Problem(path.name, "no reader knows this file"))
    return [moved(witness, Path(os.path.relpath(path.parent, run)).as_posix()) for witness in witnesses]


def _must_open(folder: Folder, path: Path | str) -> None:
    try:
        folder.read(folder.entries[0], 1)
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror or type(error).__name__}") from None


def _first_reader(folder: Folder, found: Sequence[Found], host: Host, problems: list[Problem]) -> str:
    """The reader that weighs most: the surest, or of equally sure ones the one that a plugin chooses."""
    if not found:
        return ""
    ties = [(provided.item, match) for provided, match in found if match.sure == found[0][1].sure]
    if len(ties) > 1:
        chosen, trouble = host.choose_reader(folder, ties)
        problems.extend(trouble)
        if chosen is not None:
            return chosen
    return ties[0][0].name


@dataclass(frozen=True, slots=True)
class _Known:
    """A run's folder, and what is the same for every run in it."""

    folder: Folder
    files: tuple[RunFile, ...]
    facts: Facts


def _known(own: Folder, host: Host) -> _Known:
    return _Known(own, tuple(_classified(own.entries, host)), read_facts(own) if own.only is None else Facts())


def _run(known: _Known, group: Group, first: str, host: Host, problems: Sequence[Problem]) -> Run:
    """Merge the witnesses of one run and add the files and facts of its folder."""
    identity = group.place[1]
    own, facts = known.folder, known.facts
    ordered = sorted(group.witnesses, key=lambda witness: (-witness.precision, witness.reader != first))
    if facts.witness is not None:
        ordered.append(facts.witness)
    run = merge(ordered, own.root, _name(own.root, own.only, ordered, identity, host))
    return replace(
        run,
        files=known.files,
        facts=facts.facts,
        answers=facts.answers,
        problems=tuple(dict.fromkeys((*problems, *group.problems, *run.problems, *facts.problems))),
    )


def _name(directory: Path, only: str | None, group: Sequence[Witness], identity: str, host: Host) -> str:
    """The folder's name; where that says nothing, how the run calls itself. A log file of no usual name has its own."""
    usual = {kind.pattern for provided in host.readers for kind in provided.item.files}
    if only is not None and only not in usual:
        return only.rpartition(".")[0] or only
    name = directory.resolve().name
    if name.lower() in _NAMELESS or _NUMBER.match(name):
        name = next((witness.name for witness in group if witness.name), name) or "run"
    return f"{name}-{identity}" if identity else name


def _classified(entries: Iterable[Entry], host: Host) -> Iterator[RunFile]:
    kinds: list[FileKind] = [kind for provided in host.readers for kind in provided.item.files]
    exact: dict[str, FileKind] = {}
    for kind in kinds:
        exact.setdefault(kind.pattern, kind)
    patterns = [kind for kind in kinds if any(c in kind.pattern for c in "*?[")]
    by_name: dict[str, FileKind | None] = {}
    for entry in entries:
        name = entry.name
        if name not in by_name:
            by_name[name] = exact.get(name) or next((k for k in patterns if fnmatchcase(name, k.pattern)), None)
        known = by_name[name]
        yield RunFile(entry.path, entry.size, known.role, known.meaning) if known else RunFile(entry.path, entry.size)


def _line(run: Run, root: Path) -> str:
    """A run in a list: path, method, status, steps."""
    steps = f"{run.global_step:,} steps" if run.global_step is not None else "steps unknown"
    return f"  {place_of(run, root)}: {run.method or 'method unknown'}, {run.status}, {steps}"
