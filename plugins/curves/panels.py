"""Panels: which series of a run stand together in one pair of axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dpo_report.core import numbers
from dpo_report.core.model import Better, Run, Series
from dpo_report.core.plot import Level, Panel
from dpo_report.plugins import reading
from dpo_report.plugins.curves.tracks import Drawing, Track, track
from dpo_report.plugins.reading.programs import counts_updates

_MOST = 6  # lines of held-out data in a panel: more cannot be told apart
_WIDE = 100.0  # a positive quantity that spans more than this factor is drawn on a logarithmic scale


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a panel shows."""

    series: tuple[str, ...]
    """One series, or two that share the panel: chosen and rejected."""
    plain: str
    """In a sentence: ``loss``."""
    label: str
    """At the axis."""
    words: Callable[[float], str] = numbers.number
    """How its numbers are written."""
    better: Better = "none"
    """Which end of a held-out line a caption names."""
    y_from: float | None = None
    """As in :class:`~dpo_report.core.plot.Panel`."""
    averaged: bool = True
    """Whether the trainer logs means over the steps since the row before."""
    may_log: bool = False
    """Whether a wide span may turn the axis logarithmic."""
    named: bool = True
    """Whether lines carry words; a panel with one line that the axis names needs none."""
    pair: str = ""
    """Both lines of a pair in a sentence: ``{} rewards of chosen and rejected responses``; ``{}`` is the split."""
    drawing: Drawing = "mean"
    """How 21 to 400 rows become a line."""
    ties: bool = True
    """Whether rows are drawn in which policy and reference tie on every pair, as they must before any training."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A panel with what its caption needs."""

    quantity: Quantity
    panel: Panel
    tracks: tuple[Track, ...]
    left_out: tuple[str, ...] = ()
    """Held-out sets that found no room."""
    tied: tuple[Series, ...] = ()
    """Rows left out because policy and reference tie there."""


_OF = ("", "")
_PAIR = ("chosen", "rejected")


def panel(run: Run, quantity: Quantity, levels: Sequence[Level] = ()) -> Drawn | None:
    """The panel of a quantity; None where no series of it has two finite points."""
    tracks: list[Track] = []
    left_out: list[str] = []
    tied: list[Series] = []
    pair = len(quantity.series) > 1
    splits = [
        "train",
        *dict.fromkeys(s.split for name in quantity.series for s in reading.held_out(run, name)),
    ]
    for split in splits:
        for name, which in zip(quantity.series, _PAIR if pair else _OF, strict=False):
            series = run.get(name, split)
            if series is None or not len(series):
                continue
            if split != "train" and sum(one.line.role == "eval" for one in tracks) >= _MOST:
                left_out.append(split.partition(":")[2] or split)
                continue
            ties = np.zeros(len(series), bool) if quantity.ties else _ties(run, series)
            if ties.any():
                tied.append(series.where(ties))
                series = series.where(~ties)
            if not len(series):
                continue
            tracks.append(replace(_track(series, quantity, which), unit=_unit(run, series)))
    if not any(np.count_nonzero(one.finite) >= 2 for one in tracks):
        return None
    lines = tuple(one.line for one in tracks if one.finite.any())
    drawn = Panel(
        quantity.label,
        lines,
        tuple(levels),
        x_label=_axis(run, tracks),
        y_from=quantity.y_from,
        y_scale="log" if quantity.may_log and _wide(tracks) else "linear",
    )
    return Drawn(quantity, drawn, tuple(tracks), tuple(left_out), tuple(tied))


def _ties(run: Run, series: Series) -> NDArray[np.bool_]:
    """Rows that say nothing but that policy and reference are still the same, shape (n,).

    An accuracy counts pairs whose chosen response has the strictly larger reward: 0 of them where all rewards are 0.
    """
    untrained = reading.untrained_steps(run) if series.split == "train" else 0
    return np.asarray((series.steps <= untrained) & (series.values == 0))


def _track(series: Series, quantity: Quantity, which: str) -> Track:
    kind = series.split.partition(":")[0]
    where = where_of(series.split)
    name = series.split.partition(":")[2]
    if not which:
        label = where
    elif kind == "train":
        label = which
    else:
        label = f"{name}: {which}" if name else f"{where} {which}"
    subject = f"{where} {quantity.plain}" if quantity.named else quantity.plain
    subject += f" of {which} responses" if which else ""
    return track(series, subject, label if quantity.named else "", quantity.drawing, dashed=which == "rejected")


def where_of(split: str) -> str:
    """``training``, ``held-out``, or ``held-out (NAME)``."""
    kind, _, name = split.partition(":")
    return "training" if kind == "train" else f"held-out ({name})" if name else "held-out"


def _wide(tracks: Sequence[Track]) -> bool:
    values = np.concatenate([one.series.values[one.finite] for one in tracks])
    return bool(values.min() > 0 and values.max() > _WIDE * values.min())


def _unit(run: Run, series: Series) -> str:
    """Steps are whole numbers; anything else that a trainer counts by is an epoch."""
    if np.any(series.steps != np.round(series.steps)):
        return "epoch"
    return "step" if run.global_step is not None else "log position"


def _axis(run: Run, tracks: Sequence[Track]) -> str:
    units = {one.unit for one in tracks}
    if units == {"step"}:
        return "Optimizer step" if counts_updates(run) else "Step"
    return "Epoch" if "epoch" in units else "Log position"
