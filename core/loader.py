"""A directory becomes a run: readers are asked, what they tell is grouped and merged, contradictions are told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.errors import ReportError
from dpo_report.core.facts import Facts, read_facts
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.merge import merge
from dpo_report.core.model import Problem, Run, RunFile, Setting, Source, Witness

if TYPE_CHECKING:
    from dpo_report.core.declared import Provided
    from dpo_report.core.manager import Host

_CHECKPOINT = re.compile(r"^checkpoint[-_]\d+$")
_NAMELESS = frozenset({"run", "runs", "out", "output", "outputs", "result", "results", "model", "models", "checkpoints", "tmp", ""})
_LISTED = 30

Found = tuple["Provided[Reader]", Match]


def load(path: Path | str, *, host: Host | None = None, with_files: Iterable[Path | str] = ()) -> Run:
    """Read one training run from a folder, a checkpoint folder or a single log file.

    ``with_files`` are further files outside the folder that belong to the run.

    Raises:
        ReportError: nothing there tells of a run, or several runs lie below the folder and none at its top.
    """
    runs = load_all(path, host=host, with_files=with_files)
    top = [run for run in runs if run.directory == runs[0].directory]
    if len(runs) == 1 or _is_top(runs[0], Path(path)):
        below = len(runs) - len(top)
        if below:
            where = Problem(".", f"{below} more {'run lies' if below == 1 else 'runs lie'} below this folder, not in this report")
            return replace(runs[0], problems=(*runs[0].problems, replace(where, hint="give their paths to report them")))
        return runs[0]
    raise ReportError(
        f"{path} holds {len(runs)} runs:\n" + "\n".join(_line(run, Path(path)) for run in runs[:_LISTED]),
        f"choose one by its path: {_shown(runs[0], Path(path))}",
    )


def load_all(
    path: Path | str, host: Host | None = None, with_files: Iterable[Path | str] = ()
) -> list[Run]:
    """Read every run in a folder, those at its top first.

    Raises:
        ReportError: nothing there tells of a run.
    """
    if host is None:
        from dpo_report.core.manager import default_host

        host = default_host()
    path = Path(path)
    folder = Folder.open(path)
    problems = list(folder.problems)
    found = _matching(folder, host, problems)
    witnesses = _read(folder, found, host, problems)
    for extra in with_files:
        witnesses += _read_extra(Path(extra), host, problems)
    if not witnesses:
        raise _nothing(path, folder, problems)
    first = _first_reader(folder, found, host, problems)
    groups: dict[tuple[str, str], list[Witness]] = {}
    for witness in witnesses:
        groups.setdefault((witness.folder, witness.identity), []).append(witness)
    homes = [home for home, _ in groups]
    runs = []
    for number, ((home, identity), group) in enumerate(groups.items()):
        told = problems if not home or number == 0 else []
        runs.append(_run(folder, home, identity, group, first, [*homes], host, told))
    if _CHECKPOINT.match(path.resolve().name) and folder.only is None:
        runs = [_with_parent(run, path, host) for run in runs]
    return runs


def _matching(folder: Folder, host: Host, problems: list[Problem]) -> list[Found]:
    """Readers that know the folder, the surest first."""
    found: list[Found] = []
    for provided in host.readers:
        match = host.guard(provided, provided.item.detect, folder)
        if isinstance(match, Problem):
            problems.append(match)
        elif match is not None and match.sure > 0:
            found.append((provided, match))
    return sorted(found, key=lambda pair: -pair[1].sure)


def _read(folder: Folder, found: Sequence[Found], host: Host, problems: list[Problem]) -> list[Witness]:
    witnesses: list[Witness] = []
    for provided, _ in found:
        told = host.guard(provided, provided.item.read, folder)
        if isinstance(told, Problem):
            problems.append(told)
        else:
            witnesses += told
    return witnesses


def _read_extra(path: Path, host: Host, problems: list[Problem]) -> list[Witness]:
    """Witnesses of a file outside the run's folder, told under the path as it was given."""
    folder = Folder.open(path)
    witnesses = _read(folder, _matching(folder, host, problems), host, problems)
    if not witnesses:
        problems.append(Problem(str(path), "no reader knows this file"))
    return [replace(witness, folder="", identity="") for witness in witnesses]


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


