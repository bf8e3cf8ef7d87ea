"""Lays a figure out on the page: axes, lines, and words where nothing touches them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dpo_report.core.drawing.axes import x_axis, y_axis
from dpo_report.core.drawing.labels import cover, free, spread
from dpo_report.core.drawing.lines import Floats, draw_line, last
from dpo_report.core.drawing.plane import TICK, Plane
from dpo_report.core.drawing.scene import Box, Item, Scene, Stroke, Words
from dpo_report.core.drawing.style import GREY, REFERENCE, Style, colour_of
from dpo_report.core.drawing.typist import DOWN, UP, Typist

if TYPE_CHECKING:
    from dpo_report.core.drawing.face import Face
    from dpo_report.core.plot import Figure, Level, Line, Panel

_GAP = 16.0  # between panels, points
_AIR = 1.2  # around every word beside a line


def lay_out(figure: Figure, style: Style, face: Face) -> Scene:
    """A scene exactly as wide as the style says."""
    width, height = 72 * style.width(len(figure.panels)), 72 * style.height
    cell = (width - _GAP * (len(figure.panels) - 1)) / len(figure.panels)
    typist = Typist(face, style)
    items: list[Item] = []
    for index, panel in enumerate(figure.panels):
        left = index * (cell + _GAP)
        frame = Box(left + 0.5, 1.0, left + cell - 0.5, height - 1.0)
        beside = [other for other in figure.panels if other.x_label == panel.x_label]
        items.extend(_PanelLayout(panel, beside, frame, typist).items())
    return Scene(width, height, tuple(items))


class _PanelLayout:
    """One panel within its frame."""

    def __init__(self, panel: Panel, beside: Sequence[Panel], frame: Box, typist: Typist) -> None:
        self.panel, self.beside, self.frame, self.typist = panel, beside, frame, typist
        self.size, self.small = typist.style.font, typist.style.small

    def items(self) -> Iterator[Item]:
        """Everything in the panel. References whose word finds no place inside are named in the margin."""
        outside: tuple[Level, ...] = ()
        while True:
            self._measure(outside)
            drawn = [item for line in self._ordered() for item in self._line(line)]
            references = [self._reference(level) for level in self.panel.levels]
            cloud = cover([*references, *drawn])
            words: list[Words] = self._early(cloud)
            homeless = []
            for level in self.panel.levels:
                if level in outside:
                    continue
                found = self._beside(level, cloud, [word.box for word in words])
                words.extend(found)
                if not found and level.label:
                    homeless.append(level)
            if not homeless:
                break
            outside += tuple(homeless)
        yield from references
        yield from drawn
        yield from self.plane.axes(self.panel, self.frame, self.typist)
        yield from words
        yield from self._margin(outside)

    def _measure(self, outside: Sequence[Level]) -> None:
        """Axes, and the rectangle of the data."""
        panel, frame, wide = self.panel, self.frame, self.typist.width
        bottom = frame.bottom + self.size * (UP + DOWN) + 3.0 + self.small * 0.7 + TICK + 3.0
        top = frame.top - self.size * (UP + DOWN) - 5.0
        y = y_axis(panel, (top - bottom) / (2.6 * self.size))
        left = frame.left + max((wide(word, self.small) for word in y.words), default=0.0) + TICK + 3.0
        most = 4.4 * self.size
        self.names = {id(line): self.typist.wrapped(line.label, self.size, most) for line in panel.lines if line.label}
        named = list(self.names.values()) + [self.typist.wrapped(one.label, self.small, most) for one in outside]
        margin = max((wide(text, self.size) for lines in named for text in lines), default=0.0)
        right = frame.right - (margin + 7.5 if margin else 4.0)
        x = x_axis(self.beside, right - left, lambda text: wide(text, self.small))
        self.area = Box(left, bottom, right, top)
        self.plane = Plane(self.area, x, y)

    def _ordered(self) -> list[Line]:
        """Bands first, so that none covers a line."""
        return sorted(self.panel.lines, key=lambda line: line.low is None)

    def _line(self, line: Line) -> list[Item]:
        held_out = [one for one in self.panel.lines if one.role == "eval"]
        rank = next((index for index, one in enumerate(held_out) if one is line), 0)
        return list(draw_line(line, self.plane.points, rank, long=self.plane.width))

    # --- references and names ---------------------------------------------------------------------------------

    def _reference(self, level: Level) -> Stroke:
        y = self.plane.point(self.plane.x.low, level.y)[1]
        return Stroke(np.array([(self.area.left, y), (self.area.right, y)]), GREY, 0.7, REFERENCE, data=True)

    def _beside(self, level: Level, cloud: Floats, taken: Iterable[Box]) -> list[Words]:
        """The word of a reference above or below it, from the right end to the left; nothing where it touches."""
        if not level.label:
            return []
        area, small, taken = self.area, self.small, list(taken)
        wide, y = self.typist.width(level.label, small), self.plane.point(self.plane.x.low, level.y)[1]
        starts = np.arange(area.right - 1.0, area.left + wide + 2.0, -3.0)
        for away, x in itertools.product((2.0, 3.5, 5.0), starts):
            for base in (y + away + DOWN * small, y - away - UP * small):
                box = Box(x - wide, base - DOWN * small, x, base + UP * small)
                inside = box.top <= area.top + 1.0 and box.bottom >= area.bottom + 1.0
                if inside and free(box.grown(_AIR), cloud, taken):
                    return self.typist.words(float(x), base, level.label, small, GREY, "label", 1.0)
        return []

    def _early(self, cloud: Floats) -> list[Words]:
        """Names of lines that end well before the right edge, beside their end where they touch nothing."""
        area, size = self.area, self.size
        placed: list[Words] = []
        self.settled = set[int]()
        for line in self.panel.lines:
            end = last(line)
            if id(line) not in self.names or end is None:
                continue
            x, y = self.plane.point(*end)
            if area.right - x < 0.12 * (area.right - area.left):
                continue
            wide, tall = self.typist.width(line.label, size), size * (UP + DOWN)
            for away, (over, up) in itertools.product((4.0, 7.0, 11.0), ((1, 0), (0, 1), (0, -1), (1, 1), (1, -1))):
                left = x + away if over else x - wide / 2
                low = y - tall / 2 + up * (away + tall / 2)
                box = Box(left, low, left + wide, low + tall)
                inside = box.right < area.right and box.left > area.left and area.bottom < low and box.top < area.top
                if inside and free(box.grown(_AIR), cloud, [word.box for word in placed]):
                    base = low + DOWN * size
                    placed += self.typist.words(left, base, line.label, size, colour_of(line.role), "label", 0.0)
                    self.settled.add(id(line))
                    break
        return placed

    def _margin(self, outside: Sequence[Level]) -> Iterator[Item]:
        """Names right of where the lines end, moved apart where they would meet, then tied to their line."""
        area, size = self.area, self.size
        wanted: list[tuple[tuple[str, ...], tuple[float, float], str]] = []
        for line in self.panel.lines:
            end = last(line)
            if id(line) in self.names and id(line) not in self.settled and end is not None:
                wanted.append((self.names[id(line)], self.plane.point(*end), colour_of(line.role)))
        for level in outside:
            end = (area.right, self.plane.point(self.plane.x.low, level.y)[1])
            wanted.append((self.typist.wrapped(level.label, self.small, 4.4 * size), end, GREY))
        leading = size * (UP + DOWN) + 0.4
        heights = [leading * len(lines) + 2.6 for lines, _, _ in wanted]
        centres = spread([end[1] for _, end, _ in wanted], heights, area.bottom - 4.0, self.frame.top)
        for (lines, end, colour), centre in zip(wanted, centres, strict=True):
            if abs(centre - end[1]) > 3.0 or area.right - end[0] > 8.0:
                yield Stroke(np.array([(end[0] + 2.5, end[1]), (area.right + 4.5, centre)]), colour, 0.4)
            top = centre + (leading * len(lines)) / 2
            for index, text in enumerate(lines):
                base = top - leading * index - 0.3 - UP * size
                yield from self.typist.words(area.right + 5.5, base, text, size, colour, "label", 0.0)
