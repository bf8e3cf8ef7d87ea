"""Settings from configuration files of any shape: nested mappings flattened, secrets hidden, sizes bounded."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Setting, Source
from dpo_report.plugins.readers.files import load_json
from dpo_report.plugins.readers.hf.state import LFS_HINT, LFS_PROBLEM, is_pointer
from dpo_report.plugins.readers.safeyaml import LIMIT, Unreadable, plain, scalar

MOST = 1000
"""Settings that are kept of one file."""
DEPTH = 4
LIST = 100
TEXT = 1000
_SECRET = re.compile(r"(?:^|[_\-.])(?:token|secret|password|passwd|(?:api|access|private)_?key|auth)$", re.IGNORECASE)
_WORDS = re.compile(r"(?:^|[_.])(?:pad|bos|eos|unk|sep|cls|mask|image|video|start|end|stop)_token$", re.IGNORECASE)
"""Tokens of a vocabulary, which are no secrets."""
_NAMES_ITSELF = re.compile(r"^<[A-Z_]+>$")
"""transformers writes ``<HUB_TOKEN>`` for whatever ``hub_token`` is, which tells nothing."""
_HIDDEN = "<secret, not shown>"


def flatten(value: Mapping[str, Any], file: str, where: str = "", depth: int = DEPTH) -> dict[str, Setting]:
    """Settings of a mapping; nested names are joined by dots, ``depth`` levels deep. Long lists and texts are cut.

    >>> sorted(flatten({"lr": 1e-3, "optim": {"name": "adam"}}, "a.yaml"))
    ['lr', 'optim.name']
    """
    found: dict[str, Setting] = {}
    for name, item in _leaves(value, "", depth):
        if len(found) >= MOST:
            break
        if isinstance(item, str) and _NAMES_ITSELF.match(item) and item[1:-1] == name.rpartition(".")[2].upper():
            continue
        secret = item and isinstance(item, str) and _SECRET.search(name) and not _WORDS.search(name)
        shown = _HIDDEN if secret else item
        found[name] = Setting(name, shown, Source(file, f"{where}{name}"))
    return found


def also_named(settings: Mapping[str, Setting], names: Mapping[str, str]) -> dict[str, Setting]:
    """Settings with those that a program names otherwise also under the names that they have elsewhere."""
    others = {name: replace(settings[own], name=name) for own, name in names.items() if own in settings}
    return {**others, **settings}


def _leaves(value: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        name = f"{prefix}{key}"[:200]
        if isinstance(item, Mapping) and item:
            if depth > 0:
                yield from _leaves(item, f"{name}.", depth - 1)
        elif isinstance(item, list | tuple):
            yield name, [_short(one) for one in item[:LIST] if not isinstance(one, list | dict)]
        else:
            yield name, {} if isinstance(item, Mapping) else _short(item)


def _short(item: Any) -> Any:
    return item if not isinstance(item, str) or len(item) <= TEXT else item[:TEXT] + "..."


def read_yaml(folder: Folder, entry: Entry, problems: list[Problem]) -> dict[str, Any]:
    """A YAML file's mapping; empty, with a problem, where there is none."""
    if entry.size > LIMIT:
        problems.append(Problem(entry.path, f"is larger than {LIMIT >> 20} MiB, not read"))
        return {}
    try:
        data = folder.read(entry, LIMIT)
    except OSError as error:
        problems.append(Problem(entry.path, f"cannot be read ({error.strerror or type(error).__name__})"))
        return {}
    if is_pointer(data):
        problems.append(Problem(entry.path, LFS_PROBLEM, LFS_HINT))
        return {}
    try:
        value = plain(data.decode("utf-8-sig", "replace"))
    except Unreadable as error:
        problems.append(Problem(entry.path, str(error)))
        return {}
    if not isinstance(value, dict):
        if value is not None:
            problems.append(Problem(entry.path, "holds no mapping of settings"))
        return {}
    return value


def from_yaml(folder: Folder, entry: Entry, problems: list[Problem], depth: int = DEPTH) -> dict[str, Setting]:
    """Settings of a YAML file, ``depth`` levels deep."""
    return flatten(read_yaml(folder, entry, problems), entry.path, depth=depth)


def from_json(folder: Folder, entry: Entry, problems: list[Problem]) -> dict[str, Setting]:
    """Settings of a JSON file."""
    return flatten(load_json(folder, entry, problems) or {}, entry.path)


def from_text(text: str) -> Any:
    """The value that a tracker stored as text: ``True``, ``None``, numbers, lists.

    >>> from_text("['a', 1]"), from_text("None"), from_text("5e-06"), from_text("sigmoid")
    (['a', 1], None, 5e-06, 'sigmoid')
    """
    if text == "None":
        return None
    if text[:1] in "[{(" and len(text) <= TEXT:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return text
        return list(value) if isinstance(value, tuple) else value
    return scalar(text) if text else text
