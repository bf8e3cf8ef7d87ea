"""YAML as plain data: values of tagged objects are read, no object is built, bombs are bounded.

Only the parser of PyYAML is used, not its constructors. Scalars follow YAML 1.2 (``no`` and ``12:30`` are text), except
that ``1e-5`` is a number, as whoever wrote it meant.
"""

from __future__ import annotations

import re
from typing import Any

LIMIT = 16 << 20
"""Bytes that are read."""
NODES = 200_000
"""Nodes, those behind aliases counted again at each use."""
DEPTH = 60

_WHOLE = re.compile(r"^[-+]?\d{1,4000}$")
_FLOAT = re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
_NOT_FINITE = {".nan": float("nan"), ".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf")}
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}


class Unreadable(ValueError):  # noqa: N818 - as for pickles
    """The text is no YAML that may be read; the message says why."""


def plain(text: str) -> Any:
    """The first document of a YAML text as None, booleans, numbers, text, lists and mappings with text keys.

    An alias gives the very object of its anchor. ``!!python/name:a.b`` and the like give ``a.b``; binary scalars give
    ``<binary>``.

    >>> plain("lr: 1e-3\\nnet: !!python/object:a.Net {depth: 2}")
    {'lr': 0.001, 'net': {'depth': 2}}

    Raises:
        Unreadable: it is no YAML, or larger than the limits.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(yaml, loader).build(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise Unreadable("is not valid YAML" + (f" (line {mark.line + 1})" if mark else "")) from None
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    except (ValueError, UnicodeError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("is not valid YAML") from None


class _Builder:
    """Plain data from the parser's events."""

    def __init__(self, yaml: Any, loader: Any) -> None:
        self._yaml = yaml
        self._loader = loader
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._count = 0

    def build(self, text: str) -> Any:
        events = iter(self._yaml.parse(text, Loader=self._loader))
        for event in events:
            if isinstance(event, self._yaml.DocumentStartEvent):
                return self._node(next(events), events, 0)
        return None

    def _spend(self, nodes: int) -> None:
        self._count += nodes
        if self._count > NODES:
            raise Unreadable(f"has more than {NODES:,} values (aliases included), not read")

    def _node(self, event: Any, events: Any, depth: int) -> Any:
        yaml = self._yaml
        if depth > DEPTH:
            raise Unreadable("is nested too deeply")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                return None  # an alias of itself, or of nothing
            value, nodes = self._anchors[event.anchor]
            self._spend(nodes)
            return value
        before = self._count
        self._spend(1)
        if isinstance(event, yaml.ScalarEvent):
            value = _tagged(event) if event.tag else (scalar(event.value) if event.implicit[0] else event.value)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = []
            while not isinstance(inner := next(events), yaml.SequenceEndEvent):
                value.append(self._node(inner, events, depth + 1))
        else:
            value = self._mapping(events, depth)
        if event.anchor:
            self._anchors[event.anchor] = (value, self._count - before)
        return value

    def _mapping(self, events: Any, depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        while not isinstance(inner := next(events), self._yaml.MappingEndEvent):
            key = self._node(inner, events, depth + 1)
            item = self._node(next(events), events, depth + 1)
            if key == "<<" and isinstance(item, dict):
                value = {**item, **value}
            else:
                value[key if isinstance(key, str) else _key(key)] = item
        return value


def _key(key: Any) -> str:
    return str(key)[:200] if not isinstance(key, list | dict) else "<key>"


def _tagged(event: Any) -> Any:
    """A scalar with a tag of its own."""
    tag = event.tag
    if tag.endswith(":binary"):
        return "<binary>"
    if tag.startswith("tag:yaml.org,2002:python/") and not event.value:
        return tag.rpartition(":")[2]
    return event.value if tag == "tag:yaml.org,2002:str" else scalar(event.value)


def scalar(text: str) -> Any:
    """A plain scalar's value.

    >>> scalar("1e-5"), scalar("True"), scalar("no"), scalar("~")
    (1e-05, True, 'no', None)
    """
    lower = text.lower()
    if lower in _WORDS:
        return _WORDS[lower]
    if _WHOLE.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return _NOT_FINITE.get(lower, text)
