"""Points in arrays become series: those of several files of one run are joined by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dpo_report.core.model import Datum, Problem, Series, Source
from dpo_report.plugins.readers.collect import Told
from dpo_report.plugins.readers.hf.columns import CHANGING
from dpo_report.plugins.readers.keys import Key
from dpo_report.plugins.readers.repeated import Repeated


class Points(NamedTuple):
    """The points of one key in the order of their file; each field of shape (n,)."""

    steps: NDArray[np.float64]
    values: NDArray[np.float64]
    rows: NDArray[np.int64]

    def where(self, keep: NDArray[np.bool_]) -> Points:
        """Some of the points."""
        return Points(self.steps[keep], self.values[keep], self.rows[keep])


@dataclass(frozen=True, slots=True)
class Part:
    """What one file tells of a run."""

    file: str
    columns: Mapping[str, Points]
    """By the logger's own key."""
    where: Callable[[str], str]
    """The place of a key's points, for its source: ``tag train/loss, record {row}``."""

    closing: Mapping[str, Points] = field(default_factory=dict)
    """Last words by key: single points that belong to the closing summary, though their keys are those of curves."""

    def before(self, step: float) -> Part:
        """The part up to a step, that step left out."""
        return Part(self.file, {key: p.where(p.steps < step) for key, p in self.columns.items()}, self.where)

    def source(self, key: str) -> Source:
        """Where the points of a key stand."""
        return Source(self.file, self.where(key))


def told(parts: Sequence[Part], keys: Mapping[str, Key]) -> Told:
    """Series and summary of a run from its files, in the order in which they were written.

    Of several points of one series at one step one is kept, as :class:`Repeated` says.
    """
    found = Told()
    homes: dict[tuple[str, str], list[tuple[Source, Points]]] = {}
    for part in parts:
        for key, points in part.columns.items():
            known, source = keys[key], part.source(key)
            if not len(points.steps):
                continue
            if known.role == "series":
                for split, some in _by_set(part, keys, known, points):
                    homes.setdefault((known.name, split), []).append((source, some))
            elif known.role == "summary":
                found.summary[known.name] = _last(source, points)
        for key, points in part.closing.items():
            if keys[key].role in ("series", "summary"):
                found.summary[keys[key].name] = _last(part.source(key), points)
    twice = Repeated(CHANGING | {"epoch"})
    order = sorted(homes.items(), key=lambda item: (item[0][1] != "train", item[0][1]))
    found.series = tuple(_series(name, split, pieces, twice) for (name, split), pieces in order)
    curves = {(one.name, one.split): (one.steps, one.values) for one in found.series}
    found.problems += [Problem(parts[0].file, text) for text in twice.sentences(curves)]
    return found


def _by_set(part: Part, keys: Mapping[str, Key], known: Key, points: Points) -> list[tuple[str, Points]]:
    """The points of one key by split: where evaluation sets have names, some keys have none.

    Those belong to the set whose own keys were logged with them, in the same record or just before it.
    """
    named = sorted({keys[key].split for key in part.columns if keys[key].split.startswith("eval:")})
    if known.split != "eval" or not named:
        return [(known.split, points)]
    marks = {split: [p.rows for key, p in part.columns.items() if keys[key].split == split] for split in named}
    rows = np.concatenate([np.concatenate(columns) for columns in marks.values()])
    owners = np.repeat(np.arange(len(named)), [sum(map(len, columns)) for columns in marks.values()])
    order = np.argsort(rows, kind="stable")
    before = np.searchsorted(rows[order], points.rows, side="right") - 1
    owner = np.where(before >= 0, owners[order][before], -1)
    found = [(split, points.where(owner == number)) for number, split in enumerate([known.split, *named], -1)]
    return [(split, some) for split, some in found if len(some.steps)]


def _last(source: Source, points: Points) -> Datum:
    place = Source(source.file, source.where.replace("{row}", str(int(points.rows[-1]))))
    return Datum(float(points.values[-1]), place)


def _series(name: str, split: str, pieces: Sequence[tuple[Source, Points]], twice: Repeated) -> Series:
    sources = tuple(source for source, _ in pieces)
    steps = np.concatenate([points.steps for _, points in pieces])
    values = np.concatenate([points.values for _, points in pieces])
    rows = np.concatenate([points.rows for _, points in pieces])
    which = np.repeat(np.arange(len(pieces)), [len(points.steps) for _, points in pieces])
    if not np.all(steps[1:] > steps[:-1]):
        order = np.argsort(steps, kind="stable")
        steps, values, rows, which = steps[order], values[order], rows[order], which[order]
        kept = twice.kept(name, split, steps, values)
        steps, values, rows, which = steps[kept], values[kept], rows[kept], which[kept]
    return Series(name, split, steps, values, sources, rows, which if len(sources) > 1 else None)
