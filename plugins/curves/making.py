"""What a caption says about how its figure was made: what dots, lines, bands and markers are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dpo_report.core import numbers
from dpo_report.core.model import Run, Series
from dpo_report.plugins import reading
from dpo_report.plugins.curves.panels import Drawn
from dpo_report.plugins.curves.seen import rows_at_ends
from dpo_report.plugins.curves.tracks import Track


def made(run: Run, drawn: Sequence[Drawn], tracks: Sequence[Track]) -> Iterable[str]:
    """One sentence for each kind of mark. References are not told: a word stands beside each in the figure."""
    trained = [track for track in tracks if track.line.role == "train"]
    joined = [track for track in trained if track.making == "joined"]
    if joined:
        yield f"Filled markers: {_rows(run, joined, drawn)}."
    running = [track for track in tracks if track.making in ("mean", "median")]
    for kind in sorted({_kind(track) for track in running}, reverse=True):
        same, (_, making, width, ends) = [track for track in running if _kind(track) == kind], kind
        yield (
            f"Dots: {_rows(run, same, drawn)}; line: running {making} over {width} "
            f"(numbers: {making}s of the first and last {numbers.count(ends)} rows)."
        )
    for steps, ends in sorted({(track.width, rows_at_ends(track)) for track in tracks if track.making == "bins"}):
        yield (
            f"Line: mean of bins of {numbers.count(steps) if steps >= 1 else numbers.number(steps)} steps; band: "
            f"minimum and maximum in each bin (numbers: means of the first and last {numbers.count(ends)} rows)."
        )
    yield from _evaluations(run, [track for track in tracks if track.line.role == "eval"])
    if any(track.series.name == "learning_rate" for track in trained) and reading.logs_used_rate(run) is False:
        yield "The learning rate logged with a row is that of the step after it."
    names = " and ".join(panel.quantity.plain for panel in drawn if panel.panel.y_scale == "log")
    if names:
        yield f"The scale of the {names} is logarithmic."


def _kind(track: Track) -> tuple[str, str, int, int]:
    return track.line.role, track.making, int(track.width), rows_at_ends(track)


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


def _evaluations(run: Run, tracks: Sequence[Track]) -> Iterable[str]:
    """What the open markers are."""
    if not tracks:
        return
    if all(track.making != "joined" for track in tracks):
        yield "Open squares only tell the held-out lines apart."
        return
    splits = list(dict.fromkeys(track.series.split for track in tracks))
    shape = "Open squares" if not any(track.line.dashed for track in tracks) and len(splits) == 1 else "Open markers"
    known = reading.implied_eval_rows(run, splits[0]) if len(splits) == 1 else None
    if known is None or known.value is None:
        yield f"{shape}: evaluations on held-out data."
    else:
        yield f"{shape}: evaluations on {numbers.plural(known.value, 'held-out ' + reading.sample_word(run))}."
