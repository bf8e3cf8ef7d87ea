"""Objects that plugins declare: whose they are, what they are called, and whether they are well made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from dpo_report.core.contract import (
    Check,
    Claim,
    Command,
    Curve,
    Format,
    Metric,
    Question,
    Reader,
    Section,
)
from dpo_report.core.works import Work

T = TypeVar("T")

KINDS: Mapping[str, type[Any]] = {
    "readers": Reader,
    "metrics": Metric,
    "curves": Curve,
    "checks": Check,
    "claims": Claim,
    "questions": Question,
    "sections": Section,
    "formats": Format,
    "works": Work,
    "templates": Path,
    "commands": Command,
}
"""What each ``register_...`` hook returns."""

_KEYS: Mapping[type[Any], str] = {Check: "code", Claim: "text", Question: "id", Work: "key"}
_KEY = re.compile(r"[\w.:+-]+")
_TYPES: Mapping[str, tuple[type[Any], ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "Mapping[str, str]": (Mapping,),
}


@dataclass(frozen=True, slots=True)
class Provided(Generic[T]):
    """An object with its provider."""

    item: T
    """What was declared."""
    plugin: str
    """Name and version of the plugin: ``metrics 0.1.0``."""

    @property
    def what(self) -> str:
        """Kind and name, for messages: ``metric loss.train.mean``."""
        return f"{type(self.item).__name__.lower()} {key(self.item)}"


def key(item: Any) -> str:
    """The name that must be unique among the objects of its kind."""
    return str(item) if isinstance(item, Path) else str(getattr(item, _KEYS.get(type(item), "name"), item))


def wrong(item: object, wanted: type[Any]) -> str:
    """What is wrong with a declared object, or an empty string.

    Checks the types that the contract declares, so that a slip (``needs="loss"``, a result in place of a
    function) is told when the plugin is loaded and not in the middle of a report.
    """
    if not isinstance(item, wanted):
        return f"gave {_a(type(item).__name__)} where {_a(wanted.__name__)} belongs"
    if isinstance(item, Path):
        return "" if item.is_dir() else f"names a template folder that does not exist: {item}"
    name = key(item)
    for field in fields(item):
        value = getattr(item, field.name)
        if not _fits(value, str(field.type)):
            return (
                f"{wanted.__name__.lower()} {name!r}: {field.name} must be {_said(str(field.type))}, "
                f"not {_a(type(value).__name__)}"
            )
    if not name.strip() or (wanted is not Claim and not _KEY.fullmatch(name)):
        return f"{wanted.__name__.lower()} {name!r}: a name is letters, digits and . : + - _ only"
    return ""


def _fits(value: object, declared: str) -> bool:
    if declared.startswith("Callable"):
        return callable(value)
    if declared == "tuple[str, ...]":
        return isinstance(value, tuple) and all(isinstance(part, str) for part in value)
    if declared.startswith("tuple"):
        return isinstance(value, tuple)
    return isinstance(value, _TYPES.get(declared, object))


def _said(declared: str) -> str:
    if declared.startswith("Callable"):
        return "a function"
    return 'a tuple of strings, ("loss",)' if declared == "tuple[str, ...]" else declared


def _a(word: str) -> str:
    return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"
