"""What is known of a loss before the first update, and of the floor that it cannot fall below."""

from __future__ import annotations

import math
from dataclasses import dataclass

LN2 = math.log(2)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a loss is before the first update."""

    value: float | None
    """The loss where policy and reference are equal; None where it is no constant."""
    why: str
    """Its formula, or why there is none; completes "because ..."."""
    floor: float | None = None
    """The greatest lower bound of the loss; None where it has none or it is not known."""
    is_sigmoid: bool = False
    """Whether the loss is exactly the mean of -ln sigmoid(margin), so that Jensen's bounds hold."""
    exact: bool = True
    """Whether a first loss must equal the value; False where it only starts near it."""
    assumes: tuple[str, ...] = ()
    """What was taken for granted because the run does not tell it."""
    known: float | None = None
    """The constant part, where terms in ``extra`` come on top of it."""
    extra: tuple[tuple[float, str], ...] = ()
    """Factor and series of each term on top: ``((1.0, "nll_loss"),)``."""


def none(why: str) -> Baseline:
    """No constant, and why."""
    return Baseline(None, why)


def constant(value: float, why: str, floor: float | None = 0.0, is_sigmoid: bool = False) -> Baseline:
    """A constant by its formula."""
    return Baseline(value, why, floor, is_sigmoid)


def smoothing_floor(epsilon: float) -> float:
    """H(epsilon): what a logistic loss with label smoothing cannot fall below."""
    return 0.0 if epsilon in (0, 1) else -epsilon * math.log(epsilon) - (1 - epsilon) * math.log(1 - epsilon)