def _run(
    folder: Folder,
    home: str,
    identity: str,
    group: list[Witness],
    first: str,
    homes: Sequence[str],
    host: Host,
    problems: Sequence[Problem],
) -> Run:
    """Merge one group of witnesses and add the files and the facts."""
    own = folder.sub(home)
    cut = len(home) + 1 if home else 0
    nested = tuple(other[cut:] + "/" for other in homes if other != home and (not home or other.startswith(home + "/")))
    entries = [entry for entry in own.entries if not (nested and entry.path.startswith(nested))]
    ordered = sorted(group, key=lambda witness: (-witness.precision, witness.reader != first))
    facts = read_facts(own) if folder.only is None else Facts()
    directory = own.root
    name = _name(directory, folder.only, ordered, identity)
    run = merge(ordered, directory, name)
    return replace(
        run,
        files=tuple(_classified(entries, host)),
        facts=facts.facts,
        answers=facts.answers,
        problems=tuple(dict.fromkeys((*problems, *run.problems, *facts.problems))),
    )


def _name(directory: Path, only: str | None, group: Sequence[Witness], identity: str) -> str:
    """The folder's name; where that says nothing, how the run calls itself."""
    if only is not None:
        return only.rpartition(".")[0] or only
    name = directory.resolve().name
    if name.lower() in _NAMELESS:
        name = next((witness.name for witness in group if witness.name), name) or "run"
    return f"{name}-{identity}" if identity else name


def _classified(entries: Iterable[Entry], host: Host) -> Iterable[RunFile]:
    kinds: list[FileKind] = [kind for provided in host.readers for kind in provided.item.files]
    exact: dict[str, FileKind] = {}
    for kind in kinds:
        exact.setdefault(kind.pattern, kind)
    patterns = [kind for kind in kinds if any(c in kind.pattern for c in "*?[")]
    for entry in entries:
        known = exact.get(entry.name) or next((k for k in patterns if fnmatchcase(entry.name, k.pattern)), None)
        yield RunFile(entry.path, entry.size, known.role, known.meaning) if known else RunFile(entry.path, entry.size)


def _with_parent(run: Run, path: Path, host: Host) -> Run:
    """A checkpoint's run with what only the folder above tells: settings, versions, facts. Its rows stay as they are."""
    try:
        above = load_all(path.resolve().parent, host)
    except ReportError:
        return run
    match = next((other for other in above if _owns(other, path.resolve().name)), None)
    if match is None:
        return run
    settings = dict(run.settings)
    for name, setting in match.settings.items():
        settings.setdefault(name, _from_above(setting))
    problems = list(run.problems)
    if match.global_step and run.global_step and match.global_step > run.global_step:
        problems.append(
            Problem(
                ".",
                f"this checkpoint is from step {run.global_step:,}; the run in the folder above goes on to step "
                f"{match.global_step:,}",
                "give that folder to report the whole run",
            )
        )
    return replace(
        run,
        trainer=run.trainer or match.trainer,
        method=run.method or match.method,
        method_why=run.method_why or match.method_why,
        versions={**match.versions, **run.versions},
        settings=settings,
        facts=run.facts or {name: _from_above(fact) for name, fact in match.facts.items()},
        answers=run.answers or match.answers,
        problems=tuple(problems),
    )


def _owns(run: Run, checkpoint: str) -> bool:
    """Whether a run's rows were read from that checkpoint folder, or would be."""
    return any(file.startswith(checkpoint + "/") for witness in run.witnesses for file in witness.files)


def _from_above(setting: Setting) -> Setting:
    return replace(setting, source=Source(f"../{setting.source.file}", setting.source.where))


def _nothing(path: Path, folder: Folder, problems: Sequence[Problem]) -> ReportError:
    """Why there is nothing to report, in one line."""
    failed = next((problem for problem in problems if problem.where.startswith("plugin")), None)
    if failed:
        return ReportError(f"{path}: {failed.where}: {failed.message}", failed.hint)
    if folder.only is not None:
        return ReportError(f"{path} is no training log that a reader knows", "give the output directory of a training run")
    if not folder.entries:
        return ReportError(f"{path} is empty", "give the output directory of a training run")
    return ReportError(f"nothing in {path} tells of a training run", "give the output directory of a training run")


def _is_top(run: Run, path: Path) -> bool:
    return run.directory in (path, path.parent if path.is_file() else path)


def _shown(run: Run, path: Path) -> str:
    return str(run.directory) if run.directory != path else str(path)


def _line(run: Run, path: Path) -> str:
    relative = run.directory.relative_to(path).as_posix() if run.directory.is_relative_to(path) else run.name
    steps = f"{run.global_step:,} steps" if run.global_step is not None else "steps unknown"
    return f"  {relative}: {run.method or 'method unknown'}, {run.status}, {steps}"


