"""A quick look before a slow one: words without which a regular expression cannot match."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_FREQUENT = frozenset(
    ("the", "our", "its", "this", "and", "for", "all", "was", "has", "had", "are", "were", "with", "than", "that",
     "more", "not", "only", "then", "from", "over", "each", "every", "also", "loss", "train", "training", "model",
     "pairs", "reward", "data", "steps", "learn", "run", "runs")
)  # fmt: skip
"""Words that stand in every other sentence of a paper: others tell sooner that nothing is there."""
_ATOM = re.compile(r"\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]|\((?:\?(?:[:=!]|<[=!]|P<\w+>|[a-z]+:))?|[\s\S]")
_TIMES = re.compile(r"[?*]|\{0?,\d*\}|\{0\}|\+|\{\d+(?:,\d*)?\}")


def stems(pattern: str) -> tuple[str, ...]:
    """Runs of letters, one of which stands in lower case in whatever the expression matches; none where that is unsure.

    >>> stems(r"\\bconverge(d|s|nce)?\\b"), stems(r"(?:the )?(?:β|beta)\\b"), stems(r"\\d+ ?%|rate")
    (('converge',), ('β', 'beta'), ())
    """
    found: dict[str, None] = {}
    for alternative in _alternatives(pattern):
        told = min(_demanded(alternative), key=_weight, default=())
        if not told:
            return ()
        found.update(dict.fromkeys(told))
    return tuple(found)


def _weight(words: tuple[str, ...]) -> tuple[int, int]:
    return sum(word in _FREQUENT for word in words), len(words)


def _atoms(pattern: str) -> Iterator[tuple[str, bool]]:
    """The parts of an expression, a group as a whole, and whether each must stand."""
    at = 0
    while at < len(pattern):
        atom = _ATOM.match(pattern, at)
        assert atom is not None  # the last alternative takes any character
        end = atom.end()
        if atom[0][0] == "(":
            depth = 1
            while depth and (inner := _ATOM.match(pattern, end)):
                depth += (inner[0][0] == "(") - (inner[0] == ")")
                end = inner.end()
        times = _TIMES.match(pattern, end)
        stop = times.end() if times else end
        stop += times is not None and pattern.startswith("?", stop)
        yield pattern[at:end], times is None or times[0][0] == "+" or times[0].startswith(("{1", "{2"))
        at = stop


def _alternatives(pattern: str) -> list[str]:
    parts, start, depth = [], 0, 0
    for atom in _ATOM.finditer(pattern):
        depth += (atom[0][0] == "(") - (atom[0] == ")")
        if atom[0] == "|" and not depth:
            parts.append(pattern[start : atom.start()])
            start = atom.end()
    return [*parts, pattern[start:]]


def _demanded(pattern: str) -> Iterator[tuple[str, ...]]:
    """What must stand in a match of one alternative: each time one of these runs."""
    run = ""
    for atom, must in [*_atoms(pattern), ("", True)]:
        if must and len(atom) == 1 and atom.isalpha():
            run += atom.lower()
            continue
        if len(run) > 2 or (run and not run.isascii()) or run == "lr":
            yield (run,)
        run = ""
        if must and atom.startswith("(") and not atom.startswith(("(?=", "(?!", "(?<=", "(?<!")):
            body = atom[len(_ATOM.match(atom)[0]) : -1]  # type: ignore[index]
            if told := stems(body):
                yield told


class Index:
    """Which of many expressions may match a text: each different word is compared with their stems only once."""

    def __init__(self, stems_of: Iterable[tuple[str, ...]]) -> None:
        """Args:
        stems_of: the stems of each expression, in their order.
        """
        numbered = list(enumerate(stems_of))
        self._always = frozenset(number for number, told in numbered if not told)
        self._stems = [(stem, number) for number, told in numbered for stem in told]
        self._words: dict[str, frozenset[int]] = {}

    def of(self, text: str) -> list[int]:
        """Numbers of the expressions, ascending; one that has no stems is always among them."""
        words = self._words
        found = set(self._always)
        for word in _words_of(text):
            numbers = words.get(word)
            if numbers is None:
                if len(words) > _WORDS:
                    words.clear()
                numbers = words[word] = frozenset(number for stem, number in self._stems if stem in word)
            if numbers:
                found |= numbers
        return sorted(found)


@lru_cache(maxsize=16)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.lower().split())


_WORDS = 50_000
"""Different words that are remembered; a book has fewer."""
