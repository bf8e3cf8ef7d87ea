"""What a caption says is seen: where each line begins and where it ends, in numbers, and no direction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from dpo_report.core import numbers
from dpo_report.plugins.curves.panels import Drawn, Quantity, where_of
from dpo_report.plugins.curves.tracks import Track


def seen(panel: Drawn) -> str:
    """``the training loss goes from 0.693 to 0.259, the held-out loss from 0.693 to 0.310``"""
    clauses: list[str] = []
    verb = True
    for (split, points), group in groupby(panel.tracks, lambda track: (track.series.split, _points(track))):
        tracks = list(group)
        many = len(tracks) > 1
        pair = f"the {panel.quantity.pair.format(where_of(split))}" if verb else f"the {where_of(split)} ones"
        subject = pair if many else f"the {tracks[0].subject}"
        firsts, lasts = (
            " and ".join(ends) for ends in zip(*(_ends(panel.quantity, one) for one in tracks), strict=True)
        )
        if points < 2:
            known = tracks[0].series.steps[tracks[0].finite]
            value = f"{firsts} at {at(tracks[0], known[0])}" if points else "never finite"
            clauses.append(f"{subject} {'are' if many else 'is'} {value}")
        elif firsts == lasts:
            clauses.append(
                f"{subject} {'start and end' if many else 'starts and ends'} at {firsts}{_remarks(panel, tracks)}"
            )
        else:
            moves = ("go " if many else "goes ") if verb else ""
            clauses.append(f"{subject} {moves}from {firsts} to {lasts}{_remarks(panel, tracks)}")
            verb = False
    return ", ".join(clauses)


def _remarks(panel: Drawn, tracks: Sequence[Track]) -> str:
    """What must be known of the ends of a line, and where between them it was best."""
    track = tracks[0]
    told = [*_cut(track), *([] if len(tracks) > 1 else [*_extreme(panel.quantity, track), *_above(panel, track)])]
    return f" ({'; '.join(told)})" if told else ""


def at(track: Track, step: float) -> str:
    """``step 500``"""
    return f"{track.unit} {numbers.count(step) if step == round(step) else numbers.number(float(step))}"


def rows_at_ends(track: Track) -> int:
    """How many logged rows stand behind each end of a smoothed line; 1 where the line joins the rows themselves."""
    known = track.finite
    steps, count = track.series.steps[known], int(np.count_nonzero(known))
    if track.making in ("joined", "plain") or not count:
        return 1
    if track.making == "bins":
        return max(1, int(np.searchsorted(steps, steps[0] + track.width)))
    return max(3, min(int(track.width), count // 20))


def _points(track: Track) -> int:
    """0 where no value is a number, 1 where one is, else 2."""
    return min(2, int(np.count_nonzero(track.finite)))


def _ends(quantity: Quantity, track: Track) -> tuple[str, str]:
    """The first and the last value as words."""
    values, rows = track.series.values[track.finite], rows_at_ends(track)
    if not len(values):
        return "", ""
    centre = np.median if track.making == "median" else np.mean
    return quantity.words(float(centre(values[:rows]))), quantity.words(float(centre(values[-rows:])))


def _cut(track: Track) -> list[str]:
    """Where a line ends before its rows do, for the rest are no numbers."""
    return [] if track.finite[-1] else [f"to {at(track, track.series.steps[track.finite][-1])}"]


def _extreme(quantity: Quantity, track: Track) -> list[str]:
    """Where a held-out line of at least three points has its best value, if that is not an end of it."""
    better, known = quantity.better, track.finite
    steps, values = track.series.steps[known], track.series.values[known]
    if better == "none" or track.making != "joined" or len(values) < 3 or track.line.role != "eval":
        return []
    index = int(np.argmin(values) if better == "lower" else np.argmax(values))
    if values[index] in (values[0], values[-1]):
        return []
    word = "lowest" if better == "lower" else "highest"
    return [f"{word}: {quantity.words(float(values[index]))} at {at(track, steps[index])}"]


def _above(panel: Drawn, track: Track) -> list[str]:
    """Whether a held-out loss ends above the loss that no training at all would give."""
    levels = [level for level in panel.panel.levels if panel.quantity.better == "lower"]
    if track.line.role != "eval" or track.making != "joined" or not levels:
        return []
    value = levels[0].label.partition(":")[0]
    return [f"above {value} at the end"] if track.series.values[track.finite][-1] > levels[0].y else []
