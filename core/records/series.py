"""Logged curves, and where each of their points stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEW = 20
"""Points of a value whose places are listed one by one."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value stands: a file and the place in it."""

    file: str
    """Path relative to the run directory, with forward slashes."""
    where: str = ""
    """The place in the file: ``log_history[12].loss``, ``line 40``, ``tag train/loss``."""

    def __str__(self) -> str:
        return f"{self.file}: {self.where}" if self.where else self.file


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One logged quantity over the steps of a run. Steps rise; NaN and infinities are kept."""

    name: str
    """The trainer's own key without the split prefix: ``loss``, ``rewards/margins``."""
    split: str
    """``train``, ``eval``, ``eval:NAME`` or ``test``."""
    steps: NDArray[np.float64]
    """Optimizer steps (or iterations, or epochs, where the trainer logs nothing else), shape (n,)."""
    values: NDArray[np.float64]
    """Logged values, shape (n,); non-finite ones included."""
    sources: tuple[Source, ...]
    """The files that gave the points; ``where`` holds ``{row}`` for the place of one point."""
    rows: NDArray[np.int64]
    """The row of each point in its source, shape (n,)."""
    which: NDArray[np.int64] | None = None
    """Index into ``sources`` of each point, shape (n,); None means all from the first."""

    def __len__(self) -> int:
        return len(self.values)

    def source_at(self, index: int) -> Source:
        """File and place of one point."""
        source = self.sources[0 if self.which is None else int(self.which[index])]
        return Source(source.file, source.where.replace("{row}", str(int(self.rows[index]))))

    def sources_at(self, indices: NDArray[np.int64]) -> tuple[Source, ...]:
        """Files and places of some points in their order; of many points of one file its first and last row."""
        if len(indices) <= FEW:
            return tuple(self.source_at(int(index)) for index in indices)
        import numpy as np

        which = np.zeros(len(indices), np.intp) if self.which is None else self.which[indices]
        found = []
        for number in dict.fromkeys(which.tolist()):
            rows, source = self.rows[indices][which == number], self.sources[number]
            found.append(Source(source.file, source.where.replace("{row}", f"{rows[0]} to {rows[-1]}")))
        return tuple(found)

    def where(self, keep: NDArray[np.bool_]) -> Series:
        """Some of its points; ``keep`` is of shape (n,)."""
        which = None if self.which is None else self.which[keep]
        return replace(self, steps=self.steps[keep], values=self.values[keep], rows=self.rows[keep], which=which)

    @property
    def source(self) -> Source:
        """File and place of the whole series: the source of most points."""
        return max(self.origins.items(), key=lambda item: item[1])[0]

    @property
    def origins(self) -> dict[Source, int]:
        """Every file and place that gave points, and how many."""
        counts = {0: len(self)} if self.which is None or not len(self) else Counter(self.which.tolist())
        found: dict[Source, int] = {}
        for number, count in sorted(counts.items()):
            place = Source(self.sources[number].file, self.sources[number].where.replace("{row}", "*"))
            found[place] = found.get(place, 0) + count
        return found
