"""Lists of keys with JSON values, as in W&B's history, summary and configuration records (``wandb_internal.proto``)."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from dpo_report.plugins.readers.protobuf import BYTES, fields

_KEY, _NESTED, _JSON = 1, 2, 16
NOTHING = object()
"""What :func:`value` gives for text that is no JSON."""


def items(data: bytes, start: int, end: int) -> list[tuple[str, bytes]]:
    """Key and JSON text of each item in a message's first field; parts of a nested key are joined by dots.

    Raises:
        Malformed: it is no such message.
    """
    found: list[tuple[str, bytes]] = []
    place = start
    # An item nearly always is one key, or two nested ones, and one value, of less than 128 bytes each.
    while place + 5 < end and data[place] == 0x0A and data[place + 1] < 0x80:
        behind = place + 2 + data[place + 1]
        key = place + 4 + data[place + 3]
        if behind > end or key + 2 >= behind or data[place + 2] not in (0x0A, 0x12) or data[place + 3] >= 0x80:
            break
        name = _text(data[place + 4 : key])
        if data[key] == 0x12 and data[key + 1] < 0x80 and key + 4 + data[key + 1] < behind:
            inner, key = key + 2, key + 2 + data[key + 1]
            name = f"{name}.{_text(data[inner:key])}"
        if data[key] != 0x82 or data[key + 1] != 0x01 or key + 3 + data[key + 2] != behind:
            break
        found.append((name, data[key + 3 : behind]))
        place = behind
    rest = fields(data, place, end)
    found += [_item(data, one.start, one.end) for one in rest if one.number == 1 and one.kind == BYTES]
    return found


@lru_cache(4096)
def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _item(data: bytes, start: int, end: int) -> tuple[str, bytes]:
    keys: list[str] = []
    text = b""
    for one in fields(data, start, end):
        if one.number in (_KEY, _NESTED) and one.kind == BYTES and one.end > one.start:
            keys.append(data[one.start : one.end].decode("utf-8", "replace"))
        elif one.number == _JSON and one.kind == BYTES:
            text = data[one.start : one.end]
    return ".".join(keys), text


def number(text: bytes) -> float | None:
    """A JSON text as a number, NaN and infinities included (also those written as strings); None where it is none."""
    try:
        return float(text)
    except ValueError:
        pass
    if text[:1] == b'"':
        word = text.strip(b'"')
        return float(word) if word in (b"NaN", b"Infinity", b"-Infinity") else None
    return None


def value(text: bytes) -> Any:
    """A JSON text as plain data; :data:`NOTHING` where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return NOTHING
