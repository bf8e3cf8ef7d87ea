"""``[facts]`` of a run's ``dpo-report.toml``: what a report needs and no trainer file tells."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dpo_report.core.facts import FILE
from dpo_report.plugins.training.options import toml

LIBRARIES = ("torch", "transformers", "trl", "accelerate", "datasets", "peft", "tokenizers")


def versions() -> dict[str, str]:
    """Versions of the libraries that are installed, and of Python."""
    import platform

    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def read(run: Path) -> dict[str, Any]:
    """The facts that a run already has; empty where there are none or they cannot be read."""
    content = _content(run / FILE)
    facts = content.get("facts", {})
    return dict(facts) if isinstance(facts, dict) else {}


def write(run: Path, facts: Mapping[str, Any]) -> None:
    """Add facts to a run's file, in place of those of the same name; everything else in it stays."""
    path = run / FILE
    content = _content(path)
    kept = content.get("facts", {})
    content["facts"] = {**(kept if isinstance(kept, dict) else {}), **facts}
    lines = ["# Facts about this run, and the author's answers, for dpo-report."]
    for name, table in content.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *_lines(table)]
            for key, inner in table.items():
                if isinstance(inner, dict):
                    lines += ["", f"[{name}.{_key(key)}]", *_lines(inner, deep=True)]
        else:
            lines.insert(1, f"{_key(name)} = {toml(table)}")
    replace(path, "\n".join(lines) + "\n")


def _lines(table: Mapping[str, Any], deep: bool = False) -> list[str]:
    return [
        f"{_key(key)} = {toml(value)}"
        for key, value in table.items()
        if value is not None and (deep or not isinstance(value, dict))
    ]


def _key(name: str) -> str:
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isascii() and plain.isalnum() else toml(name)


def _content(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    other = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        other.write_text(text, encoding="utf-8")
        other.replace(path)
    finally:
        other.unlink(missing_ok=True)
