"""Figures with their captions: what is seen, in numbers; then how it was made. They stand without the text around them.

They name no places: panels stand side by side only where there is room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dpo_report.core.contract import NotApplicable
from dpo_report.core.model import Run
from dpo_report.core.plot import Figure
from dpo_report.core.text import Text
from dpo_report.plugins.curves.absent import absent
from dpo_report.plugins.curves.making import made
from dpo_report.plugins.curves.panels import Drawn
from dpo_report.plugins.curves.seen import seen


def figure(run: Run, name: str, title: str, drawn: Iterable[Drawn | None], reason: str) -> Figure:
    """The figure of the panels that can be drawn.

    Raises:
        NotApplicable: there is none, for this reason.
    """
    shown = [one for one in drawn if one is not None]
    if not shown:
        raise NotApplicable(reason)
    return Figure(name, title, caption(run, shown), tuple(one.panel for one in shown))


def caption(run: Run, drawn: Sequence[Drawn]) -> Text:
    """The caption of a figure with these panels."""
    told = "; ".join(seen(panel) for panel in drawn)
    tracks = [track for panel in drawn for track in panel.tracks]
    return Text((" ".join([f"{told[0].upper()}{told[1:]}.", *made(run, drawn, tracks), *absent(run, drawn, tracks)]),))
