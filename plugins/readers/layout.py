"""Readers of logs that are rows in one file: a family says how it writes them, the rest is the same for all.

A home (a run's folder) may hold the same log twice under other names (then it is one run), or logs of different runs
(then each is a run of its own). Steps that fall back to the start, or a header in the middle, begin another run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.growing import followed, following
from dpo_report.core.model import Problem, Series, Source, Witness
from dpo_report.plugins.readers.collect import Log, Namer, Told, witness
from dpo_report.plugins.readers.files import glimpse, head, subs, with_suffix
from dpo_report.plugins.readers.keys import Key, mapping
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.parts import Following, Parts
from dpo_report.plugins.readers.regular import WHOLE, Table, points
from dpo_report.plugins.readers.tabular import Row, RowReader
from dpo_report.plugins.readers.tail import may_be_followed

HEADS = 100_000
"""Files whose first bytes are looked at, at most."""
NEAR = 2e-3
"""Relative difference up to which two logs of one value are the same, rounded differently."""

Rows = Callable[[Folder, Entry, list[Problem]], Iterable[Row]]


@dataclass(slots=True)
class Found:
    """What one run's log tells, and what a family adds to it: arguments of :func:`collect.witness` by name."""

    told: Told
    file: str
    problems: list[Problem]
    files: list[str]
    extra: dict[str, Any] = field(default_factory=dict)
    last: Mapping[str, Any] = field(default_factory=dict)
    """The last cell of each column."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a family writes its rows."""

    name: str
    """Name of the reader."""
    title: str
    """For people."""
    suffixes: tuple[str, ...]
    """Endings of its files, lower case, with the dot."""
    knows: Callable[[str, bytes], float]
    """From a file's own name and its first bytes: how surely it is one (0 to 1)."""
    rows: Rows
    """Reads the rows."""
    step: Callable[[Mapping[str, Any]], float | None]
    """The step of a row; None where it has none."""
    cells: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    """The logged quantities of a row, under their own names."""
    namer: Namer = mapping
    """What each key means."""
    where: str | Callable[[str], str] = "line {row}, column {key}"
    """The place of a point, for its source; where it depends on the file, from the file's name."""
    counts: str = "step"
    """What is counted: ``step`` and ``iteration`` give the run's last step; ``epoch`` its epochs, of which each has a
    row at its end; anything else gives neither."""
    note: str = ""
    """What a reader of the report must know of the steps."""
    home: Callable[[str], str] = lambda parent: parent
    """The run's folder, from that of the file."""
    complete: Callable[[Folder, Found], None] = lambda _folder, _found: None
    """Adds settings, method and status, from the files beside the log."""
    precision: int = 5
    """As in :class:`~dpo_report.core.model.Witness`."""
    table: Callable[[bytes], Table | None] | None = None
    """As that of a :class:`~dpo_report.plugins.readers.tabular.RowReader`, where ``rows`` is none."""
    deep: tuple[str, ...] = ()
    """Endings of files of which :attr:`knows` is shown the beginning and the end, not the first bytes only."""
    files: tuple[FileKind, ...] = ()
    """The files of this family."""

    def reader(self) -> Reader:
        """The family as a reader."""
        return Reader(self.name, self._detect, self._read, self.title, self.files)

    def find(self, folder: Folder) -> Iterator[tuple[Entry, float]]:
        """The family's logs in a folder."""
        for entry in with_suffix(folder, self.suffixes)[:HEADS]:
            look = glimpse if entry.path.lower().endswith(self.deep) else head
            sure = self.knows(entry.name, look(folder, entry))
            if sure > 0:
                yield entry, sure

    def _detect(self, folder: Folder) -> Match | None:
        best: tuple[Entry, float] | None = None
        for entry, sure in self.find(folder):
            if best is None or sure > best[1]:
                best = entry, sure
            if sure >= 0.9:
                break
        return Match(best[1], best[0].path) if best else None

    def _read(self, folder: Folder) -> Iterator[Witness]:
        homes: dict[str, list[Entry]] = {}
        for entry, _ in self.find(folder):
            homes.setdefault(self.home(entry.parent), []).append(entry)
        inside = subs(folder, homes)
        for home, entries in homes.items():
            yield from self.read_home(inside[home], home, entries)

    def read_home(self, folder: Folder, home: str, entries: list[Entry]) -> Iterator[Witness]:
        """The runs of one folder; ``folder`` is that folder itself, the entries' paths are still of the one above."""
        cut = len(home) + 1 if home else 0
        found: list[Found] = []
        for entry in entries:
            own = Entry(entry.path[cut:], entry.size)
            for part in self._parts(folder, own):
                twin = next((one for one in found if one.file != own.path and same(one.told, part.told)), None)
                if twin is None:
                    found.append(part)
                else:
                    twin.files.append(own.path)
                    twin.problems += part.problems
        mains = [part for part in found if "identity" not in part.extra]
        for part in found:
            if len(mains) > 1:
                stem = part.file.rpartition(".")[0] or part.file
                part.extra["identity"] = "-".join(filter(None, (stem, part.extra.get("identity", ""))))
            yield self._witness(folder, home, part)

    def _witness(self, folder: Folder, home: str, part: Found) -> Witness:
        if self.note and part.told.series:
            part.problems.append(Problem(part.file, self.note))
        self.complete(folder, part)
        if self.counts in ("step", "iteration"):
            part.extra.setdefault("step", part.told.last_step())
        if self.counts == "epoch":
            part.extra.setdefault("epoch", _epochs(part.told))
        part.extra.setdefault("precision", self.precision)
        return witness(self.name, part.told, part.files, folder=home, problems=part.problems, **part.extra)

    def _parts(self, folder: Folder, entry: Entry) -> Iterator[Found]:
        """One log's runs: usually one. The last is the folder's own, those before it are told apart by number."""
        if not following() and (whole := self._at_once(folder, entry)):
            yield whole
            return
        problems: list[Problem] = []
        if following() and isinstance(self.rows, RowReader) and may_be_followed(folder, entry):
            told = self._followed(folder, entry, problems)
        else:
            told = Parts(self, entry)
            for row in self.rows(folder, entry, problems):
                told.add(row)
        logs, stepless = told.logs, told.stepless
        if stepless:
            problems.append(Problem(entry.path, f"rows without a step (first in line {stepless}) left out"))
        if len(logs) > 1:
            problems.append(
                Problem(
                    entry.path,
                    f"the log starts anew {_times(len(logs) - 1)}; each part is a run of its own, the last one is used",
                    "report the others by their names",
                )
            )
        for count, (log, last) in enumerate(logs, 1):
            part = Found(log.told(self.namer), entry.path, problems if count == len(logs) else [], [entry.path])
            part.last = dict(last)
            if count < len(logs):
                part.extra["identity"] = f"part-{count}"
            yield part

    def _at_once(self, folder: Folder, entry: Entry) -> Found | None:
        """A log that is regular throughout and of one run; None for any other."""
        table = self.rows.table if isinstance(self.rows, RowReader) else self.table
        if table is None or not isinstance(self.step, FirstOf) or not isinstance(self.cells, Without):
            return None
        if not 0 < entry.size <= WHOLE:
            return None
        try:
            with folder.stream(entry) as stream:
                known = table(stream.read(WHOLE))
        except OSError:
            return None  # told where it is read row by row
        logged = points(known, self.step.names, self.cells.names) if known else None
        if known is None or logged is None:
            return None
        log = Log()
        for key, own in logged.items():
            log.extend(key, own.steps, own.values, own.lines, self.source(entry, key))
        return Found(log.told(self.namer), entry.path, [], [entry.path], last=known.last)

    def _followed(self, folder: Folder, entry: Entry, problems: list[Problem]) -> Parts:
        """The log's runs, where only what was added since the last look is read."""
        path = folder.path(entry)

        def go_on(known: Following) -> None:
            known.go_on(path)

        try:
            known = followed(
                path, f"{self.name} {entry.path}", entry.size, lambda: Following(Parts(self, entry)), go_on
            )
        except OSError as error:
            problems.append(Problem(entry.path, f"cannot be read ({error.strerror or type(error).__name__})"))
            return Parts(self, entry)
        problems += [*known.tail.problems(entry.path), *known.problems]
        return known.parts

    def source(self, entry: Entry, key: str) -> Source:
        where = self.where if isinstance(self.where, str) else self.where(entry.name)
        return Source(entry.path, where.replace("{key}", key))


