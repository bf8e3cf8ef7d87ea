"""The rectangle of a panel's data: where its values stand, and the axes around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dpo_report.core.drawing.lines import Floats
from dpo_report.core.drawing.scene import Box, Item, Stroke
from dpo_report.core.drawing.style import INK
from dpo_report.core.drawing.ticks import Axis
from dpo_report.core.drawing.typist import DOWN

if TYPE_CHECKING:
    from dpo_report.core.drawing.typist import Typist
    from dpo_report.core.plot import Panel

TICK = 2.6
"""Length of a tick, points."""


@dataclass(frozen=True, slots=True)
class Plane:
    """Two axes and the rectangle between them."""

    area: Box
    x: Axis
    y: Axis

    @property
    def width(self) -> float:
        """Of the rectangle, in points."""
        return self.area.right - self.area.left

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where one pair of values stands."""
        area = self.area
        return area.left + self.x.place(x) * self.width, area.bottom + self.y.place(y) * (area.top - area.bottom)

    def points(self, x: Floats, y: Floats) -> Floats:
        """Where many stand: from two arrays of shape (n,) one of shape (n, 2)."""
        area = self.area
        if self.y.log:
            rise = (np.log(y) - np.log(self.y.low)) / (np.log(self.y.high) - np.log(self.y.low))
        else:
            rise = (y - self.y.low) / (self.y.high - self.y.low)
        along = (x - self.x.low) / (self.x.high - self.x.low)
        return np.column_stack((area.left + along * self.width, area.bottom + rise * (area.top - area.bottom)))

    def axes(self, panel: Panel, frame: Box, typist: Typist) -> Iterator[Item]:
        """Both lines with their ticks, and what stands at them; names are no wider than the frame."""
        area, small = self.area, typist.style.small
        corner = [(area.left, area.top), (area.left, area.bottom), (area.right, area.bottom)]
        yield Stroke(np.array(corner), INK, 0.7)
        for tick, word in zip(self.y.ticks, self.y.words, strict=True):
            _, y = self.point(self.x.low, tick)
            yield Stroke(np.array([(area.left - TICK, y), (area.left, y)]), INK, 0.7)
            yield from typist.words(area.left - TICK - 2.0, y - 0.33 * small, word, small, INK, "tick", 1.0)
        for tick, word in zip(self.x.ticks, self.x.words, strict=True):
            x = self.point(tick, self.y.low)[0]
            yield Stroke(np.array([(x, area.bottom - TICK), (x, area.bottom)]), INK, 0.7)
            yield from typist.words(x, area.bottom - TICK - 2.5 - 0.68 * small, word, small, INK, "tick", 0.5)
        room = frame.right - frame.left
        name = f"{panel.y_label} ({self.y.factor})" if self.y.factor else panel.y_label
        size = typist.fitting(name, room)
        yield from typist.words(frame.left, area.top + 5.0 + DOWN * size, name, size, INK, "axis", 0.0)
        name = f"{panel.x_label} ({self.x.factor})" if self.x.factor else panel.x_label
        middle, base = (area.left + area.right) / 2, frame.bottom + DOWN * typist.style.font
        yield from typist.words(middle, base, name, typist.fitting(name, room), INK, "axis", 0.5)
