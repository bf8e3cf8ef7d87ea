"""A run as plugins are given it: what one of them writes into it by mistake would stand in the reports of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dpo_report.core.model import Run, Series

_TABLES = ("versions", "settings", "summary", "facts", "answers", "limits")


def fixed(run: Run) -> Run:
    """The same run, with tables and arrays that cannot be changed; nothing is copied.

    The runs beside it stay as they are, for there may be a thousand.
    """
    tables: dict[str, Any] = {name: _table(getattr(run, name)) for name in _TABLES}
    series = _table({key: _series(one) for key, one in run.series.items()})
    return replace(run, series=series, **tables)


def _table(given: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return given if isinstance(given, MappingProxyType) else MappingProxyType(given)


def _series(one: Series) -> Series:
    which = None if one.which is None else _array(one.which)
    return replace(one, steps=_array(one.steps), values=_array(one.values), rows=_array(one.rows), which=which)


def _array(given: NDArray[Any]) -> NDArray[Any]:
    seen = given.view()
    seen.flags.writeable = False
    return seen
