"""Whether two states tell of the same run, and what one adds to the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpo_report.core.model import Series
from dpo_report.plugins.readers.hf.columns import TIMING, Place, Table
from dpo_report.plugins.readers.hf.state import State


@dataclass(slots=True)
class Known:
    """A state with its rows in columns."""

    state: State
    table: Table

    @property
    def step(self) -> int:
        """The optimizer step at which it was written, as far as it tells."""
        step = self.state.whole("global_step")
        if step is not None:
            return step
        return int(max((c.steps[-1] for c in self.table.columns.values() if len(c.steps)), default=-1))

    @property
    def rank(self) -> tuple[int, bool, int]:
        """The higher, the more it tells of the whole run."""
        return self.step, bool(self.table.summary), self.state.history.count


def same_run(one: Known, other: Known) -> bool:
    """Rows at the same steps decide; where none are shared, the planned length does."""
    shared = 0
    for place, column in one.table.columns.items():
        twin = other.table.columns.get(place)
        if twin is None or place[0] in TIMING:
            continue
        _, mine, theirs = np.intersect1d(column.steps, twin.steps, assume_unique=True, return_indices=True)
        if not np.array_equal(column.values[mine], twin.values[theirs], equal_nan=True):
            return False
        shared += len(mine)
    if shared:
        return True
    mine_, theirs_ = one.state.whole("max_steps"), other.state.whole("max_steps")
    return mine_ is None or theirs_ is None or mine_ == theirs_


def merged(states: list[Known]) -> list[Series]:
    """The series of one run from all its states; the first state wins, the others fill in the steps that it lacks."""
    found: dict[Place, Series] = {(s.name, s.split): s for s in states[0].table.series(states[0].state.file)}
    for known in states[1:]:
        for extra in known.table.series(known.state.file):
            place = (extra.name, extra.split)
            have = found.get(place)
            found[place] = extra if have is None else extended(have, extra)
    return list(found.values())


def extended(have: Series, extra: Series) -> Series:
    """A series with the points of another at the steps that it lacks."""
    new = ~np.isin(extra.steps, have.steps)
    if not new.any():
        return have
    which = have.which if have.which is not None else np.zeros(len(have), dtype=np.int64)
    steps = np.concatenate([have.steps, extra.steps[new]])
    order = np.argsort(steps, kind="stable")
    return Series(
        have.name,
        have.split,
        steps[order],
        np.concatenate([have.values, extra.values[new]])[order],
        (*have.sources, *extra.sources),
        np.concatenate([have.rows, extra.rows[new]])[order],
        np.concatenate([which, np.full(int(new.sum()), len(have.sources))])[order],
    )
