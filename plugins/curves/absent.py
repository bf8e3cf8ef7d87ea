"""What a caption says about values that its figure does not show, and about those that mislead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dpo_report.core import numbers
from dpo_report.core.model import Run
from dpo_report.plugins import finiteness
from dpo_report.plugins.curves.panels import Drawn, where_of
from dpo_report.plugins.curves.seen import at
from dpo_report.plugins.curves.tracks import Track

_NAMED_STEPS = 6


def absent(run: Run, drawn: Sequence[Drawn], tracks: Sequence[Track]) -> Iterable[str]:
    """One sentence for each kind."""
    yield from _gaps(tracks)
    yield from _zeros(run, tracks)
    yield from _tied(drawn)
    yield from _left_out(drawn)


def _gaps(tracks: Sequence[Track]) -> Iterable[str]:
    """How many values are no numbers, and where: a gap in a line must not look like a row that was not logged."""
    gaps: dict[str, list[Track]] = {}
    for track in tracks:
        if not track.finite.all():
            gaps.setdefault(_where(track), []).append(track)
    for where, same in gaps.items():
        bad = int(np.count_nonzero(~same[0].finite))
        subjects = [f"the {track.subject}" for track in same]
        whose = ", ".join(subjects[:-1]) + " and " + subjects[-1] if len(subjects) > 1 else subjects[0]
        each = " each" if len(same) > 1 else ""
        yield f"Not finite, so not drawn: {numbers.plural(bad, 'value')}{each} of {whose} ({where})."


def _zeros(run: Run, tracks: Sequence[Track]) -> Iterable[str]:
    """A warning where the trainer wrote 0 for a loss that was no number (rule C12)."""
    zeros = finiteness.alarming_zeros(run)
    if zeros and any(track.series.name == "loss" and track.series.split == "train" for track in tracks):
        yield f"A training loss of exactly 0, logged at {numbers.plural(len(zeros), 'step')}, marks a failure, no fit."


def _where(track: Track) -> str:
    """The steps of the values that are no numbers; rows in a row are named by their ends."""
    bad = np.flatnonzero(~track.finite)
    runs = np.split(bad, np.flatnonzero(np.diff(bad) > 1) + 1)
    ends = [[at(track, track.series.steps[row]).split()[1] for row in (run[0], run[-1])] for run in runs]
    shown = [first if first == last else f"{first} to {last}" for first, last in ends[:_NAMED_STEPS]]
    left = sum(len(run) for run in runs[_NAMED_STEPS:])
    shown += [f"{numbers.count(left)} more"] if left else []
    unit = track.unit + ("s" if len(bad) > 1 else "")
    return f"{unit} " + (", ".join(shown[:-1]) + " and " + shown[-1] if len(shown) > 1 else shown[0])


def _tied(drawn: Sequence[Drawn]) -> Iterable[str]:
    """Which rows are left out because they were logged before any training."""
    for panel in drawn:
        rows = [
            f"the {where_of(series.split)} {panel.quantity.plain} at step{'s' if len(series) > 1 else ''} "
            + " and ".join(numbers.count(step) for step in series.steps)
            for series in panel.tied
        ]
        if rows:
            listed = ", ".join(rows[:-1]) + " and " + rows[-1] if len(rows) > 1 else rows[0]
            yield f"Left out: {listed}, where policy and reference tie."


def _left_out(drawn: Sequence[Drawn]) -> Iterable[str]:
    splits = list(dict.fromkeys(split for panel in drawn for split in panel.left_out))
    if splits:
        yield f"Not drawn: {numbers.plural(len(splits), 'further held-out set')} ({', '.join(splits)})."
