"""What the runs tell, as the check looks it up: values, settings, summary, rows, versions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from dpo_report.core import numbers
from dpo_report.core.macros import camel, macro
from dpo_report.core.model import Analysis, Value
from dpo_report.plugins.paper.amounts import Amount


@dataclass(frozen=True, slots=True)
class Fact:
    """One number of a run."""

    name: str
    """``loss.train.mean``, or the setting's name."""
    value: float
    """Exact."""
    shown: str
    """As the report prints it."""
    label: str = ""
    """In words."""
    share: bool = False
    """Whether it may be told in per cent, or as k of n."""


@dataclass
class Known:
    """All runs that the paper may speak of."""

    analyses: Sequence[Analysis]
    prefixes: Sequence[str] = ()
    """What stands between ``\\Dpo`` and a value's name, one for each run where there are several."""
    _cache: dict[tuple[str, ...], list[Fact]] = field(default_factory=dict)

    def facts(self, values: tuple[str, ...], settings: tuple[str, ...] = ()) -> list[Fact]:
        """Numbers by name; a name that ends in a dot stands for all that begin with it."""
        key = (*values, "", *settings)
        if key not in self._cache:
            self._cache[key] = [fact for analysis in self.analyses for fact in _of(analysis, values, settings)]
        return self._cache[key]

    def named(self, name: str) -> list[Fact]:
        """A value, a setting or an entry of the closing summary by its own name."""
        found = self.facts((name,), (name,))
        return found or [
            Fact(name, float(datum.value), f"{datum.value:g}", name)
            for analysis in self.analyses
            if (datum := analysis.run.summary.get(name)) is not None and isinstance(datum.value, int | float)
        ]

    @cached_property
    def macros(self) -> dict[str, tuple[str, str]]:
        """Value name and printed number by macro."""
        found: dict[str, tuple[str, str]] = {}
        for analysis, prefix in zip(self.analyses, self.prefixes or [""] * len(self.analyses), strict=True):
            for value in analysis.values.values():
                found.setdefault(macro(value.name, prefix), (value.name, numbers.display(value)))
                found.setdefault(macro(f"{value.name}.interval", prefix), (value.name, numbers.display_interval(value)))
        return found

    def logged(self, series: Sequence[str], amount: Amount, split: str) -> bool:
        """Whether a row of those series holds the number; ``split`` is ``train``, ``eval`` or empty for both."""
        scale = 100.0 if amount.percent else 1.0
        half = amount.ulp / 2 * (1 + 1e-6)
        for analysis in self.analyses:
            for (name, where), one in analysis.run.series.items():
                if split and where.partition(":")[0] != split:
                    continue
                if name in series and bool((np.abs(one.values * scale - amount.value) <= half).any()):
                    return True
        return False

    def versions(self, package: str) -> list[str]:
        """The versions of a package that the runs tell."""
        return [analysis.run.versions[package] for analysis in self.analyses if package in analysis.run.versions]

    @cached_property
    def own_names(self) -> re.Pattern[str]:
        """Settings and summary entries by the trainer's own words: ``logging_steps``."""
        names = {
            name
            for analysis in self.analyses
            for name in (*analysis.run.settings, *analysis.run.summary)
            if "_" in name and re.fullmatch(r"\w+", name)
        }
        return re.compile(
            r"(?<![\w.])(?:%s)(?!\w)" % ("|".join(sorted(map(re.escape, names), key=len, reverse=True)) or "$^")
        )


def prefixes(folders: Sequence[str]) -> list[str]:
    """The macro prefixes of several runs, as a build of them gives; none for a single one."""
    return [camel(name) for name in folders] if len(folders) > 1 else [""] * len(folders)


def _of(analysis: Analysis, values: tuple[str, ...], settings: tuple[str, ...]) -> Iterator[Fact]:
    for name, value in analysis.values.items():
        wanted = any(name == one or (one.endswith(".") and name.startswith(one)) for one in values)
        if wanted and isinstance(value.value, int | float) and not isinstance(value.value, bool):
            yield _fact(value)
    for name in settings:
        told = analysis.run.settings.get(name)
        if told is not None and isinstance(told.value, int | float) and not isinstance(told.value, bool):
            yield Fact(name, float(told.value), numbers.setting(told.value), name.replace("_", " "))


def _fact(value: Value) -> Fact:
    return Fact(value.name, float(value.value), numbers.display(value), value.label, value.kind == "share")
