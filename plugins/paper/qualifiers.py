"""What a sentence calls a number: mean or final, first or last, training or held-out."""

from __future__ import annotations

import re

_I = re.IGNORECASE
_PARTS: dict[str, re.Pattern[str]] = {
    "mean": re.compile(r"\b(?:mean|averag\w+|over (?:the (?:whole )?|all )(?:run|steps|\w+ steps|four updates|training))\b|train_loss", _I),
    "last": re.compile(
        r"\b(?:final\w*|last|ends?|ended|ending|finish\w*|reach\w*|(?:down|fell|dropped|decreased|declined|converged) (?:to|at)|"
        r"end of training|after training)\b", _I),
    "first": re.compile(r"\b(?:initial\w*|start\w*|first|begin\w*|began|untrained|step 1|outset|from)\b", _I),
    "best": re.compile(r"\b(?:lowest|minim\w+|best|peak\w*|highest|maxim\w+)\b", _I),
}  # fmt: skip
_HELD_OUT = re.compile(r"\b(?:held-?out|eval(?:uation)?|validation|test|dev|unseen)\b", _I)
_TRAIN = re.compile(
    r"\btrain(?:ing)?(?:[- ](?:set|data|pairs|loss|accuracy|margins?|reward\w*|preference|batch\w*))|\bon the training\b",
    _I,
)
_NAMES = {
    "mean": ("mean", "rest"),
    "last": ("last", "median_last", "last_nats", "done"),
    "first": ("first", "median_first", "start"),
    "best": ("lowest", "best", "highest"),
}


def stat(text: str, start: int, end: int, at: int, listed: bool) -> str:
    """``mean``, ``last``, ``first``, ``best`` or nothing: the word nearest to the number within its phrase.

    ``start`` and ``end`` bound the clause, ``at`` is where the number begins.
    """
    before, after = max(start, at - 70), min(end, at + 45)
    found: list[tuple[int, str]] = []
    for name, pattern in _PARTS.items():
        for match in pattern.finditer(text, before, after):
            gap = at - match.end() if match.end() <= at else 2 * (match.start() - at)
            if name == "first" and match[0].lower() == "from" and gap > 2:
                continue
            found.append((gap, name))
    if listed and re.search(r"\b(?:to|→)\s*$", text[:at]):
        return "last"
    return min(found)[1] if found else ""


def split(text: str, start: int, end: int, at: int) -> str:
    """``eval``, ``train`` or nothing: the nearest of both before the number, else behind it."""
    found = [
        (m.end(), name) for name, p in (("eval", _HELD_OUT), ("train", _TRAIN)) for m in p.finditer(text, start, at)
    ]
    if found:
        return max(found)[1]
    behind = [
        (m.start(), name) for name, p in (("eval", _HELD_OUT), ("train", _TRAIN)) for m in p.finditer(text, at, end)
    ]
    return min(behind)[1] if behind else ""


def fits(name: str, part: str) -> bool:
    """Whether a value of that name is what the sentence calls it.

    >>> fits("loss.train.mean", "mean"), fits("loss.train.mean", "last"), fits("loss.eval.last", "eval")
    (True, False, True)
    """
    words = name.split(".")
    if part in ("eval", "train"):
        return part in words or not {"eval", "train"} & set(words)
    return not part or any(word in _NAMES[part] for word in words)
