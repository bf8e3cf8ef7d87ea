"""A figure as data: lines, bands and references, drawn elsewhere (:mod:`dpo_report.core.figures`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dpo_report.core.model import Series
    from dpo_report.core.text import Text


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One curve of a panel."""

    label: str
    """The word that stands where the line ends: ``training``, ``held-out``."""
    x: NDArray[np.float64]
    """Steps, shape (n,)."""
    y: NDArray[np.float64]
    """Values, shape (n,); gaps are NaN."""
    role: str = "train"
    """What the colour means: ``train``, ``eval`` (open markers), ``other``."""
    low: NDArray[np.float64] | None = None
    """Lower edge of a min-max band, shape (n,)."""
    high: NDArray[np.float64] | None = None
    """Upper edge of the band."""
    dots_x: NDArray[np.float64] | None = None
    """Raw points kept visible under a smoothed line."""
    dots_y: NDArray[np.float64] | None = None
    """Values of the raw points."""
    dashed: bool = False
    """Whether it is the second of a pair that shares a colour: rejected beside chosen."""
    marks: bool = False
    """Whether each point carries a marker (few points, evaluations)."""
    series: Series | None = None
    """The logged series that it shows, all of it, where it is one: charts that zoom look there for what lies between,
    and for the row behind a point."""


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal reference: ``ln 2: policy = reference``, ``chance``."""

    y: float
    """Its height."""
    label: str
    """The word beside it."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One pair of axes."""

    y_label: str
    """Quantity and unit."""
    lines: tuple[Line, ...]
    """At least one."""
    levels: tuple[Level, ...] = ()
    """References."""
    x_label: str = "Optimizer step"
    """What the steps are."""
    y_from: float | None = None
    """A value that must be in sight: 0 for a loss, 0.5 for an accuracy."""
    y_scale: Literal["linear", "log"] = "linear"
    """Scale of the axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A figure as data; drawn elsewhere."""

    name: str
    """File name without suffix."""
    title: str
    """For lists and alternative texts; never drawn inside the figure."""
    caption: Text
    """What is seen in one sentence, then how it was made."""
    panels: tuple[Panel, ...]
    """One to three, drawn side by side."""
