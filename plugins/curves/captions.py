"""Captions: what is seen, in numbers; then how the figure was made. They stand without the text around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from dpo_report.core import numbers
from dpo_report.core.model import Run, Series
from dpo_report.core.text import Text
from dpo_report.plugins import finiteness, reading
from dpo_report.plugins.curves.panels import Drawn, Quantity, where_of
from dpo_report.plugins.curves.tracks import Track

_NAMED_STEPS = 6


def caption(run: Run, drawn: Sequence[Drawn]) -> Text:
    """The caption of a figure with these panels."""
    seen = [_seen(panel) for panel in drawn]
    if len(seen) == 1:
        told = [f"{seen[0][0].upper()}{seen[0][1:]}."]
    else:
        places = ("Left", "Right") if len(seen) == 2 else ("Left", "Middle", "Right")
        told = [f"{place}: {text}." for place, text in zip(places, seen, strict=True)]
    tracks = [track for panel in drawn for track in panel.tracks]
    told += [*_made(run, drawn, tracks), *_gaps(tracks), *_zeros(run, tracks), *_tied(drawn), *_left_out(drawn)]
    return Text((" ".join(told),))


# --- what is seen -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Ends:
    """The first and the last value of a line as words, with where each was taken."""

    verb: str
    verbs: str
    first: str
    last: str
    start: str
    end: str


def _seen(panel: Drawn) -> str:
    """``the training loss is 0.693 at step 1 and 0.259 at step 4; the held-out loss is ...``"""
    told = [(track, _ends(panel.quantity, track)) for track in panel.tracks]
    groups = groupby(told, lambda one: (one[0].series.split, one[1].verb, one[1].start, one[1].end))
    return "; ".join(_clause(panel, list(group)) for _, group in groups)


def _clause(panel: Drawn, told: list[tuple[Track, _Ends]]) -> str:
    """One clause for lines that were made alike: chosen and rejected together."""
    quantity = panel.quantity
    (track, ends), many = told[0], len(told) > 1
    subject = f"the {quantity.pair.format(where_of(track.series.split))}" if many else f"the {track.subject}"
    first, last = (" and ".join(getattr(one, at) for _, one in told) for at in ("first", "last"))
    verb = ends.verbs if many else ends.verb
    if not ends.start:
        return f"{subject} {verb} never finite"
    if ends.start == ends.end:
        return f"{subject} {verb} {first} {ends.start}"
    remarks = "" if many else _above(panel, track) + _extreme(quantity, track)
    return f"{subject} {verb} {first} {ends.start} and {last} {ends.end}{remarks}"


def _above(panel: Drawn, track: Track) -> str:
    """Whether a held-out loss ends above the loss that no training at all would give."""
    levels = [level for level in panel.panel.levels if panel.quantity.better == "lower"]
    if track.line.role != "eval" or track.making != "joined" or not levels:
        return ""
    value, _, meaning = levels[0].label.partition(": ")
    return f", above {value} ({meaning})" if track.series.values[track.finite][-1] > levels[0].y else ""


def _ends(quantity: Quantity, track: Track) -> _Ends:
    known = track.finite
    steps, values = track.series.steps[known], track.series.values[known]
    if not len(values):
        return _Ends("is", "are", "", "", "", "")
    if track.making in ("joined", "plain"):
        first, last = (quantity.words(float(values[at])) for at in (0, -1))
        return _Ends("is", "are", first, last, f"at {_at(track, steps[0])}", f"at {_at(track, steps[-1])}")
    if track.making == "bins":
        rows = max(1, int(np.searchsorted(steps, steps[0] + track.width)))
    else:
        rows = max(3, min(int(track.width), len(values) // 20))
    centre = np.median if track.making == "median" else np.mean
    first, last = (quantity.words(float(centre(part))) for part in (values[:rows], values[-rows:]))
    verb, verbs = ("has a median of", "have medians of") if track.making == "median" else ("averages", "average")
    spans = f"over the first {numbers.count(rows)} logged rows", f"over the last {numbers.count(rows)}"
    return _Ends(verb, verbs, first, last, *spans)


def _extreme(quantity: Quantity, track: Track) -> str:
    """Where a held-out line of at least three points has its best value, if that is not an end of it."""
    better, known = quantity.better, track.finite
    steps, values = track.series.steps[known], track.series.values[known]
    if better == "none" or track.making != "joined" or len(values) < 3 or track.line.role != "eval":
        return ""
    index = int(np.argmin(values) if better == "lower" else np.argmax(values))
    if values[index] in (values[0], values[-1]):
        return ""
    word = "lowest" if better == "lower" else "highest"
    return f" ({word}: {quantity.words(float(values[index]))} at {_at(track, steps[index])})"


def _at(track: Track, step: float) -> str:
    return f"{track.unit} {numbers.count(step) if step == round(step) else numbers.number(float(step))}"


# --- how it was made ----------------------------------------------------------------------------------------------


def _made(run: Run, drawn: Sequence[Drawn], tracks: Sequence[Track]) -> Iterable[str]:
    trained = [track for track in tracks if track.line.role == "train"]
    held_out = [track for track in tracks if track.line.role == "eval"]
    joined = [track for track in trained if track.making == "joined"]
    if joined:
        yield f"Filled markers: {_rows(run, joined, drawn)}, joined."
    running = [track for track in tracks if track.making in ("mean", "median")]
    for kind in sorted({_kind(track) for track in running}, reverse=True):
        same, (_, making, rows) = [track for track in running if _kind(track) == kind], kind
        shown = f"Dots: {_rows(run, same, drawn)}"
        yield f"{shown}; line: their running {making} over {rows} rows (fewer towards the ends)."
    exact = dict.fromkeys(track.subject for track in tracks if track.making == "plain")
    if running:
        yield from (f"The {subject} is drawn as logged." for subject in exact)
    if (
        any(track.series.name == "learning_rate" for track in trained)
        and reading.at_least(run, "transformers", 4, 53, 3) is False
    ):
        yield "This version of Transformers logs with each row the learning rate of the step after it."
    for width in sorted({track.width for track in tracks if track.making == "bins"}):
        yield (
            f"Line: mean of bins of {numbers.count(width) if width >= 1 else numbers.number(width)} steps; band: "
            "minimum and maximum of the rows in each bin; every row is used."
        )
    squares = _evaluations(run, held_out)
    if squares:
        yield squares
    if any(track.line.dashed for track in tracks):
        yield "Coloured dashes: rejected responses."
    references = [level for panel in drawn for level in panel.references]
    if references:
        yield "Grey dashes: " + "; ".join(dict.fromkeys(references)) + "."
    if any(panel.panel.y_scale == "log" for panel in drawn):
        names = " and ".join(panel.quantity.plain for panel in drawn if panel.panel.y_scale == "log")
        yield f"The scale of the {names} is logarithmic."


def _kind(track: Track) -> tuple[str, str, int]:
    return track.line.role, track.making, int(track.width)


def _rows(run: Run, tracks: Sequence[Track], drawn: Sequence[Drawn]) -> str:
    """What the points of these lines are: ``logged means of 100 steps`` where every row is one."""
    if all(track.line.role == "eval" for track in tracks):
        return "evaluations"
    averaged = {id(track) for panel in drawn if panel.quantity.averaged for track in panel.tracks}
    apart = {_apart(track.series) for track in tracks}
    every = reading.whole(reading.setting(run, "logging_steps"))
    if all(id(track) in averaged for track in tracks) and apart == {every} and every and every > 1:
        return f"logged means of {numbers.count(every)} steps"
    return "logged rows"


def _apart(series: Series) -> int | None:
    """The distance of all rows, where it is the same."""
    apart = set(np.diff(series.steps, prepend=0.0).tolist())
    return int(apart.pop()) if len(apart) == 1 else None


def _evaluations(run: Run, tracks: Sequence[Track]) -> str:
    """What the open markers are."""
    if not tracks:
        return ""
    if all(track.making != "joined" for track in tracks):
        return "Open squares only tell the held-out lines apart."
    splits = list(dict.fromkeys(track.series.split for track in tracks))
    shape = "Open squares" if not any(track.line.dashed for track in tracks) and len(splits) == 1 else "Open markers"
    known = reading.implied_eval_rows(run, splits[0]) if len(splits) == 1 else None
    if known is None or known.value is None:
        return f"{shape}: evaluations on held-out data."
    return f"{shape}: evaluations on {numbers.plural(known.value, 'held-out ' + reading.sample_word(run))}."


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
        yield f"Not drawn, for they are no finite numbers: {numbers.plural(bad, 'value')}{each} of {whose} ({where})."


def _zeros(run: Run, tracks: Sequence[Track]) -> Iterable[str]:
    """A warning where the trainer wrote 0 for a loss that was no number (rule C12)."""
    zeros = finiteness.alarming_zeros(run)
    if zeros and any(track.series.name == "loss" and track.series.split == "train" for track in tracks):
        yield f"A training loss of exactly 0, logged at {numbers.plural(len(zeros), 'step')}, marks a failure, no fit."


def _where(track: Track) -> str:
    """The steps of the values that are no numbers; rows in a row are named by their ends."""
    bad = np.flatnonzero(~track.finite)
    runs = np.split(bad, np.flatnonzero(np.diff(bad) > 1) + 1)
    ends = [[_at(track, track.series.steps[at]).split()[1] for at in (run[0], run[-1])] for run in runs]
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
