"""Captions: what is seen, in numbers; then how the figure was made. They stand without the text around them.

They name no places: panels stand side by side only where there is room."""

from __future__ import annotations

from collections.abc import Sequence

from dpo_report.core.model import Run
from dpo_report.core.text import Text
from dpo_report.plugins.curves.absent import absent
from dpo_report.plugins.curves.making import made
from dpo_report.plugins.curves.panels import Drawn
from dpo_report.plugins.curves.seen import seen


def caption(run: Run, drawn: Sequence[Drawn]) -> Text:
    """The caption of a figure with these panels."""
    told = "; ".join(seen(panel) for panel in drawn)
    tracks = [track for panel in drawn for track in panel.tracks]
    return Text((" ".join([f"{told[0].upper()}{told[1:]}.", *made(run, drawn, tracks), *absent(run, drawn, tracks)]),))
