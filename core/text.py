"""Sentences that every format can typeset: plain words with marked citations, code words and open questions.

A sentence is written once, in a check or a metric, and printed by LaTeX, Markdown and the terminal. What comes
from the run enters only through the slots of :func:`say`, so a run's strings can never turn into markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from dpo_report.core.works import Work


@dataclass(frozen=True, slots=True)
class Cite:
    """A citation, by bibliography keys."""

    keys: tuple[str, ...]

    def __str__(self) -> str:
        return "[" + "; ".join(self.keys) + "]"

    def named(self, works: Mapping[str, Work]) -> str:
        """``(Razin et al., 2025)``: authors and year where the work is known, its key where not."""
        return "(" + "; ".join(works[key].short if key in works else key for key in self.keys) + ")"


@dataclass(frozen=True, slots=True)
class Code:
    """A name from a file (a key, a path, a setting), set in a typewriter face."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Ask:
    """An open question to the author, standing where the answer would."""

    id: str
    text: str

    def __str__(self) -> str:
        return f"[to be told by the author: {self.text}]"


@dataclass(frozen=True, slots=True)
class Worded:
    """Words of a user's template, in the markup of its format already."""

    markup: str

    def __str__(self) -> str:
        return self.markup


Part = str | Cite | Code | Ask | Worded
Slot: TypeAlias = "str | int | Text | Cite | Code | Ask"


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence or several, as a sequence of plain strings and marked parts."""

    parts: tuple[Part, ...] = ()
    slots: Mapping[str, Slot] = field(default_factory=dict, compare=False, repr=False)
    """What filled it, by name, for those who say the same in other words; of equal names the first."""

    def __str__(self) -> str:
        return "".join(map(str, self.parts))

    def plain(self, works: Mapping[str, Work]) -> str:
        """The sentence with citations as authors and year."""
        return "".join(part.named(works) if isinstance(part, Cite) else str(part) for part in self.parts)

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __iter__(self) -> Iterator[Part]:
        return iter(self.parts)

    def __add__(self, other: Text | str) -> Text:
        if isinstance(other, Text):
            return Text(self.parts + other.parts, {**other.slots, **self.slots})
        return Text((*self.parts, other), self.slots)

    @property
    def cites(self) -> tuple[str, ...]:
        """Bibliography keys in the order in which they are cited."""
        return tuple(key for part in self.parts if isinstance(part, Cite) for key in part.keys)

    @property
    def asks(self) -> tuple[Ask, ...]:
        """The open questions in the sentence."""
        return tuple(part for part in self.parts if isinstance(part, Ask))


_MARK = re.compile(r"\s*\[@(?P<cite>[^\]]+)\]|`(?P<code>[^`]+)`")


def say(template: str, /, **slots: Slot) -> Text:
    """Fill a sentence.

    ``{name}`` takes a slot; ``[@key]`` or ``[@key; @key]`` is a citation; ```word``` is a code word. Citations and
    code words are recognised in the template only, never in a slot's value. A float is refused: rounding is
    decided by :mod:`dpo_report.core.numbers`, not here.

    >>> str(say("The `loss` fell to {x}.", x="0.12"))
    'The loss fell to 0.12.'
    """
    parts: list[Part] = []
    inner: dict[str, Slot] = {}
    for literal, name, _spec, _conversion in Formatter().parse(template):
        parts.extend(_marked(literal))
        if name is not None:
            value = slots[name]
            if isinstance(value, bool) or not isinstance(value, str | int | Text | Cite | Code | Ask):
                raise TypeError(f"slot {name!r} of a sentence is a {type(value).__name__}: format it first")
            if isinstance(value, Text):
                parts.extend(value.parts)
                inner = {**value.slots, **inner}
            elif isinstance(value, int):
                parts.append(f"{value:,}")
            else:
                parts.append(value)
    return Text(_merged(parts), {**inner, **slots})


def join(texts: Iterable[Text | str], separator: str = " ") -> Text:
    """Put sentences one after the other."""
    parts: list[Part] = []
    slots: dict[str, Slot] = {}
    for text in texts:
        if not text:
            continue
        if parts:
            parts.append(separator)
        parts.extend(text.parts if isinstance(text, Text) else (text,))
        if isinstance(text, Text):
            slots = {**text.slots, **slots}
    return Text(_merged(parts), slots)


def listing(words: Iterable[Text | Code | str], last: str = "and") -> Text:
    """``a, b and c``."""
    items = [word if isinstance(word, Text) else Text((word,)) for word in words]
    if len(items) < 2:
        return items[0] if items else Text()
    return join([join(items[:-1], ", "), items[-1]], f" {last} ")


def _marked(literal: str) -> Iterator[Part]:
    at = 0
    for match in _MARK.finditer(literal):
        if match["cite"] is not None:
            yield literal[at : match.start()] + " "
            yield Cite(tuple(key.strip().lstrip("@") for key in match["cite"].split(";")))
        else:
            yield literal[at : match.start()]
            yield Code(match["code"])
        at = match.end()
    yield literal[at:]


def _merged(parts: Iterable[Part]) -> tuple[Part, ...]:
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return tuple(merged)
