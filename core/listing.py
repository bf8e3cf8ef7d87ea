"""The runs below one folder as a list: read as little as tells them apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dpo_report.core.errors import NothingThereError, ReportError
from dpo_report.core.glances import by_folder, doubtful, glances
from dpo_report.core.listed import Listed, marked, of_run, of_witness
from dpo_report.core.listtext import text
from dpo_report.core.loader import is_parent, load_all, loaded, open_place
from dpo_report.core.many import Failure, Where, each
from dpo_report.core.model import Run, Witness
from dpo_report.core.refusals import nothing, offer
from dpo_report.core.remote import is_url

if TYPE_CHECKING:
    from dpo_report.core.folder import Folder
    from dpo_report.core.manager import Host

MANY = 16
"""More folders than this are read by several processes,"""
_BYTES = 128 << 20
"""if they are larger together: to start processes and to ask every reader of every folder takes some seconds."""
_LINES = 30
"""Runs that an error lists."""

Spread = Callable[[Sequence[Path]], "list[list[Listed] | Failure]"]
"""Lists several folders at once, each as :func:`children` does."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a folder holds: runs that were read, or the list of a parent."""

    root: Path
    """The folder on disk."""
    runs: tuple[Run, ...] = ()
    """What was read whole, where that was needed to know."""
    listed: tuple[Listed, ...] = ()
    """The list; empty where the folder is one run."""

    @property
    def all(self) -> tuple[Listed, ...]:
        """Every run, also below a folder that is one itself."""
        return self.listed or marked(self.root, [of_run(run, self.root) for run in self.runs])


def survey(path: Path | str, host: Host, with_files: Sequence[Path | str] = (), spread: Spread | None = None) -> Survey:
    """Look at a folder: a parent is listed, anything else is read.

    Raises:
        ReportError: nothing there tells of a run.
    """
    far = is_url(path)
    if not far and not Path(path).is_dir():
        return Survey(Path(path).parent, tuple(load_all(path, host, with_files)))
    try:
        folder = open_place(path)
    except NothingThereError:
        runs = load_all(path, host, with_files)  # may be one of several runs at a URL
        return Survey(runs[0].directory, tuple(runs))
    quick = [] if folder.only is not None or with_files else glances(folder, host)
    homes = by_folder(quick)
    if _many(homes):
        return Survey(folder.root, listed=marked(folder.root, _glanced(folder, homes, host, beside=True)))
    inner = [] if far or with_files or "" in homes else _children(folder)
    if spread is not None and len(inner) > MANY and all("/" in entry.path for entry in folder.entries):
        listed = _together(folder, path, host) or marked(folder.root, _spread(folder.root, inner, spread))
        if listed:
            return Survey(folder.root, listed=listed)
        raise nothing(path, folder, ())
    runs = loaded(folder, path, host, list(map(Path, with_files))) if far else load_all(path, host, with_files)
    if not is_parent(runs, folder.root):
        return Survey(folder.root, tuple(runs))
    return Survey(folder.root, listed=marked(folder.root, [of_run(run, folder.root) for run in runs]))


def _together(folder: Folder, path: Path | str, host: Host) -> tuple[Listed, ...]:
    """The runs of a small parent, read at once; empty where it is large, or one of them is too much for a reader."""
    if sum(entry.size for entry in folder.entries) > _BYTES:
        return ()
    try:
        runs = loaded(folder, path, host)
    except ReportError:
        return ()
    if any(problem.where.startswith("plugin") for problem in runs[0].problems):
        return ()
    return marked(folder.root, [of_run(run, folder.root) for run in runs])


def _glanced(folder: Folder, hosts: Mapping[str, Sequence[Witness]], host: Host, beside: bool = False) -> list[Listed]:
    """The runs that were seen at a glance; those of which a whole look may tell more get one, if they are small.

    ``beside`` also lists the runs of files that lie in none of their folders.
    """
    parts = folder.parted({"", *hosts})
    more, few = doubtful(folder, parts, hosts, host)
    listed = []
    for home, told in hosts.items():
        if home in more and few:
            listed += [of_run(run, folder.root) for run in loaded(parts[home], folder.root, host)]
        else:
            listed += [replace(of_witness(witness, folder.root), glanced=home in more) for witness in told]
    if beside and "" not in hosts and parts[""].entries:
        with suppress(ReportError):  # what lies beside the runs may tell of none
            listed += [of_run(run, folder.root) for run in loaded(parts[""], folder.root, host)]
    return listed


def _many(homes: Mapping[str, Sequence[Witness]]) -> bool:
    """Whether runs in these folders make the folder above them a parent, which is no run itself."""
    top = homes.get("")
    return len(homes) > 1 if top is None else len(top) > 1 and bool(top[0].identity)


def refuse_parent(path: Path | str, host: Host) -> None:
    """Tell a parent of many runs before any of them is read whole.

    Raises:
        ReportError: it is one; the message lists its runs.
    """
    if is_url(path) or not Path(path).is_dir():
        return
    folder = open_place(path)
    homes = by_folder(glances(folder, host))
    if _many(homes):
        listed = marked(folder.root, _glanced(folder, homes, host))
        lines = text(listed[:_LINES]).splitlines()
        if len(listed) > _LINES:
            lines.append(f"and {len(listed) - _LINES:,} more")
        told = "\n".join(f"  {line}" for line in lines)
        raise ReportError(f"{path} holds {len(listed):,} runs:\n{told}", hint(path, listed))


def hint(parent: Path | str, listed: Iterable[Listed]) -> str:
    """What to do with these runs of a folder; its example is none that could not be read, and no copy."""
    return offer(parent, [(one.path, one.status, one.step) for one in listed if not one.failed and not one.copy_of])


def children(path: Path, host: Host) -> list[Listed]:
    """The runs in one folder of a parent, with their paths from the parent.

    Raises:
        ReportError: nothing there tells of a run.
    """
    found = survey(path, host)
    listed = found.listed or tuple(of_run(run, path) for run in found.runs[:1])
    return [
        replace(one, path=f"{path.name}/{one.path}" if one.path != "." else path.name, file=f"{path.name}/{one.file}")
        for one in listed
    ]


def spread_over(folders: Sequence[Path], host: Host, where: Where) -> list[list[Listed] | Failure]:
    """Lists folders by several processes, with a bar on a terminal."""
    from functools import partial

    from dpo_report.core.progress import progress

    told: dict[int, list[Listed] | Failure] = {}
    with progress(len(folders), done="listed") as (advance, _):
        for place, result in each(partial(children, host=host), folders, where):
            told[place] = result
            advance()
    return [told[place] for place in range(len(folders))]


def _children(folder: Folder) -> list[str]:
    """Names of the folders directly in a folder."""
    return list(dict.fromkeys(entry.path.partition("/")[0] for entry in folder.entries if "/" in entry.path))


def _spread(root: Path, names: Sequence[str], spread: Spread) -> Iterator[Listed]:
    nothing = "tells of a training run"
    for name, told in zip(names, spread([root / name for name in names]), strict=True):
        if not isinstance(told, Failure):
            yield from told
        elif nothing not in told.message:
            yield Listed(name, failed=told.message)
