"""Two logs of one run that count otherwise: epochs from 0 and from 1, epochs and the iterations at their ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from dpo_report.core.agreement import agree
from dpo_report.core.model import Problem, Series, Witness

ENOUGH = 6
"""Different telling values that must agree in their order."""
LENGTH = 3
"""Shorter series tell nothing by their order."""


def counted_otherwise(host: Sequence[Witness], guest: Sequence[Witness]) -> dict[float, float] | None:
    """The host's step for each of the guest's, where series of both hold the same values in the same order.

    None where they do not, or where one series contradicts another.
    """
    steps: dict[float, float] = {}
    telling: set[float] = set()
    curves = {(one.name, one.split): one for witness in host for one in witness.series}
    for other in (one for witness in guest for one in witness.series):
        one = curves.get((other.name, other.split))
        if one is None or len(one) != len(other) or len(one) < LENGTH:
            continue
        if not agree(one.values, other.values).all():
            return None
        for theirs, ours in zip(other.steps.tolist(), one.steps.tolist(), strict=True):
            if steps.setdefault(theirs, ours) != ours:
                return None
        finite = one.values[np.isfinite(one.values) & (one.values != np.round(one.values))]
        telling.update(float(f"{value:.5g}") for value in finite.tolist())
    return steps if len(telling) >= ENOUGH else None


def recounted(witness: Witness, steps: Mapping[float, float]) -> Witness:
    """A witness with the host's steps; series with other steps than those are left out, and told."""
    kept = tuple(_recounted(one, steps) for one in witness.series if all(step in steps for step in one.steps.tolist()))
    left = len(witness.series) - len(kept)
    first = next(iter(steps))
    said = f"counts otherwise: its step {first:g} is step {steps[first]:g} of the run"
    if left:
        said += f"; {left:,} of its series have steps in between and are left out"
    problem = Problem(witness.files[0] if witness.files else ".", said)
    return replace(witness, series=kept, problems=(*witness.problems, problem), global_step=None, max_steps=None)


def _recounted(series: Series, steps: Mapping[float, float]) -> Series:
    return replace(series, steps=np.array([steps[step] for step in series.steps.tolist()]))