def _epochs(told: Told) -> float | None:
    """How many epochs have a row, counted from 0 or from 1; None where the first ones are missing."""
    first = min((float(one.steps[0]) for one in told.series if len(one)), default=-1.0)
    last = told.last_step()
    return None if last is None or first not in (0, 1) else float(last + (first == 0))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def same(one: Told, other: Told) -> bool:
    """Whether two logs tell the same values at the steps that they share, and share some."""
    mine = {(series.name, series.split): series for series in one.series}
    shared = 0
    for series in other.series:
        twin = mine.get((series.name, series.split))
        if twin is None or series.name == "epoch":
            continue
        agree = agreement(twin, series)
        if agree < 0:
            return False
        shared += agree
    return shared > 0


def agreement(one: Series, other: Series) -> int:
    """How many steps two series share; -1 where they differ at one of them by more than rounding."""
    _, mine, theirs = np.intersect1d(one.steps, other.steps, return_indices=True)
    a, b = one.values[mine], other.values[theirs]
    with np.errstate(invalid="ignore"):
        near = (np.abs(a - b) <= NEAR * np.maximum(np.abs(a), np.abs(b))) | (a == b) | (np.isnan(a) & np.isnan(b))
    return len(mine) if bool(near.all()) else -1


@dataclass(frozen=True, slots=True)
class FirstOf:
    """A step that stands in the first of some columns that a row has."""

    names: tuple[str, ...]

    def __call__(self, cells: Mapping[str, Any]) -> float | None:
        """The step of a row."""
        for name in self.names:
            value = number(cells.get(name))
            if value is not None:
                return value
        return None


def first_of(*names: str) -> FirstOf:
    """A step that stands in the first of these columns that a row has."""
    return FirstOf(names)


def renamed(own: Callable[[str], str]) -> Namer:
    """A namer for keys that are written otherwise than everywhere: ``own`` gives the name that is known."""

    def namer(keys: Iterable[str]) -> Mapping[str, Key]:
        names = {key: own(key) for key in keys}
        known = mapping(names.values())
        return {key: known[name] for key, name in names.items()}

    return namer


@dataclass(frozen=True, slots=True)
class Without:
    """The cells of a row without some columns."""

    names: frozenset[str]

    def __call__(self, cells: Mapping[str, Any]) -> Mapping[str, Any]:
        """Those of a row."""
        return {key: cell for key, cell in cells.items() if key not in self.names}


def without(*names: str) -> Without:
    """The cells of a row without these columns."""
    return Without(frozenset(names))
