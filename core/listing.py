"""The runs below one folder as a list: read as little as tells them apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpo_report.core.continued import Span, continued, sentences, span
from dpo_report.core.errors import ReportError
from dpo_report.core.glances import by_folder, doubtful, glances
from dpo_report.core.loader import is_parent, load_all, loaded, nothing, offer, open_place, place_of
from dpo_report.core.many import Failure, Where, each
from dpo_report.core.merge import merge
from dpo_report.core.model import Run, RunStatus, Witness
from dpo_report.core.remote import is_url
from dpo_report.core.terminal import columns

if TYPE_CHECKING:
    from dpo_report.core.folder import Folder
    from dpo_report.core.manager import Host

MANY = 16
"""More folders than this are read by several processes,"""
_BYTES = 128 << 20
"""if they are larger together: to start processes and to ask every reader of every folder takes some seconds."""
_SHOWN = 4
"""Settings that are shown of those that differ."""
_LINES = 30
"""Runs that an error lists."""
_WIDEST = 24
"""Letters of a setting's value."""

Spread = Callable[[Sequence[Path]], "list[list[Listed] | Failure]"]
"""Lists several folders at once, each as :func:`children` does."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A run in a list."""

    path: str
    """Relative to the parent, with the identity of one of several runs in a folder as its last part."""
    method: str | None = None
    status: RunStatus = "unknown"
    step: int | None = None
    planned: int | None = None
    loss: float | None = None
    """The last training loss."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Plain values by name."""
    file: str = ""
    """The file that told most, relative to the parent."""
    failed: str = ""
    """Why the run could not be read."""
    copy_of: str = ""
    """The path of the run that this one repeats byte by byte."""
    span: Span | None = None
    """Which steps it logged, where it was read whole."""
    glanced: bool = False
    """Whether only one of its logs was looked at, and others may tell more."""
    goes_on_with: str = ""
    """The path of the run that this one seems to be the resumed part of."""


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
        return self.listed or _marked(self.root, [_of_run(run, self.root) for run in self.runs])


def survey(path: Path | str, host: Host, with_files: Sequence[Path | str] = (), spread: Spread | None = None) -> Survey:
    """Look at a folder: a parent is listed, anything else is read.

    Raises:
        ReportError: nothing there tells of a run.
    """
    far = is_url(path)
    if not far and not Path(path).is_dir():
        return Survey(Path(path).parent, tuple(load_all(path, host, with_files)))
    folder = open_place(path)
    quick = [] if folder.only is not None or with_files else glances(folder, host)
    homes = by_folder(quick)
    if _many(homes):
        return Survey(folder.root, listed=_marked(folder.root, _glanced(folder, homes, host, beside=True)))
    inner = [] if far or with_files or "" in homes else _children(folder)
    if spread is not None and len(inner) > MANY and all("/" in entry.path for entry in folder.entries):
        listed = _together(folder, path, host) or _marked(folder.root, _spread(folder.root, inner, spread))
        if listed:
            return Survey(folder.root, listed=listed)
        raise nothing(path, folder, ())
    runs = loaded(folder, path, host, list(map(Path, with_files))) if far else load_all(path, host, with_files)
    if not is_parent(runs, folder.root):
        return Survey(folder.root, tuple(runs))
    return Survey(folder.root, listed=_marked(folder.root, [_of_run(run, folder.root) for run in runs]))


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
    return _marked(folder.root, [_of_run(run, folder.root) for run in runs])


def _glanced(folder: Folder, hosts: Mapping[str, Sequence[Witness]], host: Host, beside: bool = False) -> list[Listed]:
    """The runs that were seen at a glance; those of which a whole look may tell more get one, if they are small.

    ``beside`` also lists the runs of files that lie in none of their folders.
    """
    parts = folder.parted({"", *hosts})
    more, few = doubtful(folder, parts, hosts, host)
    listed = []
    for home, told in hosts.items():
        if home in more and few:
            listed += [_of_run(run, folder.root) for run in loaded(parts[home], folder.root, host)]
        else:
            listed += [replace(_of_witness(witness, folder.root), glanced=home in more) for witness in told]
    if beside and "" not in hosts and parts[""].entries:
        with suppress(ReportError):  # what lies beside the runs may tell of none
            listed += [_of_run(run, folder.root) for run in loaded(parts[""], folder.root, host)]
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
        listed = _marked(folder.root, _glanced(folder, homes, host))
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
    listed = found.listed or tuple(_of_run(run, path) for run in found.runs[:1])
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


