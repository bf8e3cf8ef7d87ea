"""Which settings are the library's own defaults in the version that ran."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _table() -> dict[str, Any]:
    found = files(__package__).joinpath("defaults.json")
    return json.loads(found.read_text("utf-8")) if found.is_file() else {}


def is_default(config: str, name: str, value: Any, versions: Mapping[str, str]) -> bool | None:
    """Whether ``value`` is the default of a field of an arguments class; None where that is not known.

    The table gives, for each class, the library and the range of versions that were looked at, and for each field the
    first version of every default, in ascending order.
    """
    table = _table()
    owner = config.rpartition(".")[2]
    for known in (owner, "TrainingArguments"):
        fields, tested = table.get(known), table.get("versions", {}).get(known)
        if not fields or not tested or name not in fields:
            continue
        told = parse(versions.get(tested["library"], ""))
        if told is None or not parse(tested["first"]) <= told[: len(told)] <= _upto(tested["last"]):  # type: ignore[operator]
            return None
        held = [default for first, default in fields[name] if (parse(first) or ()) <= told]
        return _same(held[-1], value) if held else None
    return None


def parse(version: str) -> tuple[int, ...] | None:
    """``4.53.3`` as numbers; None where it does not begin with any."""
    parts: list[int] = []
    for part in version.split("+")[0].split("."):
        if not part.isascii() or not part.isdigit() or len(part) > 9:
            break
        parts.append(int(part))
    return tuple(parts) or None


def _upto(last: str) -> tuple[int, ...]:
    return (*(parse(last) or ()), 10**9)


def _same(default: Any, value: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return default is value
    return bool(default == value)
