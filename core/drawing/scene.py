"""A drawing as primitives in points, y upwards: what a layout makes and a painter paints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Points = NDArray[np.float64]


Kind = Literal["tick", "axis", "label"]


class Box(NamedTuple):
    """A rectangle."""

    left: float
    bottom: float
    right: float
    top: float

    def grown(self, by: float) -> Box:
        """The rectangle with ``by`` points of air around it."""
        return Box(self.left - by, self.bottom - by, self.right + by, self.top + by)

    def meets(self, other: Box) -> bool:
        """Whether the two share an area."""
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """An open line through ``points`` (n, 2), all finite."""

    points: Points
    colour: str
    width: float
    dash: tuple[float, ...] = ()
    data: bool = False
    """Whether it shows data or a reference, so that no label may touch it."""


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """A filled polygon (n, 2)."""

    points: Points
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """The same marker at every point (n, 2)."""

    points: Points
    shape: str
    size: float
    """Width in points."""
    edge: str | None
    face: str | None


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text."""

    x: float
    y: float
    """The baseline."""
    text: str
    size: float
    colour: str
    box: Box
    """What it covers."""
    kind: Kind
    """A number at a tick, the name of an axis, or a word beside a line."""


Item = Stroke | Area | Marks | Words


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A drawing: what comes later lies above."""

    width: float
    height: float
    items: tuple[Item, ...]
