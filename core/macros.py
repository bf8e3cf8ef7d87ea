"""Value names as names of LaTeX macros: ``loss.train.mean`` is ``\\DpoLossTrainMean``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_DIGITS = dict(enumerate(("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")))


def camel(name: str) -> str:
    """Words in camel case, digits spelled out, nothing but ASCII letters.

    >>> camel("loss.train.mean"), camel("accuracy.eval.top_5"), camel("dpo-é中")
    ('LossTrainMean', 'AccuracyEvalTopFive', 'DpoEUFourETwoD')
    """
    plain = ""
    for letter in unicodedata.normalize("NFKD", name):
        if letter.isascii():
            plain += letter
        elif not unicodedata.combining(letter):
            plain += f" u {' '.join(f'{ord(letter):x}')} "
    spelled = re.sub(r"[0-9]", lambda digit: f" {_DIGITS[int(digit[0])]} ", plain)
    words = re.findall(r"[A-Za-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", spelled))
    return "".join(word[:1].upper() + word[1:] for word in words)


def macro(name: str, prefix: str = "") -> str:
    """The macro of a value.

    >>> macro("loss.train.mean"), macro("steps.done", "RunTwo")
    ('\\\\DpoLossTrainMean', '\\\\DpoRunTwoStepsDone')
    """
    return f"\\Dpo{prefix}{camel(name)}"


def clashes(names: Iterable[str]) -> dict[str, list[str]]:
    """Macros that more than one name would get."""
    by_macro: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        by_macro.setdefault(macro(name), []).append(name)
    return {name: given for name, given in by_macro.items() if len(given) > 1}
