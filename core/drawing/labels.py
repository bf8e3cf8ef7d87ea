"""Where words may stand so that they touch no line, no marker and no other word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dpo_report.core.drawing.scene import Area, Box, Item, Marks, Stroke

if TYPE_CHECKING:
    from dpo_report.core.drawing.scene import Points

_SPACING = 1.0  # distance in points at which lines are sampled: far below the height of a word


def cover(items: Iterable[Item]) -> Points:
    """Points (n, 2) that cover every line, marker and area of a drawing, no two neighbours a word's height apart."""
    parts: list[Points] = [np.empty((0, 2))]
    for item in items:
        if isinstance(item, Stroke) and item.data:
            parts.append(_along(item.points))
        elif isinstance(item, Marks):
            half = item.size / 2
            corners = ((-half, -half), (-half, half), (half, -half), (half, half))
            parts.extend(item.points + np.array(corner) for corner in corners)
        elif isinstance(item, Area):
            parts.append(_inside(item.points))
    return np.concatenate(parts)


def _along(points: Points) -> Points:
    if len(points) < 2:
        return points
    ends = np.diff(points, axis=0)
    counts = np.maximum(1, np.ceil(np.hypot(ends[:, 0], ends[:, 1]) / _SPACING)).astype(int)
    which = np.repeat(np.arange(len(ends)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    share = (np.arange(len(which)) - first) / counts[which]
    return np.concatenate([points[which] + share[:, None] * ends[which], points[-1:]])


def _inside(outline: Points) -> Points:
    """A band's polygon is its upper edge followed by its lower edge backwards: fill between them."""
    half = len(outline) // 2
    top, bottom = outline[:half], outline[half:][::-1]
    shares = np.linspace(0, 1, max(2, int(np.ceil(np.max(top[:, 1] - bottom[:, 1], initial=0) / 4)) + 1))
    return np.concatenate([_along(bottom + share * (top - bottom)) for share in shares])


def free(box: Box, points: Points, boxes: Iterable[Box]) -> bool:
    """Whether a rectangle holds no point and meets no other rectangle."""
    inside = (
        (points[:, 0] > box.left) & (points[:, 0] < box.right) & (points[:, 1] > box.bottom) & (points[:, 1] < box.top)
    )
    return not inside.any() and not any(box.meets(other) for other in boxes)


def spread(centres: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Move centres apart as little as needed so that intervals of these heights within [low, high] do not meet.

    Neighbours that meet are merged into one block standing at the mean of what its members wish for, until none
    meet. Where all of them together are higher than the room, they are stacked from ``high`` downwards.
    """
    order = sorted(range(len(centres)), key=lambda index: centres[index])
    blocks: list[tuple[list[int], float, float]] = []  # members, bottom of the block, height

    def settled(members: list[int]) -> tuple[list[int], float, float]:
        height, wishes, below = sum(heights[m] for m in members), 0.0, 0.0
        for member in members:
            wishes += centres[member] - heights[member] / 2 - below
            below += heights[member]
        bottom = min(wishes / len(members), high - height)
        return members, max(bottom, low) if height <= high - low else high - height, height

    for index in order:
        block = settled([index])
        while blocks and blocks[-1][1] + blocks[-1][2] > block[1] + 1e-9:
            block = settled(blocks.pop()[0] + block[0])
        blocks.append(block)
    placed = [0.0] * len(centres)
    for members, bottom, _ in blocks:
        for member in members:
            placed[member] = bottom + heights[member] / 2
            bottom += heights[member]
    return placed
