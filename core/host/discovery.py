"""Entry points of a group, read from the installed packages' own files.

``importlib.metadata`` answers the same question, but importing it takes longer than Python takes to start, on
every start. It is still asked where packages may live in something other than plain folders.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_VALUE = re.compile(r"(?P<module>[\w.]+)\s*(?::\s*(?P<attribute>[\w.]+)\s*)?(?:\[.*\]\s*)?$")


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """One line of a package's ``entry_points.txt``."""

    name: str
    """Left of the equals sign."""
    value: str
    """Right of it: ``module`` or ``module:attribute``."""
    distribution: str
    """The installed package, as it calls itself."""
    version: str
    """Its version."""

    def load(self) -> object:
        """Import what it points to.

        Raises:
            ImportError, AttributeError, ValueError: it points nowhere; and whatever the import raises.
        """
        from importlib import import_module

        match = _VALUE.match(self.value)
        if match is None:
            raise ValueError(f"not an entry point: {self.value!r}")
        found: object = import_module(match["module"])
        for attribute in (match["attribute"] or "").split("."):
            found = getattr(found, attribute) if attribute else found
        return found


def entry_points(group: str) -> list[EntryPoint]:
    """All entry points of the group. Of a package that is found twice the first on the path counts."""
    read = _from_folders if _plain(sys.path) else _from_metadata
    return sorted(read(group), key=lambda point: (point.distribution.lower(), point.name))


def _plain(paths: list[str]) -> bool:
    """Whether every package lies in a plain folder, and no import hook brings packages of its own."""
    return not any(path.endswith(".egg") or Path(path).is_file() for path in paths) and not any(
        hasattr(finder, "find_distributions") and getattr(finder, "__name__", "") != "PathFinder"
        for finder in sys.meta_path
    )


def _from_folders(group: str) -> Iterator[EntryPoint]:
    seen: set[str] = set()
    for path in sys.path:
        try:
            with os.scandir(path or ".") as listing:
                found = [entry for entry in listing if entry.name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue
        for entry in found:
            stem = entry.name.rpartition(".")[0]
            package = re.sub(r"[-_.]+", "-", stem.partition("-")[0]).lower()
            if package not in seen:
                seen.add(package)
                yield from _of_package(Path(entry.path), group)


def _of_package(folder: Path, group: str) -> Iterator[EntryPoint]:
    lines = _lines(folder / "entry_points.txt")
    if f"[{group}]" not in lines:
        return
    head: dict[str, str] = {}
    for line in _lines(folder / "METADATA") or _lines(folder / "PKG-INFO"):
        if not line:
            break
        key, _, value = line.partition(":")
        head.setdefault(key.lower(), value.strip())
    section = ""
    for line in lines:
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == group and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield EntryPoint(name.strip(), value.strip(), head.get("name", ""), head.get("version", ""))


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return []


def _from_metadata(group: str) -> Iterator[EntryPoint]:
    from importlib import metadata

    for point in metadata.entry_points(group=group):
        package = point.dist
        yield EntryPoint(point.name, point.value, package.name if package else "", package.version if package else "")
