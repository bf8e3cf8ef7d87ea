"""Characters that must not reach a page as they are: what is printed in their place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_SPACES = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Unicode categories without a shape of their own: control, bidi and format characters, surrogates, unassigned."""


def unseen(letter: str) -> bool:
    """Whether a character would be invisible, reorder its neighbours, or is none at all.

    >>> unseen("\\u202e"), unseen("\\x00"), unseen("é")
    (True, True, False)
    """
    return unicodedata.category(letter) in _UNSEEN


def filename(name: str) -> str:
    """A name as part of a path and of a label, in any format: ASCII letters, digits, dot, dash and underscore.

    >>> filename("grad norm/é"), filename("..")
    ('grad-norm-', 'unnamed')
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".") or "unnamed"


def one_line(text: str) -> str:
    """Line breaks and tabs as single spaces."""
    return _SPACES.sub(" ", text)


_BOUND = re.compile(
    r"(?<=\w) (?=[=<>≈] −?\d)|(?<= [=<>≈]) (?=−?\d)"
    r"|(?<=\d) (?=(?:%|s|min|h|nats)(?!\w)|× 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])|(?<=\d ×) (?=10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])"
)


def bound(text: str) -> str:
    """The spaces at which no line may end: between a number and its unit, and about the sign before a number.

    >>> bound("n = 30 in 21 min 14 s; policy = reference; 95 % of 5 × 10⁻⁶").replace("\u00a0", "~")
    'n~=~30 in 21~min 14~s; policy = reference; 95~% of 5~×~10⁻⁶'
    """
    return _BOUND.sub("\u00a0", text)


def stood_in(text: str, plain: Callable[[str], str | None], show: Callable[[str], str]) -> str:
    """Replace letter by letter; runs of letters that ``plain`` has no answer for become one visible stand-in.

    ``show`` gets the code points of such a run: ``U+4E2D U+6587``.

    >>> stood_in("a中文b", lambda c: c if c.isascii() else None, "[{}]".format)
    'a[U+4E2D U+6587]b'
    """
    out: list[str] = []
    run: list[str] = []
    for letter in text:
        known = plain(letter)
        if known is None:
            run.append(f"U+{ord(letter):04X}")
            continue
        if run:
            out.append(show(" ".join(run)))
            run.clear()
        out.append(known)
    if run:
        out.append(show(" ".join(run)))
    return "".join(out)
