"""Any string as Typst markup that prints it: text stands in string literals, in which nothing is markup."""

from __future__ import annotations

import re

from dpo_report.core.standin import bound, one_line, stood_in, unseen

_SHOWN = (
    (0x20, 0x52F),
    (0x531, 0x5FF),
    (0x1E00, 0x2027),
    (0x202F, 0x2151),
    (0x2190, 0x23FF),
    (0x2460, 0x262F),
    (0x27C0, 0x2BFF),
    (0x1D400, 0x1D7FF),
)
"""Letters that the fonts inside Typst have; no others are to be had on every machine."""
_BREAKABLE = re.compile(
    r"(?<=[/_.\\\-=:,;+@&?)\]])(?=[^\s/_.\\\-=:,;+@&?)\]])|(?<=[a-z])(?=[A-Z][a-z])|(?<=[^\W_]{24})(?=[^\W_])"
)
_WORD = re.compile(r"\S{13,}")


def escape(text: str) -> str:
    r"""A string of running text; a line may break inside a long word.

    >>> print(escape("a #b $c$ \"d\" \\e 中"))
    #"a #b $c$ \"d\" \\e [U+4E2D]";
    """
    return _pieces(bound(text)) if text else ""


def code(text: str) -> str:
    """A name from a file in the typewriter face.

    >>> print(code("beta"), code("rewards/margins"))
    #mono[#"beta";] #mono[#"rewards/";#box();#"margins";]
    """
    return f"#mono[{_pieces(text)}]" if text else ""


def quoted(text: str) -> str:
    r"""A string literal.

    >>> print(quoted('a"b'))
    "a\"b"
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _pieces(text: str) -> str:
    text = stood_in(one_line(text), _known, "[{}]".format)
    parts, at = [""], 0
    for word in _WORD.finditer(text):
        first, *others = _BREAKABLE.split(word[0])
        parts[-1] += text[at : word.start()] + first
        parts += others
        at = word.end()
    parts[-1] += text[at:]
    # an empty box is where a line may break, and leaves nothing in the text that is copied from the page
    return "#box();".join(f"#{quoted(part)};" for part in parts)


def _known(letter: str) -> str | None:
    shown = any(low <= ord(letter) <= high for low, high in _SHOWN)
    return letter if shown and not unseen(letter) else None
