"""Any string as LaTeX that prints it: ASCII only, right under pdflatex, lualatex and xelatex, in any class.

A character that a Latin text font lacks becomes a visible stand-in with its code point. What comes out depends on no
package, no input encoding and no font encoding, only on the small macro ``\\DpoLetter`` for a few letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from dpo_report.core.standin import bound, one_line, stood_in
from dpo_report.core.texsymbols import ACCENTS, ASCII, CODE, SUBSCRIPTS, SUPERSCRIPTS, SYMBOLS

_SUPER = "".join(SUPERSCRIPTS)
_SUB = "".join(SUBSCRIPTS)
_TOKEN = re.compile(
    rf"(?P<mantissa>−?\d+(?:\.\d+)?)[ \u00a0]×[ \u00a0]10(?P<power>[{_SUPER}]+)"
    rf"|(?P<super>[{_SUPER}]+)|(?P<sub>[{_SUB}]+)"
    r"|(?P<percent>(?<=\d)[ \u00a0]%)"
    r"|(?P<dash>(?<![-–—])[–—](?![-–—]))"
    r"|(?P<ligature>-(?=-)|'(?=')|,(?=,)|<(?=<)|>(?=>))"
    r"|(?P<first>\A[\[*])"
)
_LONG_WORD = re.compile(r"[^\s\u00a0]{13,}")
_PART = re.compile(r"[^/_.\-=:,;+@&?)\]]*[/_.\-=:,;+@&?)\]]+|.+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_BREAK = "\\allowbreak{}"


def escape(text: str) -> str:
    r"""A string of running text.

    >>> print(escape("50 % of a_b & 5 × 10⁻⁶ – “β”"))
    50\,\% of a\_b \& $5 \times 10^{-6}$ -- \textquotedblleft{}$\beta$\textquotedblright{}
    >>> print(escape("\\input{/etc/passwd}"), escape("中文"))
    \textbackslash{}input\{/\allowbreak{}etc/\allowbreak{}passwd\} \texttt{[U+4E2D U+6587]}
    """
    text = unicodedata.normalize("NFC", bound(one_line(text)))
    out: list[str] = []
    at = 0
    for match in _LONG_WORD.finditer(text):
        out.append(_tokens(text[at : match.start()], _prose))
        out.append(_BREAK.join(_tokens(piece, _prose) for piece in _pieces(match[0])))
        at = match.end()
    return "".join([*out, _tokens(text[at:], _prose)])


def code(text: str) -> str:
    r"""A name from a file in the typewriter face; a line may break inside a long one.

    >>> print(code("rewards/margins"), code("a_b{c}"))
    \texttt{rewards/\allowbreak{}margins} \texttt{a\_b\char123{}c\char125{}}
    """
    text = unicodedata.normalize("NFC", one_line(text))
    pieces = _pieces(text) if len(text) > 12 else [text]
    return f"\\texttt{{{_BREAK.join(_tokens(piece, _typewriter) for piece in pieces)}}}" if text else ""


def _pieces(word: str) -> list[str]:
    """Where a long word may be broken: after punctuation, before a hump of camel case, else every eight letters.

    >>> _pieces("org/SomeLongModelName-0123456789abcdef0123")
    ['org/', 'Some', 'Long', 'Model', 'Name-', '01234567', '89abcdef', '0123']
    """
    pieces: list[str] = []
    for part in _PART.findall(word):
        for hump in _HUMP.split(part) if len(part) > 12 else [part]:
            whole = len(hump) <= 18
            pieces += [hump] if whole else [hump[i : i + 8] for i in range(0, len(hump), 8)]
    return pieces


def _tokens(text: str, letters: Callable[[str], str]) -> str:
    return "".join(_each(text, letters))


def _each(text: str, letters: Callable[[str], str]) -> Iterator[str]:
    at = 0
    for match in _TOKEN.finditer(text):
        if letters is _typewriter and match.lastgroup in ("percent", "dash", "first"):
            continue
        yield letters(text[at : match.start()])
        if match["mantissa"]:
            power = _digits(match["power"], SUPERSCRIPTS)
            yield f"${match['mantissa'].replace('−', '-')} \\times 10^{{{power}}}$"
        elif match["super"]:
            yield f"$^{{{_digits(match['super'], SUPERSCRIPTS)}}}$"
        elif match["sub"]:
            yield f"$_{{{_digits(match['sub'], SUBSCRIPTS)}}}$"
        elif match["percent"]:
            yield "\\,\\%"
        elif match["dash"]:
            yield "--" if match["dash"] == "–" else "---"
        elif match["ligature"]:  # what was typed as two characters is printed as two
            yield letters(match["ligature"]) + "{\\kern0pt}"
        else:  # a bracket or star after \\ would be its argument
            yield f"{{{match['first']}}}"
        at = match.end()
    yield letters(text[at:])


def _prose(text: str) -> str:
    return stood_in(text, lambda letter: _known(letter, ASCII), "\\texttt{{[{}]}}".format)


def _typewriter(text: str) -> str:
    return stood_in(text, lambda letter: _known(letter, CODE), "[{}]".format)


def _known(letter: str, table: Mapping[str, str]) -> str | None:
    if letter.isascii():
        return table.get(letter, letter if letter.isprintable() else None)
    if letter in SYMBOLS:
        return SYMBOLS[letter]
    base, *marks = list(unicodedata.normalize("NFD", letter))
    if len(marks) != 1 or marks[0] not in ACCENTS or not (base.isascii() and base.isalpha()):
        return None
    accent = ACCENTS[marks[0]]
    dotless = base in "ij" and accent not in ".cdbr"
    return f"\\{accent}{{{chr(92) + base if dotless else base}}}"


def _digits(text: str, table: Mapping[str, str]) -> str:
    return "".join(table[letter] for letter in text)
