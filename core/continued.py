"""Runs of a list that look like one run, stopped and resumed: told and offered, never made one.

A trainer that is resumed goes on counting, so its log does not begin where logs begin. Where the same curves with the
same settings stop just there in another folder, the two are likely one run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dpo_report.core.agreement import same_value
from dpo_report.core.model import Run

FEWEST = 3
"""Curves that two logs must share where neither tells its settings."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which steps a run logged."""

    first: float
    last: float
    interval: float
    """Steps between two points."""
    curves: frozenset[str]
    """Names of the training curves."""
    settings: Mapping[str, Any]
    """Plain values by name."""


def span(run: Run) -> Span | None:
    """The steps of a run's longest training curve; None of fewer than two points."""
    curves = [one for one in run.series.values() if one.split == "train" and len(one)]
    longest = max(curves, key=len, default=None)
    if longest is None or len(longest) < 2:
        return None
    interval = float(np.median(np.diff(longest.steps)))
    settings = {name: one.value for name, one in run.settings.items()}
    first, last = float(longest.steps[0]), float(longest.steps[-1])
    return Span(first, last, interval, frozenset(one.name for one in curves), settings)


def continued(spans: Mapping[str, Span]) -> dict[str, str]:
    """For each run that seems to go on with another one, that one; runs by their paths."""
    found = {}
    for path, span in spans.items():
        before = [other for other, own in spans.items() if other != path and _goes_on(own, span)]
        if before:
            found[path] = min(before, key=lambda other: abs(span.first - span.interval - spans[other].last))
    return found


def _goes_on(one: Span, other: Span) -> bool:
    """Whether the second log begins at most one interval after the first one's end, and not at a run's start."""
    begins_later = other.first > 1.5 * other.interval and other.first > one.first
    follows = other.first <= one.last + 1.5 * other.interval and other.last > one.last
    return begins_later and follows and _alike(one, other)


def _alike(one: Span, other: Span) -> bool:
    """The same curves, and the same settings; paths and what one of them leaves unset contradict nothing."""
    if one.curves != other.curves or one.interval != other.interval:
        return False
    if one.settings.keys() != other.settings.keys():
        return False
    if not one.settings:
        return len(one.curves) >= FEWEST
    return all(same_value(value, other.settings[name]) for name, value in one.settings.items())


def sentences(spans: Mapping[str, Span]) -> list[str]:
    """One for each run that seems to go on with another one, and what speaks for it."""
    found = []
    for path, before in continued(spans).items():
        one, other = spans[before], spans[path]
        steps = f"steps {other.first:g} to {other.last:g} after {one.first:g} to {one.last:g}"
        settings = "the same settings" if one.settings else "no settings to compare"
        found.append(f"{path} seems to go on with {before}, resumed: {steps}, the same curves, {settings}")
    return found
