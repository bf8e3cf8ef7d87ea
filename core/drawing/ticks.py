"""Where the ticks of an axis stand and what is written at them."""

from __future__ import annotations

import math
from dataclasses import dataclass

_UP = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SUPERSCRIPTS = dict(zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "−0123456789", strict=True))
"""Raised characters and the ones to raise in their place: most text fonts lack some."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its ends, its ticks and their words."""

    low: float
    high: float
    ticks: tuple[float, ...]
    words: tuple[str, ...]
    factor: str = ""
    """``×10⁻⁶`` where the words leave a power of ten to the axis' name."""
    log: bool = False

    def place(self, value: float) -> float:
        """Share of the axis below ``value``, 0 to 1."""
        if self.log:
            return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (value - self.low) / (self.high - self.low)


def power(exponent: int) -> str:
    """``10⁻⁶``"""
    return "10" + str(exponent).translate(_UP)


def steps_of(span: float, want: float, whole: bool = False) -> float:
    """The round step (1, 2, 2.5 or 5 times a power of ten) that cuts ``span`` into at most ``want`` parts."""
    rough = span / max(want, 1.0)
    base = 10.0 ** math.floor(math.log10(rough))
    step = next(base * round_one for round_one in (1.0, 2.0, 2.5, 5.0, 10.0) if base * round_one >= rough * 0.999)
    if whole and step < 10 and step != round(step):
        step = float(math.ceil(step)) if step > 1 else 1.0
        step = 5.0 if step == 3.0 else step
    return step


def linear(low: float, high: float, want: float, *, whole: bool = False, scaled: bool = False) -> Axis:
    """An axis from ``low`` to ``high`` with about ``want`` intervals.

    ``whole``: ticks at whole numbers only (steps). ``scaled``: a power of ten may move to the axis' name, so that
    a learning rate reads ``1 2 3 (×10⁻⁶)``.
    """
    step = steps_of(high - low, want, whole)
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    ticks = tuple(index * step for index in range(first, last + 1))
    largest = max(abs(low), abs(high))
    exponent = 0
    if scaled and (_decimals(step) > 3 or largest >= 1e6):
        exponent = math.floor(math.log10(largest) + 1e-9)
    decimals = _decimals(step / 10.0**exponent)
    words = tuple(_word(tick / 10.0**exponent, decimals) for tick in ticks)
    return Axis(low, high, ticks, words, f"×{power(exponent)}" if exponent else "")


def logarithmic(low: float, high: float, want: float) -> Axis:
    """A logarithmic axis; decades where there are several, 1, 2 and 5 in each where there are few."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    span = math.log10(high) - math.log10(low)
    digits = (1,) if span > 2.4 else (1, 3) if span > 1.6 else (1, 2, 5)
    stride = max(1, math.ceil(span / max(want, 1.0)))
    ticks = tuple(
        digit * 10.0**decade
        for decade in decades
        if decade % stride == 0
        for digit in digits
        if low * 0.9999 <= digit * 10.0**decade <= high * 1.0001
    )
    words = tuple(_decade(tick) for tick in ticks)
    return Axis(low, high, ticks, words, log=True)


def _decimals(step: float) -> int:
    """Decimals that tell multiples of a step apart."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    shifted = step * 10.0**decimals
    return decimals + (abs(shifted - round(shifted)) > 1e-6)


def _word(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", "−")


def _decade(value: float) -> str:
    exponent = math.floor(math.log10(value) + 1e-9)
    if -4 < exponent < 5:
        return _word(value, max(0, -exponent))
    digit = round(value / 10.0**exponent)
    return power(exponent) if digit == 1 else f"{digit}×{power(exponent)}"
