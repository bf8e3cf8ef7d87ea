"""The one place that turns a number into words: rounding, signs, units and intervals.

A number gets only the digits that its kind supports: a loss three decimals, a share by the size of its
population. Minus is the real sign (U+2212), spaces are plain ones, and everything is ordinary Unicode text
that each format escapes in its own way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dpo_report.core.model import Value

MINUS = "\u2212"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = (1e-3, 1e6)  # outside these a power of ten reads better than zeros


def _odd(x: float) -> str:
    """The word for a number that is none; empty for every finite one."""
    if math.isnan(x):
        return "not a number"
    if math.isinf(x):
        return "infinite" if x > 0 else "negative infinite"
    return ""


def _signed(text: str) -> str:
    """Real minus sign, and none before a zero."""
    if text.startswith("-"):
        return MINUS + text[1:] if re.search("[1-9]", text) else text[1:]
    return text


def fixed(x: float, decimals: int) -> str:
    """A number with a fixed count of decimals.

    >>> fixed(1234.5678, 2), fixed(-0.5, 1), fixed(-0.0001, 3)
    ('1,234.57', '−0.5', '0.000')
    """
    return _odd(x) or _signed(f"{x:,.{decimals}f}")


def number(x: float, digits: int = 3) -> str:
    """A number with so many significant digits; integers below a million keep all of theirs.

    >>> number(0.38163), number(12.345), number(61964.2), number(8), number(1.25e-05), number(257046528.0)
    ('0.382', '12.3', '62,000', '8', '1.25 × 10⁻⁵', '2.57 × 10⁸')
    """
    if odd := _odd(x):
        return odd
    if x == 0 or (isinstance(x, int) and abs(x) < _PLAIN[1]):
        return count(x)
    mantissa, exponent = f"{x:.{digits - 1}e}".split("e")
    if not _PLAIN[0] <= abs(x) < _PLAIN[1]:
        return _power(mantissa, int(exponent))
    return fixed(float(f"{mantissa}e{exponent}"), max(0, digits - 1 - int(exponent)))


def scientific(x: float, digits: int = 3) -> str:
    """A power of ten with at most so many digits before it.

    >>> scientific(5e-06), scientific(0.0001), scientific(-1.25e-05), scientific(0)
    ('5 × 10⁻⁶', '1 × 10⁻⁴', '−1.25 × 10⁻⁵', '0')
    """
    if x == 0 or _odd(x):
        return _odd(x) or "0"
    mantissa, exponent = f"{x:.{digits - 1}e}".split("e")
    return _power(mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa, int(exponent))


def _power(mantissa: str, exponent: int) -> str:
    return f"{_signed(mantissa)} × 10{str(exponent).translate(_SUPERSCRIPT)}"


def loss(x: float, decimals: int = 3) -> str:
    """A loss: three decimals; below 0.01 two significant digits, from 10 on one digit more than ``decimals``.

    >>> loss(0.4594663381576538), loss(0.00523), loss(25.0), loss(2500.0), loss(-0.0931), loss(0.0)
    ('0.459', '0.0052', '25.00', '2,500', '−0.093', '0.000')
    """
    if _odd(x) or x == 0 or 0.01 <= abs(x) < 10:
        return fixed(x, decimals)
    return number(float(x), decimals - 1 if abs(x) < 0.01 else decimals + 1)


def count(n: float) -> str:
    """A count, thousands grouped.

    >>> count(1234), count(8.0), count(-3)
    ('1,234', '8', '−3')
    """
    return _odd(n) or _signed(f"{round(n):,}")


def plural(n: int, word: str, words: str = "") -> str:
    """A count with its noun.

    >>> plural(1, "step"), plural(1234, "step"), plural(2, "entry", "entries")
    ('1 step', '1,234 steps', '2 entries')
    """
    return f"{count(n)} {word if n == 1 else words or word + 's'}"


def fraction(k: int, n: int) -> str:
    """Successes of trials.

    >>> fraction(7, 8)
    '7/8'
    """
    return f"{count(k)}/{count(n)}"


def share(p: float, n: int | None = None) -> str:
    """A share ``p`` of a population of ``n``.

    Per cent with one decimal from 1,000 on, whole per cent from 100 on (or where ``n`` is unknown), else k/n;
    two decimals where ``p`` is an average that no k of ``n`` gives. Rounding never makes it 0 or 100 per cent
    when it is not.

    >>> share(0.7812, 1000), share(0.78, 100), share(0.875, 8), share(0.5625, 8)
    ('78.1 %', '78 %', '7/8', '0.56')
    >>> share(0.9999, 250), share(0.0001, 5000), share(1.0, 250)
    ('> 99 %', '< 0.1 %', '100 %')
    """
    if odd := _odd(p):
        return odd
    if n is not None and 0 < n < 100:
        k = round(p * n)
        return fraction(k, n) if abs(p * n - k) < 0.02 else fixed(p, 2)
    decimals = 1 if n is not None and n >= 1000 else 0
    text, step = fixed(100 * p, decimals), 10.0**-decimals
    if 0 < p < 1 and float(text) in (0, 100):
        return f"> {fixed(100 - step, decimals)} %" if p > 0.5 else f"< {fixed(step, decimals)} %"
    return f"{text} %"


def seconds(t: float) -> str:
    """A span of time.

    >>> seconds(19.619), seconds(204.2), seconds(23865.98), seconds(3600), seconds(0.0521), seconds(59.97)
    ('19.6 s', '3 min 24 s', '6 h 38 min', '1 h', '0.052 s', '1 min')
    """
    if _odd(t) or t < 0:
        return _odd(t) or f"{number(t)} s"
    if t < 59.95:
        return f"{fixed(t, 1) if t >= 0.95 or t == 0 else number(float(t), 2)} s"
    big, small, parts = ("h", "min", round(t / 60)) if t >= 3599.5 else ("min", "s", round(t))
    whole, rest = divmod(parts, 60)
    return f"{count(whole)} {big}" + (f" {rest} {small}" if rest else "")


def rate(x: float, digits: int = 3) -> str:
    """A rate: three digits, and never more decimals than the three that trainers log.

    >>> rate(0.816), rate(0.089), rate(11.328), rate(1234.5), rate(0.00123)
    ('0.816', '0.089', '11.3', '1,230', '0.00123')
    """
    text = number(x, digits)
    logged = not _odd(x) and x == round(x, 3)
    return fixed(x, 3) if logged and re.search(r"\.\d{4}", text) else text


def p_value(p: float) -> str:
    """A probability under a null hypothesis, for a sentence.

    >>> p_value(0.0123), p_value(0.0002)
    ('p = 0.012', 'p < 0.001')
    """
    return "p < 0.001" if p < 0.001 else f"p = {number(p, 2)}"


def lower_bound(x: float, digits: int = 2) -> str:
    """A bound that stays true after rounding: rounded down.

    >>> lower_bound(0.766), lower_bound(7.66), lower_bound(-0.766), lower_bound(0.3)
    ('0.76', '7.6', '−0.77', '0.30')
    """
    return _bound(x, digits, ROUND_FLOOR)


def upper_bound(x: float, digits: int = 2) -> str:
    """A bound that stays true after rounding: rounded up.

    >>> upper_bound(0.761), upper_bound(99.2), upper_bound(123456.0)
    ('0.77', '100', '130,000')
    """
    return _bound(x, digits, ROUND_CEILING)


def _bound(x: float, digits: int, rounding: str) -> str:
    if x == 0 or _odd(x):
        return _odd(x) or "0"
    exact = Decimal(repr(float(x)))  # as printed, so that 0.3 is 0.3
    rounded = exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1), rounding)
    return number(float(rounded), digits)


def interval(low: float, high: float, fmt: Callable[[float], str], table: bool = False) -> str:
    """Both ends in the same form; a unit that both end in is said once. In tables as ``[low, high]``.

    >>> interval(0.541, 0.662, lambda x: fixed(x, 2)), interval(0.54, 0.66, share)
    ('0.54 to 0.66', '54 to 66 %')
    >>> interval(-0.02, 0.03, loss, table=True)
    '[−0.020, 0.030]'
    """
    first, last = fmt(low), fmt(high)
    number_a, _, unit_a = first.partition(" ")
    number_b, _, unit_b = last.partition(" ")
    if unit_a == unit_b and unit_a and re.fullmatch(r"[^\W\d]\S*|%", unit_a) and number_a[-1:].isdigit():
        return f"[{number_a}, {number_b}] {unit_a}" if table else f"{number_a} to {number_b} {unit_a}"
    return f"[{first}, {last}]" if table else f"{first} to {last}"


def setting(value: Any) -> str:
    """Any setting as a short word, with all the digits that were set and no grouping.

    >>> setting(5e-06), setting(0.1), setting(2.0), setting(100000), setting(True), setting(None)
    ('5 × 10⁻⁶', '0.1', '2', '100000', 'yes', 'none')
    >>> setting(["q_proj", "v_proj"]), setting({"use_reentrant": False}), setting([]), setting("a\\n b")
    ('q_proj, v_proj', 'use_reentrant: no', 'none', 'a b')
    """
    if value is None or (isinstance(value, list | tuple | dict | set) and not value):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _signed(str(value))
    if isinstance(value, float):
        if value == 0 or _odd(value) or _PLAIN[0] <= abs(value) < _PLAIN[1]:
            return _odd(value) or _signed(f"{value:.12g}")
        return scientific(value, 12)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {setting(item)}" for key, item in value.items())
    if isinstance(value, set | frozenset):
        return setting(sorted(value, key=str))
    if isinstance(value, list | tuple):
        return ", ".join(map(setting, value))
    return " ".join(str(value).split()) or "empty"


def display(value: Value, table: bool = False, unit: bool = True) -> str:
    """A value of the analysis as it is printed: by its kind, with its unit; in tables with one more digit."""
    x, kind = value.value, value.kind
    if isinstance(x, str) or kind == "text":
        return str(x)
    if kind == "seconds" and value.unit in ("", "s"):
        return _span(x, unit) if table else seconds(x)
    text = share(x, value.n) if kind == "share" else _form(kind, table)(x)
    if not (unit and value.unit):
        return text
    name = value.unit.removesuffix("s") if x == 1 and value.kind == "count" else value.unit
    return f"{text} {name}"


def display_interval(value: Value, table: bool = False) -> str:
    """The value's interval in the form of :func:`display`; empty where it has none.

    A share's interval is in per cent where the share itself is, else in two decimals.
    """
    if value.low is None or value.high is None or value.kind == "text":  # a text says its bounds itself
        return ""
    fmt = _form(value.kind, table)
    if value.kind == "seconds":
        fmt = _span if table else seconds
    elif value.kind == "share":
        small = value.n is not None and value.n < 100
        fmt = (lambda x: fixed(x, 2)) if small else (lambda x: share(x, value.n))
    text = interval(value.low, value.high, fmt, table)
    united = value.unit and value.kind not in ("share", "seconds") and not table
    return f"{text} {value.unit}" if united else text


def _span(t: float, unit: bool = True) -> str:
    """Seconds for a table: never minutes, so that a column can be compared."""
    text = count(t) if t >= 1000 else number(float(t), 4)
    return f"{text} s" if unit and not _odd(t) else text


def _form(kind: str, table: bool) -> Callable[[float], str]:
    if kind == "loss":
        return lambda x: loss(x, 4 if table else 3)
    if kind == "rate":
        return lambda x: rate(x, 4 if table else 3)
    if kind == "count":
        return count
    if kind == "p":
        return lambda x: p_value(x).removeprefix("p ").removeprefix("= ")
    if kind == "exact":
        return lambda x: count(x) if isinstance(x, int) else setting(x)
    return lambda x: number(x, 4 if table else 3)


def decimals_aligned(cells: Iterable[str]) -> list[tuple[str, str]]:
    """What to set invisibly before and after each cell so that the decimal points of a column stand in line.

    Cells that do not start with a number get nothing.

    >>> decimals_aligned(["0.693", "12", "−1,234.5", "—"])
    [('−1,23', ''), ('−1,2', '.693'), ('', '93'), ('', '')]
    """
    parts = [re.match(rf"([{MINUS}-]?\d[\d,]*)(.*)", cell) for cell in cells]
    heads = max((part[1] for part in parts if part), key=len, default="")
    tails = max((part[2] for part in parts if part), key=len, default="")
    return [(heads[: len(heads) - len(part[1])], tails[len(part[2]) :]) if part else ("", "") for part in parts]
