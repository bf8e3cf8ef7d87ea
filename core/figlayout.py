"""Lays a figure out on the page: axes, lines, and words where nothing touches them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dpo_report.core import figlabels, figlines
from dpo_report.core.figscene import Box, Item, Kind, Scene, Stroke, Words
from dpo_report.core.figstyle import GREY, INK, REFERENCE, Style, colour_of
from dpo_report.core.figticks import SUPERSCRIPTS, Axis, linear, logarithmic

if TYPE_CHECKING:
    from dpo_report.core.figfont import Font
    from dpo_report.core.plot import Figure, Level, Line, Panel

_GAP = 16.0  # between panels, points
_TICK = 2.6  # length of a tick
_KERN = 0.08  # before and after an exponent, in sizes
_AIR = 1.2  # around every word beside a line
_UP, _DOWN = 0.70, 0.22  # what a line of text covers above and below its baseline, in sizes


@dataclass(frozen=True, slots=True)
class Typist:
    """Sets words in one font."""

    face: Font
    style: Style

    def words(self, x: float, y: float, text: str, size: float, colour: str, kind: Kind, at: float) -> list[Words]:
        """One line of text at a baseline; ``at`` is the share of its width left of ``x``. Exponents are raised."""
        x -= at * self.width(text, size)
        made = []
        for piece, raised in self._pieces(text):
            own, base = (0.72 * size, y + 0.36 * size) if raised else (size, y)
            x += _KERN * size if raised else 0.0
            wide = self.face.width(piece, own)
            box = Box(x, base - _DOWN * own, x + wide, base + _UP * own)
            made.append(Words(x, base, piece, own, colour, box, kind))
            x += wide + (_KERN * size if raised else 0.0)
        return made

    def width(self, text: str, size: float) -> float:
        """Width of one line in points."""
        pieces = self._pieces(text)
        return sum(
            size * (2 * _KERN if up else 0.0) + self.face.width(p, (0.72 if up else 1.0) * size) for p, up in pieces
        )

    def _pieces(self, text: str) -> list[tuple[str, bool]]:
        """Printable stretches, and whether each is raised."""
        stretches = itertools.groupby(text, key=lambda c: c in SUPERSCRIPTS)
        return [(self.face.printable("".join(SUPERSCRIPTS.get(c, c) for c in one)), up) for up, one in stretches]

    def wrapped(self, text: str, size: float, most: float) -> tuple[str, ...]:
        """Lines no wider than ``most`` points where words allow it; longer words are cut with an ellipsis."""
        lines: list[str] = []
        for word in text.split() or [""]:
            while len(word) > 2 and self.width(word, size) > 2 * most:
                word = word.rstrip("…")[:-1] + "…"
            joined = f"{lines[-1]} {word}" if lines else word
            if lines and self.width(joined, size) <= most:
                lines[-1] = joined
            else:
                lines.append(word)
        return tuple(lines)


def lay_out(figure: Figure, style: Style, face: Font) -> Scene:
    """A scene exactly as wide as the style says."""
    width, height = 72 * style.width(len(figure.panels)), 72 * style.height
    cell = (width - _GAP * (len(figure.panels) - 1)) / len(figure.panels)
    typist = Typist(face, style)
    items: list[Item] = []
    for index, panel in enumerate(figure.panels):
        left = index * (cell + _GAP)
        frame = Box(left + 0.5, 1.0, left + cell - 0.5, height - 1.0)
        items.extend(_PanelLayout(panel, frame, typist).items())
    return Scene(width, height, tuple(items))


class _PanelLayout:
    """One panel within its frame."""

    def __init__(self, panel: Panel, frame: Box, typist: Typist) -> None:
        self.panel, self.frame, self.typist = panel, frame, typist
        self.size, self.small = typist.style.font, typist.style.small

    def items(self) -> Iterator[Item]:
        """Everything in the panel. References whose word finds no place inside are named in the margin."""
        outside: tuple[Level, ...] = ()
        while True:
            self._measure(outside)
            drawn = [item for line in self._ordered() for item in self._line(line)]
            references = [self._reference(level) for level in self.panel.levels]
            cloud = figlabels.cloud([*references, *drawn])
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
        yield from self._axes()
        yield from words
        yield from self._margin(outside)

    # --- geometry -------------------------------------------------------------------------------------------

    def _measure(self, outside: Sequence[Level]) -> None:
        """Axes, and the rectangle of the data."""
        panel, frame, wide = self.panel, self.frame, self.typist.width
        bottom = frame.bottom + self.size * (_UP + _DOWN) + 3.0 + self.small * 0.7 + _TICK + 3.0
        top = frame.top - self.size * (_UP + _DOWN) - 5.0
        self.y = _y_axis(panel, (top - bottom) / (2.6 * self.size))
        left = frame.left + max((wide(word, self.small) for word in self.y.words), default=0.0) + _TICK + 3.0
        most = 4.4 * self.size
        self.names = {id(line): self.typist.wrapped(line.label, self.size, most) for line in panel.lines if line.label}
        named = list(self.names.values()) + [self.typist.wrapped(one.label, self.small, most) for one in outside]
        margin = max((wide(text, self.size) for lines in named for text in lines), default=0.0)
        right = frame.right - (margin + 7.5 if margin else 4.0)
        self.x = _x_axis(panel, right - left, lambda text: wide(text, self.small))
        self.area = Box(left, bottom, right, top)

    def _place(self, x: float, y: float) -> tuple[float, float]:
        area = self.area
        return (
            area.left + self.x.place(x) * (area.right - area.left),
            area.bottom + self.y.place(y) * (area.top - area.bottom),
        )

    def _ordered(self) -> list[Line]:
        """Bands first, so that none covers a line."""
        return sorted(self.panel.lines, key=lambda line: line.low is None)

    def _line(self, line: Line) -> list[Item]:
        held_out = [one for one in self.panel.lines if one.role == "eval"]
        rank = next((index for index, one in enumerate(held_out) if one is line), 0)
        return list(figlines.draw(line, self._place_all, rank, long=self.area.right - self.area.left))

    def _place_all(self, x: figlines.Floats, y: figlines.Floats) -> figlines.Floats:
        area = self.area
        if self.y.log:
            rise = (np.log(y) - np.log(self.y.low)) / (np.log(self.y.high) - np.log(self.y.low))
        else:
            rise = (y - self.y.low) / (self.y.high - self.y.low)
        along = (x - self.x.low) / (self.x.high - self.x.low)
        return np.column_stack(
            (area.left + along * (area.right - area.left), area.bottom + rise * (area.top - area.bottom))
        )

    # --- axes and references --------------------------------------------------------------------------------

    def _axes(self) -> Iterator[Item]:
        area, small, typist = self.area, self.small, self.typist
        corner = [(area.left, area.top), (area.left, area.bottom), (area.right, area.bottom)]
        yield Stroke(np.array(corner), INK, 0.7)
        for tick, word in zip(self.y.ticks, self.y.words, strict=True):
            _, y = self._place(self.x.low, tick)
            yield Stroke(np.array([(area.left - _TICK, y), (area.left, y)]), INK, 0.7)
            yield from typist.words(area.left - _TICK - 2.0, y - 0.33 * small, word, small, INK, "tick", 1.0)
        for tick, word in zip(self.x.ticks, self.x.words, strict=True):
            x = self._place(tick, self.y.low)[0]
            yield Stroke(np.array([(x, area.bottom - _TICK), (x, area.bottom)]), INK, 0.7)
            yield from typist.words(x, area.bottom - _TICK - 2.5 - 0.68 * small, word, small, INK, "tick", 0.5)
        name = f"{self.panel.y_label} ({self.y.factor})" if self.y.factor else self.panel.y_label
        size = self._fitting(name)
        yield from typist.words(self.frame.left, area.top + 5.0 + _DOWN * size, name, size, INK, "axis", 0.0)
        name = f"{self.panel.x_label} ({self.x.factor})" if self.x.factor else self.panel.x_label
        middle, base = (area.left + area.right) / 2, self.frame.bottom + _DOWN * self.size
        yield from typist.words(middle, base, name, self._fitting(name), INK, "axis", 0.5)

    def _fitting(self, text: str) -> float:
        """The size at which a name fits into the frame."""
        room = self.frame.right - self.frame.left
        return min(self.size, self.size * room / max(self.typist.width(text, self.size), 1.0))

    def _reference(self, level: Level) -> Stroke:
        y = self._place(self.x.low, level.y)[1]
        return Stroke(np.array([(self.area.left, y), (self.area.right, y)]), GREY, 0.7, REFERENCE, data=True)

    def _beside(self, level: Level, cloud: figlines.Floats, taken: Iterable[Box]) -> list[Words]:
        """The word of a reference above or below it, from the right end to the left; nothing where it touches."""
        if not level.label:
            return []
        area, small, taken = self.area, self.small, list(taken)
        wide, y = self.typist.width(level.label, small), self._place(self.x.low, level.y)[1]
        starts = np.arange(area.right - 1.0, area.left + wide + 2.0, -3.0)
        for away, x in itertools.product((2.0, 3.5, 5.0), starts):
            for base in (y + away + _DOWN * small, y - away - _UP * small):
                box = Box(x - wide, base - _DOWN * small, x, base + _UP * small)
                inside = box.top <= area.top + 1.0 and box.bottom >= area.bottom + 1.0
                if inside and figlabels.free(box.grown(_AIR), cloud, taken):
                    return self.typist.words(float(x), base, level.label, small, GREY, "label", 1.0)
        return []

    def _early(self, cloud: figlines.Floats) -> list[Words]:
        """Names of lines that end well before the right edge, beside their end where they touch nothing."""
        area, size = self.area, self.size
        placed: list[Words] = []
        self.settled = set[int]()
        for line in self.panel.lines:
            end = figlines.last(line)
            if id(line) not in self.names or end is None:
                continue
            x, y = self._place(*end)
            if area.right - x < 0.12 * (area.right - area.left):
                continue
            wide, tall = self.typist.width(line.label, size), size * (_UP + _DOWN)
            for away, (over, up) in itertools.product((4.0, 7.0, 11.0), ((1, 0), (0, 1), (0, -1), (1, 1), (1, -1))):
                left = x + away if over else x - wide / 2
                low = y - tall / 2 + up * (away + tall / 2)
                box = Box(left, low, left + wide, low + tall)
                inside = box.right < area.right and box.left > area.left and area.bottom < low and box.top < area.top
                if inside and figlabels.free(box.grown(_AIR), cloud, [word.box for word in placed]):
                    base = low + _DOWN * size
                    placed += self.typist.words(left, base, line.label, size, colour_of(line.role), "label", 0.0)
                    self.settled.add(id(line))
                    break
        return placed

    def _margin(self, outside: Sequence[Level]) -> Iterator[Item]:
        """Names right of where the lines end, moved apart where they would meet, then tied to their line."""
        area, size = self.area, self.size
        wanted: list[tuple[tuple[str, ...], tuple[float, float], str]] = []
        for line in self.panel.lines:
            end = figlines.last(line)
            if id(line) in self.names and id(line) not in self.settled and end is not None:
                wanted.append((self.names[id(line)], self._place(*end), colour_of(line.role)))
        for level in outside:
            end = (area.right, self._place(self.x.low, level.y)[1])
            wanted.append((self.typist.wrapped(level.label, self.small, 4.4 * size), end, GREY))
        leading = size * (_UP + _DOWN) + 0.4
        heights = [leading * len(lines) + 2.6 for lines, _, _ in wanted]
        centres = figlabels.spread([end[1] for _, end, _ in wanted], heights, area.bottom - 4.0, self.frame.top)
        for (lines, end, colour), centre in zip(wanted, centres, strict=True):
            if abs(centre - end[1]) > 3.0 or area.right - end[0] > 8.0:
                yield Stroke(np.array([(end[0] + 2.5, end[1]), (area.right + 4.5, centre)]), colour, 0.4)
            top = centre + (leading * len(lines)) / 2
            for index, text in enumerate(lines):
                base = top - leading * index - 0.3 - _UP * size
                yield from self.typist.words(area.right + 5.5, base, text, size, colour, "label", 0.0)


def _y_axis(panel: Panel, want: float) -> Axis:
    """Everything drawn is in sight, and so is ``y_from``.

    An axis that starts at 0 has no air below it; one with a reference at its top has room for the word above. A
    logarithmic scale that was asked for is linear where it could not show a value.
    """
    values = np.concatenate([figlines.heights(line) for line in panel.lines])
    values = np.append(values, [level.y for level in panel.levels])
    if panel.y_scale == "log" and len(values) and values.min() > 1e-100 and values.max() < 1e100:
        low, high = float(values.min()), float(values.max())
        air = math.exp(0.05 * (math.log(high) - math.log(low))) if high > low else 2.0
        return logarithmic(low / air, high * air, want)
    if panel.y_from is not None:
        values = np.append(values, panel.y_from)
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    largest = max(abs(low), abs(high))
    varied = high - low > 1e-9 * largest  # less is rounding
    air = 0.05 * (high - low if varied else largest) if largest > 1e-290 else 1.0
    grounded = low == 0 == panel.y_from
    crowned = any(level.label and level.y > high - 2.5 * air for level in panel.levels)
    return linear(low if grounded else low - air, high + (3.2 * air if crowned else air), want, scaled=True)


def _x_axis(panel: Panel, width: float, wide: figlines.Measure) -> Axis:
    """From the first to the last step; from 0 where the first step is near it."""
    low = min(float(line.x.min()) for line in panel.lines if len(line.x))
    high = max(float(line.x.max()) for line in panel.lines if len(line.x))
    whole = all(bool(np.all(line.x == np.round(line.x))) for line in panel.lines)
    if 0 <= low <= 0.3 * high:
        low = 0.0
    elif high > low:
        low -= 0.03 * (high - low)
    else:
        low, high = low - 1.0, high + 1.0
    axis = linear(low, high, 5, whole=whole)
    for want in (6, 5, 4, 3, 2, 1):
        axis = linear(low, high, want, whole=whole)
        widest = max((wide(word) for word in axis.words), default=0.0)
        if widest * 1.6 * len(axis.words) <= width:
            break
    return axis
