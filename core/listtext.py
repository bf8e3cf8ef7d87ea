"""A list of runs as aligned text and as JSON, with the settings that tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dpo_report.core.continued import sentences
from dpo_report.core.listed import Listed
from dpo_report.core.terminal import columns

_SHOWN = 4
"""Settings that are shown of those that differ."""
_WIDEST = 24
"""Letters of a setting's value."""


def as_json(listed: Sequence[Listed]) -> str:
    """The list for programs."""
    import json

    names = differing(listed)
    rows = [
        {
            "path": one.path,
            "name": one.name or None,
            "method": one.method,
            "status": one.status,
            "global_step": one.step,
            "max_steps": one.planned,
            "loss": None if one.loss is None or one.loss != one.loss else one.loss,
            "settings": {name: _plain(one.settings[name]) for name in names if name in one.settings},
            "copy_of": one.copy_of or None,
            "goes_on_with": one.goes_on_with or None,
            "failed": one.failed or None,
        }
        for one in listed
    ]
    return json.dumps({"runs": rows}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """A value that JSON has."""
    return value if isinstance(value, str | int | bool | None) else _shown(value)


def differing(listed: Sequence[Listed]) -> list[str]:
    """Names of settings that tell the runs apart: not the same in all, and no paths or names of the run itself."""
    first: dict[str, Any] = {}
    varying: set[str] = set()
    for one in listed:
        varying |= {name for name, value in one.settings.items() if first.setdefault(name, value) != value}
    scores: list[tuple[int, int, str]] = []
    for name in varying:
        having = [one for one in listed if name in one.settings]
        told = [_shown(one.settings[name]) for one in having]
        different = set(told)
        if any(isinstance(one.settings[name], list | dict) for one in having):
            continue
        if len(different) < 2 or any("/" in value or "\\" in value for value in different):
            continue
        if sum(len(value) > 3 and value in one.path for one, value in zip(having, told, strict=True)) > 1:
            continue  # a name
        scores.append((-len(told), -len(different), name))
    return [name for *_, name in sorted(scores)]


def are_called(listed: Sequence[Listed]) -> bool:
    """Whether runs have names that tell them apart, other than their paths do."""
    return len({one.name for one in listed if one.name not in one.path}) > 1


def text(listed: Sequence[Listed]) -> str:
    """The list as aligned text, one run a line, with what distinguishes the runs."""
    own = [one for one in listed if not one.copy_of and not one.failed]
    names = differing(own)[:_SHOWN]
    called = are_called(own)
    rows = [("run", *["name"] * called, "method", "status", "steps", "last loss", *names)]
    for one in listed:
        if one.copy_of or one.failed:
            why = f"a copy of {one.copy_of}" if one.copy_of else f"cannot be read: {one.failed}"
            rows.append((one.path, why, *[""] * (len(rows[0]) - 2)))
        else:
            told = (one.method or "?", one.status, _steps(one), _loss(one), *_settings(one, names))
            rows.append((one.path, *[_cut(one.name)] * called, *told))
    table = columns([row if len(row) == len(rows[0]) else row[: len(rows[0])] for row in rows])
    said = sentences({one.path: one.span for one in own if one.span})
    glanced = sum(one.glanced for one in own)
    if glanced:
        said.append(f"of {glanced:,} runs only one log was looked at; what else lies in their folders may tell more")
    return "\n".join([table, *([""] if said else []), *said])


def _settings(one: Listed, names: Sequence[str]) -> list[str]:
    return [_shown(one.settings[name]) if name in one.settings else "-" for name in names]


def _steps(one: Listed) -> str:
    if one.step is None:
        return "?"
    return f"{one.step:,}" if one.planned is None else f"{one.step:,}/{one.planned:,}"


def _loss(one: Listed) -> str:
    return "-" if one.loss is None else f"{one.loss:.4g}"


def _shown(value: Any) -> str:
    return _cut(f"{value:g}" if isinstance(value, float) else str(value))


def _cut(shown: str) -> str:
    return shown if len(shown) <= _WIDEST else shown[: _WIDEST - 1] + "…"
