"""Which settings are the library's own defaults in the version that ran: ``defaults.json`` tells how to read itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

_UNKNOWN = object()


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(files(__package__).joinpath("defaults.json").read_text("utf-8"))
    return table


def is_default(config: str, name: str, value: Any, versions: Mapping[str, str]) -> bool | None:
    """Whether ``value`` is the default of a field of an arguments class; None where that is not known.

    It is known for the classes of the table, in the releases that were looked at and between two of them that agree.
    """
    owner = config.rpartition(".")[2]
    found = _default("TrainingArguments" if owner == "Seq2SeqTrainingArguments" else owner, name, versions)
    return None if found is _UNKNOWN else _same(found, value)


def _default(owner: str, name: str, versions: Mapping[str, str]) -> Any:
    """The default of a field, its class's base asked where it does not declare it."""
    entry = _table().get(owner)
    if owner in ("comment", "examined") or entry is None:
        return _UNKNOWN
    told = parse(versions.get(entry["library"], ""))
    around = _around(told, _table()["examined"][entry["library"]], entry["tested"])
    changes = entry["fields"].get(name, [])
    states = [_state(changes, version) for version in around]
    if not states or any(state != states[0] for state in states):
        return _UNKNOWN
    state = states[0]
    if len(state) == 1:
        return _default(entry["base"], name, versions) if "base" in entry else _UNKNOWN
    return state[1] if len(state) == 2 else _UNKNOWN


def _around(told: tuple[int, ...] | None, examined: list[str], tested: list[str]) -> list[tuple[int, ...]]:
    """The examined releases just before and after a version (one where it was examined itself); empty outside them."""
    first, last = (parse(version) or () for version in tested)
    if told is None or len(told) < 2 or told < first or told[:2] > last[:2]:
        return []
    known = [version for one in examined if first <= (version := parse(one) or ()) <= last]
    before = [version for version in known if version <= told]
    after = [version for version in known if version >= told]
    return [before[-1], *after[:1]]


def _state(changes: list[list[Any]], version: tuple[int, ...]) -> list[Any]:
    """What holds at a version, without the version itself: ``[default]`` and so on, led by a 0."""
    held = [change for change in changes if (parse(change[0]) or ()) <= version]
    return [0, *held[-1][1:]] if held else [0]


@lru_cache(4096)
def parse(version: str) -> tuple[int, ...] | None:
    """``4.53.3`` as numbers; None where it does not begin with any."""
    parts: list[int] = []
    for part in version.split("+")[0].split("."):
        if not part.isascii() or not part.isdigit() or len(part) > 9:
            break
        parts.append(int(part))
    return tuple(parts) or None


def _same(default: Any, value: Any) -> bool:
    if isinstance(default, list) and len(default) == 1 and not isinstance(value, list | tuple):
        default = default[0]  # such a list of words is saved as its word by some versions
    if isinstance(default, bool) or isinstance(value, bool):
        return default is value
    return bool(default == (list(value) if isinstance(value, tuple) else value))
