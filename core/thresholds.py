"""Thresholds of rules: which are declared, what the user set, and which counted in a report."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from dpo_report.core import numbers
from dpo_report.core.contract import Check, Threshold
from dpo_report.core.errors import ReportError
from dpo_report.core.model import Finding, Problem, Run
from dpo_report.core.settings import FILE

if TYPE_CHECKING:
    from dpo_report.core.host.declared import Provided


_DEEPEST = 8
"""Tables in tables that a name of a threshold is looked for in."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold as it counted for a run."""

    name: str
    """``C7.flat``"""
    value: float
    """What counted."""
    default: float
    """What would have counted, had the user set nothing."""
    unit: str
    """``nats``; empty for a pure number."""
    meaning: str
    """What lies on which side."""
    source: str
    """What the default rests on."""
    rules: tuple[str, ...]
    """Codes of the rules that it counted for."""

    @property
    def changed(self) -> bool:
        """Whether the user set another value than the default."""
        return self.value != self.default


def declared(checks: Iterable[Check]) -> dict[str, Threshold]:
    """Every threshold by name; of two with one name the first."""
    found: dict[str, Threshold] = {}
    for check in checks:
        for one in check.thresholds:
            found.setdefault(one.name, one)
    return found


def contradictions(checks: Iterable[Provided[Check]]) -> Iterator[Problem]:
    """Thresholds of one name that are not the same."""
    first: dict[str, tuple[Threshold, str]] = {}
    for provided in checks:
        for one in provided.item.thresholds:
            known, plugin = first.setdefault(one.name, (one, provided.plugin))
            if known != one:
                said = f"threshold {one.name} is declared otherwise by {plugin}"
                yield Problem(f"plugin {provided.plugin}", said, "give it another name")


def checked(told: Any, known: Mapping[str, Threshold], *, complete: bool = True) -> dict[str, float]:
    """What the user set to another value than the default, by name: each name known, each value possible.

    Args:
        told: the table ``[thresholds]`` as it stands in the file.
        known: the thresholds that are declared.
        complete: whether every plugin is at work; else an unknown name may be that of one which is not.

    Raises:
        ReportError: a name is unknown, or a value impossible.
    """
    if not isinstance(told, Mapping):
        raise ReportError(f"{FILE}: thresholds is no table", "write [thresholds], and below it C7.flat = 0.02")
    found: dict[str, float] = {}
    for name, value in _flat(told):
        if name in known:
            found[name] = _possible(known[name], value)
        elif complete:
            hint = f"{nearest(name[:80], known)} (a plugin's needs its --plugin)"
            raise ReportError(f"{FILE}: [thresholds] no rule has a threshold {name:.80}", hint)
    return {name: value for name, value in found.items() if value != known[name].value}


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The entries of a table and of the tables in it, their names joined by dots."""
    for key, value in table.items():
        if isinstance(value, Mapping) and prefix.count(".") < _DEEPEST:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def nearest(name: str, known: Iterable[str]) -> str:
    """What a wrong name may have meant."""
    near = get_close_matches(name, list(known), 3, 0.5)
    return f"did you mean {' or '.join(near)}?" if near else "`dpo-report explain --all` lists them"


def _possible(threshold: Threshold, value: Any) -> float:
    whole = isinstance(threshold.value, int)
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if number and threshold.low <= value <= threshold.high and not (whole and value != int(value)):
        return int(value) if whole else float(value)
    span = f"from {shown(threshold.low)}" + (f" to {shown(threshold.high)}" if math.isfinite(threshold.high) else " on")
    kind = "a whole number" if whole else "a number"
    vast = isinstance(value, int) and value.bit_length() > sys.float_info.max_exp  # repr may refuse it
    given = "a number of hundreds of digits" if vast else f"{value!r:.40}"
    raise ReportError(
        f"{FILE}: [thresholds] {threshold.name} = {given} is not {kind} {span}",
        f"{threshold.meaning}; by default {shown(threshold.value, threshold.unit)}",
    )


def applied(run: Run, checks: Iterable[Check], findings: Iterable[Finding]) -> tuple[Limit, ...]:
    """The thresholds of the rules that spoke about a run, or looked and passed."""
    spoke = {finding.code for finding in findings if finding.status in ("found", "passed")}
    return tuple(limits([check for check in checks if check.code in spoke], run.limits))


def limits(checks: Sequence[Check], told: Mapping[str, float]) -> list[Limit]:
    """The thresholds of some rules with the values that count, in the order of the rules."""
    rules: dict[str, list[str]] = {}
    for check in checks:
        for one in check.thresholds:
            rules.setdefault(one.name, []).append(check.code)
    known = declared(checks)
    return [
        Limit(name, told.get(name, one.value), one.value, one.unit, one.meaning, one.source, tuple(rules[name]))
        for name, one in known.items()
    ]


def shown(value: float, unit: str = "") -> str:
    """A threshold as it was written, with its unit.

    >>> shown(0.05), shown(1000), shown(1e-6), shown(50.0, "nats")
    ('0.05', '1000', '1 × 10⁻⁶', '50 nats')
    """
    return f"{numbers.setting(value)} {unit}".rstrip()
