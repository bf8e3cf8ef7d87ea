"""Numbers as logs write them."""

from __future__ import annotations

import math
import re
from typing import Any

LONGEST = 200
"""Longer texts are no numbers."""
_MISSING = frozenset({"", "none", "null", "na", "n/a", "-", "--", "nil", "<na>"})
_TENSOR = re.compile(r"^(?:tensor|array|np\.float\d+|np\.int\d+)\(\[?\s*([^\s,()\[\]]+)")
_COMMA = re.compile(r"^[-+]?\d+,\d+(?:[eE][-+]?\d+)?$")
_THOUSANDS = re.compile(r"^[-+]?[1-9]\d{0,2},\d{3}$")


def number(value: Any) -> float | None:
    """A logged value as a number; None for what is none, NaN and infinities kept.

    >>> number("0.69"), number("85.5%"), number("tensor(0.25, device='cuda:0')"), number("")
    (0.69, 85.5, 0.25, None)
    """
    kind = type(value)
    if kind is float:
        return value  # type: ignore[no-any-return]
    if kind is str:
        if not value:
            return None
        try:
            found = float(value)
        except ValueError:
            return _worded(value.strip()) if len(value) <= LONGEST else None
        return None if "_" in value else found
    if kind is int:
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return None


def whole(value: float | None) -> int | None:
    """A number as a count; None for what is none.

    >>> whole(20.0), whole(math.inf), whole(None)
    (20, None, None)
    """
    return int(value) if value is not None and abs(value) < 1 << 53 else None


def _worded(text: str) -> float | None:
    """A number with something around it: a percent sign, a tensor."""
    if text.lower() in _MISSING:
        return None
    if text.endswith("%"):
        return number(text[:-1])
    wrapped = _TENSOR.match(text)
    return number(wrapped.group(1)) if wrapped else None


def is_comma_number(cell: str) -> bool:
    """Whether a cell is a number with one comma in it: ``0,5``, ``1,234``."""
    return _COMMA.match(cell) is not None


def is_thousands(cell: str) -> bool:
    """Whether the comma of a number may as well stand for thousands: in ``1,234``, not in ``0,5`` or ``0,123``."""
    return _THOUSANDS.match(cell) is not None


def decimal_comma(cell: str) -> str:
    """``0,001`` as ``0.001``; any other cell as it stands."""
    return cell.replace(",", ".") if is_comma_number(cell) else cell
