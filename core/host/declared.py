"""Objects that plugins declare: whose they are, what they are called, and whether they are well made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from dpo_report.core.contract import (
    Check,
    Claim,
    Command,
    Curve,
    Format,
    Match,
    Metric,
    Question,
    Reader,
    Section,
    Threshold,
)
from dpo_report.core.errors import ReportError
from dpo_report.core.host.fieldtypes import a, slip
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
SEE = "dpo_report.core.contract tells what belongs there"
_KEY = re.compile(r"[\w.:+-]+")


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
    """What is wrong with a declared object, or an empty string."""
    if not isinstance(item, wanted):
        return f"gave {a(type(item).__name__)} where {a(wanted.__name__)} belongs"
    if isinstance(item, Path):
        return "" if item.is_dir() else f"names a template folder that does not exist: {item}"
    name = key(item)
    reason = slip(item)
    if not reason and isinstance(item, Check | Claim):
        reason = _misdrawn(item) or (_misnamed(item) if isinstance(item, Claim) else "")
    if not reason and (not name.strip() or (wanted is not Claim and not _KEY.fullmatch(name))):
        reason = "a name is letters, digits and . : + - _ only"
    return f"{wanted.__name__.lower()} {name!r}: {reason}" if reason else ""


def _misnamed(claim: Claim) -> str:
    """What is wrong with the thresholds that a claim's licence names, or an empty string."""
    try:
        claim.licensed({})
    except ValueError:
        return f"licence: braces hold numbers and names of its thresholds: {claim.licence}"
    return ""


def _misdrawn(item: Check | Claim) -> str:
    """What is wrong with the thresholds of a rule or a claim, or an empty string."""
    for one in item.thresholds:
        reason = wrong(one, Threshold)
        if not reason and not one.low <= one.value <= one.high:
            reason = f"threshold {one.name!r}: {one.value:g} does not lie in {one.low:g} to {one.high:g}"
        if reason:
            return f"thresholds: {reason}"
    return ""


def checked(item: object, function: object, result: Any) -> Any:
    """What a declared object's function gave, where that is what the contract says; several as a tuple.

    Raises:
        ReportError: it is something else.
    """
    rule = next((rule for name, rule in _results().items() if getattr(item, name, None) is function), None)
    if rule is None or (result is None and rule.may_be_none):
        return result
    if isinstance(result, rule.wanted) or not rule.several:
        results: tuple[Any, ...] = (result,)
    else:
        results = tuple(result) if isinstance(result, Iterable) and not isinstance(result, str) else (result,)
    for one in results:
        if not isinstance(one, rule.wanted):
            raise ReportError(f"it gave {a(type(one).__name__)} where {a(rule.wanted.__name__)} belongs", SEE)
        reason = slip(one) if is_dataclass(one) else ""
        if reason:
            raise ReportError(f"it gave {a(rule.wanted.__name__)} whose {reason}", SEE)
    return results if rule.several else result


def answers(item: object, function: object) -> bool:
    """Whether the function may raise ``NotApplicable``: those of metrics, curves and checks."""
    return any(getattr(item, name, None) is function for name in ("compute", "build", "explain"))


@dataclass(frozen=True, slots=True)
class _Result:
    wanted: type[Any]
    several: bool = False
    may_be_none: bool = False


@cache
def _results() -> Mapping[str, _Result]:
    """What the functions of the contract give, by the name of their field."""
    from dpo_report.core.model import Finding, Problem, Value, Witness
    from dpo_report.core.plot import Figure

    return {
        "compute": _Result(Value, several=True),
        "build": _Result(Figure),
        "explain": _Result(Finding),
        "detect": _Result(Match, may_be_none=True),
        "read": _Result(Witness, several=True),
        "glance": _Result(Witness, several=True),
        "one": _Result(Witness, several=True),
        "damaged": _Result(Problem, several=True),
        "known": _Result(str, may_be_none=True),
    }
