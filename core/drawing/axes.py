"""From which value to which the axes of a panel reach."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dpo_report.core.drawing.lines import heights
from dpo_report.core.drawing.ticks import Axis, linear, logarithmic

if TYPE_CHECKING:
    from dpo_report.core.plot import Panel

TINY = 1e-100
"""Steps that lie no further apart are drawn at one place."""


def y_axis(panel: Panel, want: float) -> Axis:
    """Everything drawn is in sight, and so is ``y_from``.

    An axis that starts at 0 has no air below it; one with a reference at its top has room for the word above. A
    logarithmic scale that was asked for is linear where it could not show a value.
    """
    values = np.concatenate([heights(line) for line in panel.lines])
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


def x_axis(panels: Sequence[Panel], width: float, wide: Callable[[str], float]) -> Axis:
    """From the first to the last step of panels that are read together; from 0 where the first step is near it."""
    lines = [line for panel in panels for line in panel.lines]
    low = min(float(line.x.min()) for line in lines if len(line.x))
    high = max(float(line.x.max()) for line in lines if len(line.x))
    whole = all(bool(np.all(line.x == np.round(line.x))) for line in lines)
    if 0 <= low <= 0.3 * high and high > TINY:
        low = 0.0
    elif high - low > TINY:
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
