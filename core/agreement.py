"""Whether two logs of one value agree: equal as written, or one of them rounded or in single precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpo_report.core.model import Series

SINGLE = 1.3e-7
"""Relative error of a number that went through single precision."""
MOST_DECIMALS = 15
LOOSEST = 5e-3
"""No rounding is coarser than this, relative and absolute: 0.4 does not agree with 0."""

_MOST_DIGITS = 9
_WRITTEN = 12
"""A number that needs no more significant digits was rounded by hand: double precision has sixteen."""
_SAMPLE = 500
"""Values by which the precision of a log is told."""
_TELLING_DIGITS = 3
"""With fewer, all values may be round by chance."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def decimals(values: Floats) -> int:
    """Decimals with which the values were written: the fewest that leave them as they are, in single precision.

    >>> decimals(np.array([0.5, 0.6931]))
    4
    """
    finite = values[np.isfinite(values)]
    finite = finite[(finite != 0) & (np.abs(finite) < 1e15)]
    slack = SINGLE * np.abs(finite)
    for count in range(MOST_DECIMALS):
        if np.all(np.abs(np.round(finite, count) - finite) <= slack):
            return count
    return MOST_DECIMALS


def digits(values: Floats) -> int:
    """Significant digits with which the values were written, as :func:`decimals`; at most nine.

    >>> digits(np.array([0.00039713, 1.25]))
    5
    """
    finite = values[np.isfinite(values)]
    finite = finite[(np.abs(finite) > 1e-300) & (np.abs(finite) < 1e300)]
    scale = 10.0 ** np.floor(np.log10(np.abs(finite)))
    for count in range(1, _MOST_DIGITS):
        step = scale * 10.0 ** (1 - count)
        if np.all(np.abs(np.round(finite / step) * step - finite) <= SINGLE * np.abs(finite)):
            return count
    return _MOST_DIGITS


def agree(one: Floats, other: Floats) -> Mask:
    """Where two logs of the same steps, each of shape (n,), tell the same value; the coarser one may be rounded."""
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(one - other)
        size = np.maximum(np.abs(one), np.abs(other))
        same = (apart <= SINGLE * size) | (one == other) | (np.isnan(one) & np.isnan(other))
        if not same.all():
            half = np.full(len(size), 0.5 * 10.0 ** -min(decimals(one), decimals(other)))
            coarser = min(digits(one), digits(other))
            if coarser >= _TELLING_DIGITS:
                scale = 10.0 ** np.floor(np.log10(np.maximum(size, 1e-300)))
                half = np.maximum(half, 0.5 * scale * 10.0 ** (1 - coarser))
            rounded = np.minimum(half + SINGLE * size, LOOSEST * np.maximum(size, 1.0))
            same |= apart <= rounded * (1 + 1e-9)
    return np.asarray(same, dtype=np.bool_)


def finer(one: Floats, other: Floats) -> bool:
    """Whether the first of two logs of the same values was written with more digits.

    Where they differ by single precision only, one that was neither logged with it nor rounded is the finer; how many
    digits the noise of single precision takes to write says nothing.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(one - other) > SINGLE * np.maximum(np.abs(one), np.abs(other))
        if not apart.any():
            return not _is_single(one) and _is_single(other)
    return (decimals(one), digits(one)) > (decimals(other), digits(other))


def _is_single(values: Floats) -> bool:
    """Whether values hold no more than single precision does: they went through it, or were rounded when written."""
    finite = values[np.isfinite(values)]
    finite = finite[:: max(1, len(finite) // _SAMPLE)]
    with np.errstate(over="ignore"):
        if np.all(finite.astype(np.float32) == finite):
            return True
    return all(float(f"{value:.{_WRITTEN}g}") == value for value in finite.tolist())


def same_value(one: Any, other: Any) -> bool:
    """Whether two files tell the same setting or number, however each writes it.

    ``5e-06`` and ``"5e-6"``, ``None`` and ``"None"``, ``"sigmoid"`` and ``["sigmoid"]``, ``False`` and ``"no"`` are the
    same; what a file hides (``<secret, not shown>``) or leaves unset contradicts nothing, nor does a path another.
    """
    a, b = _plain(one), _plain(other)
    if a is None or b is None or a == b:
        return True
    if isinstance(a, float) and isinstance(b, float):
        return bool(agree(np.array([a]), np.array([b]))[0])
    if isinstance(a, list) != isinstance(b, list):
        return (
            same_value(*((a[0], b) if isinstance(a, list) else (a, b[0])))
            if len(a if isinstance(a, list) else b) == 1
            else False
        )
    if isinstance(a, str) and isinstance(b, str) and any(mark in a and mark in b for mark in "/\\"):
        return True
    return str(a) == str(b)


_NOTHING = frozenset({"", "none", "null", "nan"})
_WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


def _plain(value: Any) -> Any:
    """A value as number, list or text; None where it says nothing."""
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, bool | int | float):
        try:
            return float(value)
        except OverflowError:
            return str(value)
    if isinstance(value, list | tuple):
        return list(value) or None
    if not isinstance(value, str):
        return value or None
    text = value.strip()
    if text.lower() in _NOTHING or text in ("[]", "{}", "()") or (text.startswith("<") and text.endswith(">")):
        return None
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return float(text)
    except ValueError:
        return text


def shared(one: Series, other: Series) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the steps that two series share stand in each."""
    _, mine, theirs = np.intersect1d(one.steps, other.steps, assume_unique=True, return_indices=True)
    return mine, theirs
