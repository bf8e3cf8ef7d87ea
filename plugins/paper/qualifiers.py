"""What a sentence calls a number: mean or final, first or last, training or held-out."""

from __future__ import annotations

import re

from dpo_report.plugins.paper.loose import Loose

_PARTS: dict[str, Loose] = {
    "mean": Loose(r"\b(?:mean|averag\w+|over (?:the (?:whole )?|all )(?:run|steps|\w+ steps|four updates|"
        r"training))\b|train_loss"),
    "last": Loose(
        r"\b(?:final\w*|last|ends?|ended|ending|finish\w*|reach\w*|(?:down|fell|dropped|decreased|declined|"
        r"converged) (?:to|at)|"
        r"end of training|after training)\b"),
    "first": Loose(r"\b(?:initial\w*|start\w*|first|begin\w*|began|untrained|step 1|outset|from)\b"),
    "best": Loose(r"\b(?:lowest|minim\w+|best|peak\w*|highest|maxim\w+)\b"),
}  # fmt: skip
_HELD_OUT = Loose(r"\b(?:held-?out|eval(?:uation)?|validation|test|dev|unseen)\b")
_TRAIN = Loose(
    r"\btrain(?:ing)?(?:[- ](?:set|data|pairs|loss|accuracy|margins?|reward\w*|preference|batch\w*))|"
    r"\b(?:on the|in) training\b"
)
_OTHER_STATISTIC = Loose(
    r"\b(?:medians?|standard (?:deviation|error)|std\.?|variances?|quantiles?|percentiles?|slopes?|trends?|"
    r"intervals?|CI|"
    r"spread|windows?|at step|per 100|differences?|sums?|(?:first|last|next) (?:\d+|two|three|four|five|ten|"
    r"third|half|quarter)"
    r"|steps? \d|rows|moving|smoothed|bound)\b|±|\["
)
_NAMES = {
    "mean": ("mean", "rest"),
    "last": ("last", "after", "median_last", "last_nats", "done"),
    "first": ("first", "median_first", "start"),
    "best": ("lowest", "best", "highest"),
}


def stats(text: str, start: int, end: int, at: int, listed: bool) -> tuple[str, ...]:
    """``mean``, ``last``, ``first``, ``best``: what the words near a number call it, the nearest first.

    ``start`` and ``end`` bound the clause, ``at`` is where the number begins; ``listed`` tells that it is the second
    one of ``from 0.69 to 0.46``.
    """
    if listed and re.search(r"(?:\bto|→)\s*$", text[:at]):
        return ("last",)
    found: list[tuple[int, str]] = []
    for name, pattern in _PARTS.items():
        for match in pattern.finditer(text, max(start, at - 70), min(end, at + 45)):
            gap = at - match.end() if match.end() <= at else 2 * (match.start() - at)
            if match[0].lower() != "from" or gap <= 2:
                found.append((gap, name))
    return tuple(dict.fromkeys(name for _, name in sorted(found)))


def split(text: str, start: int, end: int, at: int) -> str:
    """``eval``, ``train`` or nothing: what its own brackets say, else the nearest before the number, else behind it."""
    opened, closed = text.rfind("(", start, at), text.find(")", at, end)
    if opened > text.rfind(")", start, at) and closed > 0 and (inside := _sides(text, opened, closed)):
        return inside[0][1]
    if before := _sides(text, start, at):
        return max(before)[1]
    behind = _sides(text, at, end)
    return min(behind)[1] if behind else ""


def _sides(text: str, start: int, end: int) -> list[tuple[int, str]]:
    """Every word for either side of the split, with where it begins."""
    both = (("eval", _HELD_OUT), ("train", _TRAIN))
    return [(match.start(), name) for name, pattern in both for match in pattern.finditer(text, start, end)]


def derived(text: str, start: int, end: int, at: int) -> bool:
    """Whether the number is some other statistic, of which nothing is known: a median, a slope, a window's mean."""
    return bool(_OTHER_STATISTIC.search(text, max(start, at - 60), min(end, at + 60)))


def fits(name: str, part: str) -> bool:
    """Whether a value of that name is what the sentence calls it.

    >>> fits("loss.train.mean", "mean"), fits("loss.train.mean", "last"), fits("loss.eval.last", "eval")
    (True, False, True)
    """
    words = name.split(".")
    if part in ("eval", "train"):
        return part in words or not {"eval", "train"} & set(words)
    return not part or any(word in _NAMES[part] for word in words)
