"""The user's own settings: ``dpo-report.toml`` in the working folder.

The working folder may be a run directory from elsewhere, so nothing here may run code: plugins can be
switched off in it, never on. Thresholds of rules can be set in it; every report shows which were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpo_report.core.host.guard import problem

if TYPE_CHECKING:
    from dpo_report.core.model import Problem

FILE = "dpo-report.toml"
_LIMIT = 1 << 20
_OF_THE_RUN = ("facts", "answers", "settings", "run")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says."""

    disabled: tuple[str, ...] = ()
    """``[plugins] disable = ["name"]``"""
    thresholds: Any = field(default_factory=dict)
    """``[thresholds]``: whatever stands there; what rules declare is not known here."""
    problems: tuple[Problem, ...] = ()
    """What in the file could not be understood; the rest of it holds."""


def load(folder: Path) -> Settings:
    """Read the settings file of a folder; an absent one is an empty one."""
    path = folder / FILE
    if not path.is_file():
        return Settings()
    import tomllib

    try:
        with path.open("rb") as stream:
            data = stream.read(_LIMIT + 1)
        if len(data) > _LIMIT:
            raise ValueError(f"it is larger than {_LIMIT >> 20} MiB")
        table: Mapping[str, Any] = tomllib.loads(data.decode())
    except (OSError, ValueError, RecursionError) as error:
        return Settings(problems=(problem(FILE, f"cannot be read: {error}", "mend it or remove it"),))
    problems = [
        problem(
            FILE,
            f"unknown table [{name}]",
            "known here: [plugins] and [thresholds]; in a run also [run], [settings], [facts] and [answers]",
        )
        for name in table
        if name not in ("plugins", "thresholds", *_OF_THE_RUN)
    ]
    plugins = table.get("plugins", {})
    names = plugins.get("disable", []) if isinstance(plugins, Mapping) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        problems.append(problem(FILE, "[plugins] disable is not a list of names", 'write disable = ["name"]'))
        names = []
    return Settings(tuple(names), table.get("thresholds", {}), tuple(problems))
