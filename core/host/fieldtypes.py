"""Whether the fields of a plugin's records hold what their annotations promise.

Python does not look at annotations. A plugin's slip (``needs="loss"``, a result in place of a function, an integer of
numpy's) would otherwise show itself far from its cause, in the middle of a report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, get_args

Fits = Callable[[object], bool]

_TYPES: Mapping[str, tuple[type[Any], ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "int | None": (int, type(None)),
    "float": (int, float),
    "float | None": (int, float, type(None)),
    "float | int | str": (int, float, str),
    "bool": (bool,),
}


def slip(record: Any) -> str:
    """The first field that holds something else than it says, as a sentence; empty where all is well."""
    for name, declared, fits in _rules(record.__class__):
        value = getattr(record, name)
        if not fits(value):
            return f"{name} must be {_said(declared)}, not {_shown(value)}"
    return ""


def a(word: str) -> str:
    """The word with its article."""
    return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"


@cache
def _rules(record: Any) -> tuple[tuple[str, str, Fits], ...]:
    return tuple((field.name, str(field.type), _rule(str(field.type))) for field in fields(record))


def _rule(declared: str) -> Fits:
    if declared.startswith("Callable"):
        optional = declared.endswith("| None")
        return lambda value: callable(value) or (optional and value is None)
    if declared == "tuple[str, ...]":
        return lambda value: isinstance(value, tuple) and all(isinstance(part, str) for part in value)
    if declared.startswith("tuple"):
        return lambda value: isinstance(value, tuple)
    if declared.startswith("Mapping"):
        return lambda value: isinstance(value, Mapping)
    words = _words(declared)
    if words:
        return lambda value: value in words
    wanted = _TYPES.get(declared, object)
    return lambda value: isinstance(value, wanted)


def _words(declared: str) -> tuple[str, ...]:
    """The words that a field may hold where its type is a choice of words."""
    if declared not in ("Severity", "FindingStatus", "RunStatus", "Better"):
        return ()
    from dpo_report.core import model  # here, because `--help` checks declared commands without the model

    return get_args(getattr(model, declared))


def _said(declared: str) -> str:
    if declared.startswith("Callable"):
        return "a function"
    if declared == "tuple[str, ...]":
        return 'a tuple of strings, ("loss",)'
    return " or ".join(_words(declared)) or declared.replace(" | ", " or ")


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) and len(value) < 30 else a(type(value).__name__)
