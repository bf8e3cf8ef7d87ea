"""Runs of a list that look like one run, stopped and resumed or logged twice: told and offered, never made one.

A trainer that is resumed goes on counting, so its log does not begin where logs begin. Where the same curves with the
same settings stop just there in another folder, the two are likely one run. So are two logs in different
formats that hold the same values at the same steps, be it under other names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from dpo_report.core.agreement import same_value
from dpo_report.core.model import Run, Series, Witness

FEWEST = 3
"""Curves that two logs must share where neither tells its settings, or to be two logs of one run."""
_SAMPLED, _SAMPLE = 16, 4
"""Curves of a run, and points from both ends of a curve, by which two logs of one run are found."""

Point = tuple[str, float, float]
"""A curve's split and name, a step, and the value there."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which steps a run logged."""

    first: float
    last: float
    interval: float
    """Steps between two points, as usual."""
    curves: frozenset[str]
    """Names of the training curves."""
    settings: Mapping[str, Any]
    """Plain values by name."""
    reader: str = ""
    """Who read it."""
    points: tuple[Point, ...] = ()
    """Some values of its curves that could not be equal by chance."""


def span(run: Run | Witness) -> Span | None:
    """The steps of a run's longest training curve; None of fewer than two points."""
    series = list(run.series.values()) if isinstance(run, Run) else list(run.series)
    curves = [one for one in series if one.split == "train" and len(one)]
    longest = max(curves, key=len, default=None)
    if longest is None or len(longest) < 2:
        return None
    gaps = np.sort(np.diff(longest.steps))
    interval = float(gaps[len(gaps) // 2])
    settings = {name: one.value for name, one in run.settings.items()}
    first, last = float(longest.steps[0]), float(longest.steps[-1])
    points = tuple(_points(series[:_SAMPLED]))
    return Span(first, last, interval, frozenset(one.name for one in curves), settings, run.reader, points)


def _points(curves: Sequence[Series]) -> Iterator[Point]:
    """Values with more than one decimal from both ends of some curves."""
    for one in curves:
        name, count = f"{one.split} {one.name}", len(one)
        for part in (slice(min(_SAMPLE, count)), slice(max(_SAMPLE, count - _SAMPLE), count)):
            for step, value in zip(one.steps[part].tolist(), one.values[part].tolist(), strict=True):
                if isfinite(value) and value != round(value, 1):
                    yield name, step, value


def continued(spans: Mapping[str, Span]) -> dict[str, str]:
    """For each run that seems to go on with another one, that one; runs by their paths."""
    found = {}
    for path, span in spans.items():
        if not _begins_later(span):
            continue  # of a thousand runs hardly one is compared with the others
        before = [other for other, own in spans.items() if other != path and _goes_on(own, span)]
        if before:
            found[path] = min(before, key=lambda other: abs(span.first - span.interval - spans[other].last))
    return found


def _begins_later(one: Span) -> bool:
    """Whether a log does not begin where logs begin."""
    return one.first > 1.5 * one.interval


def _goes_on(one: Span, other: Span) -> bool:
    """Whether the second log begins at most one interval after the first one's end, and not where that one began."""
    follows = one.first < other.first <= one.last + 1.5 * other.interval and other.last > one.last
    return follows and _alike(one, other)


def _alike(one: Span, other: Span) -> bool:
    """The same curves, and the same settings; paths and what one of them leaves unset contradict nothing."""
    if one.curves != other.curves or one.interval != other.interval:
        return False
    if one.settings.keys() != other.settings.keys():
        return False
    if not one.settings:
        return len(one.curves) >= FEWEST
    return all(same_value(value, other.settings[name]) for name, value in one.settings.items())


def logged_twice(spans: Mapping[str, Span]) -> dict[str, str]:
    """For each run that seems to be another one's second log, that one: several curves have the same values there.

    Learning rates and epochs are the same for every seed of a recipe; a third curve that is the same is not.
    """
    if len({own.reader for own in spans.values()}) < 2:
        return {}
    owners: dict[tuple[float, float], list[tuple[str, str]]] = {}
    for path, own in spans.items():
        for curve, step, value in own.points:
            owners.setdefault((step, float(f"{value:.5g}")), []).append((path, curve))
    shared: Counter[tuple[str, str, str]] = Counter()
    for held in owners.values():
        paths = list(dict.fromkeys(path for path, _ in held))
        if len(paths) == 2 and spans[paths[0]].reader != spans[paths[1]].reader:
            shared.update((paths[0], paths[1], curve) for path, curve in held if path == paths[1])
    curves = Counter((one, other) for (one, other, _), points in shared.items() if points > 1)
    return {other: one for (one, other), count in curves.items() if count >= FEWEST}


def sentences(spans: Mapping[str, Span]) -> list[str]:
    """One for each run that seems to go on with another one, or to be its second log, and what speaks for it."""
    found = []
    for path, before in continued(spans).items():
        one, other = spans[before], spans[path]
        steps = f"steps {other.first:g} to {other.last:g} after {one.first:g} to {one.last:g}"
        settings = "the same settings" if one.settings else "no settings to compare"
        found.append(f"{path} seems to go on with {before}, resumed: {steps}, the same curves, {settings}")
    for path, first in logged_twice(spans).items():
        found.append(f"{path} seems to be another log of the run in {first}: the same values at the same steps")
    return found