def as_json(listed: Sequence[Listed]) -> str:
    """The list for programs."""
    import json

    names = differing(listed)
    rows = [
        {
            "path": one.path,
            "method": one.method,
            "status": one.status,
            "global_step": one.step,
            "max_steps": one.planned,
            "loss": None if one.loss is None or one.loss != one.loss else one.loss,
            "settings": {name: _plain(one.settings[name]) for name in names if name in one.settings},
            "copy_of": one.copy_of or None,
            "goes_on_with": one.goes_on_with or None,
            "failed": one.failed or None,
        }
        for one in listed
    ]
    return json.dumps({"runs": rows}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """A value that JSON has."""
    return value if isinstance(value, str | int | bool | None) else _shown(value)


def differing(listed: Sequence[Listed]) -> list[str]:
    """Names of settings that tell the runs apart: not the same in all, and no paths or names of the run itself."""
    first: dict[str, Any] = {}
    varying: set[str] = set()
    for one in listed:
        varying |= {name for name, value in one.settings.items() if first.setdefault(name, value) != value}
    scores: list[tuple[int, int, str]] = []
    for name in varying:
        having = [one for one in listed if name in one.settings]
        told = [_shown(one.settings[name]) for one in having]
        different = set(told)
        if any(isinstance(one.settings[name], list | dict) for one in having):
            continue
        if len(different) < 2 or any("/" in value or "\\" in value for value in different):
            continue
        if sum(len(value) > 3 and value in one.path for one, value in zip(having, told, strict=True)) > 1:
            continue  # a name
        scores.append((-len(told), -len(different), name))
    return [name for *_, name in sorted(scores)]


def text(listed: Sequence[Listed]) -> str:
    """The list as aligned text, one run a line, with what distinguishes the runs."""
    own = [one for one in listed if not one.copy_of and not one.failed]
    names = differing(own)[:_SHOWN]
    rows = [("run", "method", "status", "steps", "last loss", *names)]
    for one in listed:
        if one.copy_of or one.failed:
            said = f"a copy of {one.copy_of}" if one.copy_of else f"cannot be read: {one.failed}"
            rows.append((one.path, said, *[""] * (len(rows[0]) - 2)))
        else:
            rows.append((one.path, one.method or "?", one.status, _steps(one), _loss(one), *_settings(one, names)))
    table = columns([row if len(row) == len(rows[0]) else row[: len(rows[0])] for row in rows])
    told = sentences({one.path: one.span for one in own if one.span})
    glanced = sum(one.glanced for one in own)
    if glanced:
        told.append(f"of {glanced:,} runs only one log was looked at; what else lies in their folders may tell more")
    return "\n".join([table, *([""] if told else []), *told])


def _settings(one: Listed, names: Sequence[str]) -> list[str]:
    return [_shown(one.settings[name]) if name in one.settings else "-" for name in names]


def _steps(one: Listed) -> str:
    if one.step is None:
        return "?"
    return f"{one.step:,}" if one.planned is None else f"{one.step:,}/{one.planned:,}"


def _loss(one: Listed) -> str:
    return "-" if one.loss is None else f"{one.loss:.4g}"


def _shown(value: Any) -> str:
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return shown if len(shown) <= _WIDEST else shown[: _WIDEST - 1] + "…"


def _of_witness(witness: Witness, root: Path) -> Listed:
    """A run as one witness alone tells it."""
    return _of_run(merge([witness], root / witness.folder, ""), root)


def _of_run(run: Run, root: Path) -> Listed:
    home, first = run.directory, run.witnesses[0]
    inner = home.relative_to(root).as_posix() if home.is_relative_to(root) else "."
    loss = run.get("loss")
    return Listed(
        place_of(run, root),
        run.method,
        run.status,
        run.global_step,
        run.max_steps,
        float(loss.values[-1]) if loss is not None and len(loss) else None,
        {name: setting.value for name, setting in run.settings.items()},
        (Path(inner) / first.files[0]).as_posix() if first.files else "",
        span=span(run),
    )


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


def _marked(root: Path, listed: Iterable[Listed]) -> tuple[Listed, ...]:
    """The runs in natural order, copies told (the same file, byte by byte, with the same outcome) and resumed runs."""
    from dpo_report.core.folder import natural

    ordered = sorted(listed, key=lambda one: natural(one.path))
    twins: dict[tuple[Any, ...], list[Listed]] = {}
    for one in ordered:
        key = (one.file.rpartition("/")[2], one.step, one.planned, str(one.loss), one.status)
        if one.file and one.step is not None:
            twins.setdefault(key, []).append(one)
    copies: dict[str, str] = {}
    for group in twins.values():
        if len(group) > 1:
            copies |= _copies(root, group)
    before = continued({one.path: one.span for one in ordered if one.span and one.path not in copies})
    return tuple(
        replace(one, copy_of=copies.get(one.path, ""), goes_on_with=before.get(one.path, "")) for one in ordered
    )


def _copies(root: Path, group: Sequence[Listed]) -> dict[str, str]:
    """Runs whose file equals that of another one; of both the one whose path says ``latest`` is the copy."""
    from hashlib import blake2b

    first: dict[tuple[int, bytes], str] = {}
    found: dict[str, str] = {}
    for one in sorted(group, key=lambda one: "latest" in one.path):
        try:
            data = (root / one.file).read_bytes()
        except OSError:
            continue
        owner = first.setdefault((len(data), blake2b(data).digest()), one.path)
        if owner != one.path:
            found[one.path] = owner
    return found
