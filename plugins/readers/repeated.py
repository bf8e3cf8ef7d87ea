"""Rows that stand twice at one step: which are kept, and of which weights an evaluation is that was made again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dpo_report.core.agreement import agree

Floats = NDArray[np.float64]
_LISTED = 3


@dataclass(slots=True)
class Repeated:
    """Takes down what stands twice with different values."""

    changing: Collection[str]
    """Quantities that differ between two equal evaluations."""
    differing: dict[str, set[float]] = field(default_factory=dict)
    """Steps by split."""
    left: dict[tuple[str, str], tuple[Floats, Floats]] = field(default_factory=dict)
    """Steps and values of what was left out, by name and split."""

    def kept(self, name: str, split: str, steps: Floats, values: Floats) -> NDArray[np.bool_]:
        """Which points of a curve stay, all given by rising step and those of one step as they were logged.

        In training the last of them stays, a step that was done again; elsewhere the first, since an evaluation that is
        repeated later may be of other weights.
        """
        same = steps[1:] == steps[:-1]
        if name not in self.changing:
            differs = same & ~((values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1])))
            if differs.any():
                self.differing.setdefault(split, set()).update(steps[1:][differs].tolist())
            self.left[name, split] = steps[1:][same], values[1:][same]
        return np.append(~same, True) if split == "train" else np.append(True, ~same)

    def sentences(self, curves: Mapping[tuple[str, str], tuple[Floats, Floats]]) -> Iterator[str]:
        """What to tell, a line for each split; ``curves`` are the steps and values that stayed, by name and split."""
        for split, steps in self.differing.items():
            listed = ", ".join(f"{step:g}" for step in sorted(steps)[:_LISTED])
            listed += ", ..." if len(steps) > _LISTED else ""
            yield f"{split} rows with different values stand twice at step {listed}; {self._which(split, curves)}"

    def _which(self, split: str, curves: Mapping[tuple[str, str], tuple[Floats, Floats]]) -> str:
        if split == "train":
            return "the last was kept"
        weights = self._weights(split, curves)
        if weights is None:
            return "the first was kept: an evaluation repeated later may be of other weights"
        return f"the first was kept: the other is of the weights of step {weights:g}, whose values it repeats"

    def _weights(self, split: str, curves: Mapping[tuple[str, str], tuple[Floats, Floats]]) -> float | None:
        """The one earlier step at which every quantity had the value that was left out; None without such a one."""
        if len(self.differing[split]) > 1:
            return None
        (at,) = self.differing[split]
        found: set[float] | None = None
        for place, (steps, values) in self.left.items():
            if place[1] == split and at in steps:
                there, told = curves[place]
                equal = agree(np.full_like(told, values[steps == at][-1]), told) & (there < at)
                found = set(there[equal].tolist()) if found is None else found & set(there[equal].tolist())
        return found.pop() if found is not None and len(found) == 1 else None
