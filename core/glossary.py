"""Values with the texts that explain them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dpo_report.core import numbers
from dpo_report.core.contract import Metric
from dpo_report.core.model import Value
from dpo_report.core.text import Text, say


@dataclass(frozen=True, slots=True)
class Entry:
    """One value with the texts that explain it, headed as the first user headed them."""

    name: str
    """``loss.train.mean``"""
    label: str
    """``mean training loss``"""
    value: Value
    """The number."""
    texts: tuple[tuple[str, Text], ...]
    """``("Meaning", ...)``, ``("For your paper", ...)``, ``("Context", ...)``, ``("Compare with", ...)``."""


def entries(metrics: Iterable[Metric], values: Mapping[str, Value]) -> list[Entry]:
    """Every value whose metric has a text, in the order of the metrics; of one that names a group, the first of it."""
    return [
        Entry(metric.name, value.label or metric.label, value, texts)
        for metric in metrics
        if (value := _first(metric.name, values)) is not None and (texts := _texts(metric, value))
    ]


def _first(name: str, values: Mapping[str, Value]) -> Value | None:
    if name in values:
        return values[name]
    return next((value for own, value in values.items() if own.startswith(f"{name}.")), None)


def _texts(metric: Metric, value: Value) -> tuple[tuple[str, Text], ...]:
    told = (
        ("Meaning", metric.meaning),
        ("For your paper", _to_write(metric, value)),
        ("Context", metric.context),
        ("Compare with", metric.compare),
    )
    return tuple((heading, _filled(text, numbers.display(value))) for heading, text in told if text)


def _to_write(metric: Metric, value: Value) -> str:
    """The sentence that a paper may hold; of a value that is not finite only that it is none."""
    if not metric.paper:
        return ""
    if isinstance(value.value, float) and not math.isfinite(value.value):
        return f"The {value.label or metric.label} was not finite; say so, and give no number."
    return metric.paper.replace("{value}", "\0")


def _filled(text: str, value: str) -> Text:
    """A text of a metric, whose braces are only braces; the number stands where the null was put."""
    return say(text.replace("{", "{{").replace("}", "}}").replace("\0", "{value}"), value=value)
