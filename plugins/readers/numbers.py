"""Numbers as logs write them."""

from __future__ import annotations

import math
import re
from typing import Any

_MISSING = frozenset({"", "none", "null", "na", "n/a", "-", "--", "nil", "<na>"})
_TENSOR = re.compile(r"^(?:tensor|array|np\.float\d+|np\.int\d+)\(\[?\s*([^\s,()\[\]]+)")
_COMMA = re.compile(r"^[-+]?\d+,\d+(?:[eE][-+]?\d+)?$")


def number(value: Any) -> float | None:
    """A logged value as a number; None for what is none, NaN and infinities kept.

    >>> number("0.69"), number("85.5%"), number("tensor(0.25, device='cuda:0')"), number("")
    (0.69, 85.5, 0.25, None)
    """
    if isinstance(value, float):
        return value
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if not isinstance(value, str) or len(value) > 200:
        return None
    text = value.strip()
    try:
        return None if "_" in text else float(text)
    except ValueError:
        pass
    if text.lower() in _MISSING:
        return None
    if text.endswith("%"):
        return number(text[:-1])
    wrapped = _TENSOR.match(text)
    return number(wrapped.group(1)) if wrapped else None


def decimal_comma(value: str) -> str:
    """``0,001`` as ``0.001``: tables with semicolons between their cells write numbers so."""
    return value.replace(",", ".") if _COMMA.match(value.strip()) else value
