"""One ``.swanlab`` file: LevelDB's log format with JSON records (version 1, to 0.7) or protocol buffers (version 2).

Field numbers as in SwanLab's ``record.proto``, ``run.proto`` and ``data.proto``, release 0.10.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.files import parse_json
from dpo_report.plugins.readers.leveldb import FEWEST, FIRST, at_a_glance
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.protobuf import BYTES, FIXED64, VARINT, Field, Malformed, fields, signed, text
from dpo_report.plugins.readers.recordlogs import Tracker

MAGIC = b":SWL"
_START, _FINISH, _SCALAR = 10, 11, 13
_FINISHED = 1
_LARGEST = 1 << 53
MOST_KEYS = 20_000


@dataclass(slots=True)
class Store:
    """What one file tells."""

    path: str = ""
    name: str = ""
    columns: dict[str, tuple[list[float], list[float], list[int]]] = field(default_factory=dict)
    """Steps, values and record numbers by key."""
    finished: bool | None = None
    """Whether the run ended without an error; None where its end was never written."""
    problems: list[Problem] = field(default_factory=list)

    def point(self, key: str, step: float, value: float, record: int) -> None:
        """Add a point; one whose step is no step is left out."""
        if not abs(step) < _LARGEST:
            return
        column = self.columns.get(key)
        if column is None:
            if len(self.columns) >= MOST_KEYS:
                return
            self.columns[key] = column = ([], [], [])
        column[0].append(step)
        column[1].append(value)
        column[2].append(record)


def read(folder: Folder, entry: Entry, *, ends: bool = False) -> Store:
    """Read a file, or only its first and last records. Never raises for what it holds."""
    read_some = partial(_read, folder, entry)
    return at_a_glance(read_some, _goes_on) if ends else read_some(0)


def _goes_on(store: Store) -> bool:
    """Whether curves begin at the beginning, all of them go on at the end, and one for some points."""
    rows = [records for _, _, records in store.columns.values()]
    begun = [one for one in rows if one[0] < FIRST]
    return all(one[-1] >= FIRST for one in rows) and any(len(one) >= FEWEST for one in begun)


def _read(folder: Folder, entry: Entry, last: int) -> Store:
    store, problems = _TRACKER.read(folder, entry, last)
    return replace(store, path=entry.path, problems=problems)


def _take(store: Store, record: int, data: bytes) -> None:
    """One record.

    Raises:
        Malformed: it is none.
    """
    if data[:1] == b"{":
        _from_json(store, record, parse_json(data))
    else:
        _from_message(store, record, data)


def _from_json(store: Store, record: int, told: Any) -> None:
    """A record of version 1: ``{"model_type": ..., "data": {...}}``.

    Raises:
        Malformed: it is none.
    """
    if not isinstance(told, dict) or not isinstance(told.get("data"), dict):
        raise Malformed("is no record")
    kind, data = told.get("model_type"), told["data"]
    if kind == "Scalar":
        metric, key, step = data.get("metric"), data.get("key"), number(data.get("step"))
        value = number(metric.get("data")) if isinstance(metric, dict) else None
        if isinstance(key, str) and value is not None and step is not None:
            store.point(key, step, value, record)
    elif kind == "Experiment" and isinstance(data.get("name"), str):
        store.name = data["name"]
    elif kind == "Footer":
        store.finished = data.get("success") is True


def _from_message(store: Store, record: int, data: bytes) -> None:
    """A record of version 2.

    Raises:
        Malformed: it is none.
    """
    for one in fields(data):
        if one.kind != BYTES:
            continue
        if one.number == _SCALAR:
            _scalar(store, record, data, one)
        elif one.number == _START:
            names = [
                text(data, part) for part in fields(data, one.start, one.end) if part.number == 4 and part.kind == BYTES
            ]
            store.name = names[0] if names else ""
        elif one.number == _FINISH:
            states = [
                part.value for part in fields(data, one.start, one.end) if part.number == 1 and part.kind == VARINT
            ]
            store.finished = states[:1] == [_FINISHED]


def _scalar(store: Store, record: int, data: bytes, outer: Field) -> None:
    """A scalar's fields that equal zero are left out, as everywhere in this format."""
    key, step, value = "", 0, 0.0
    for one in fields(data, outer.start, outer.end):
        if one.number == 1 and one.kind == BYTES:
            key = text(data, one)
        elif one.number == 2 and one.kind == VARINT:
            step = signed(one.value)
        elif one.number == 5 and one.kind == BYTES:
            for part in fields(data, one.start, one.end):
                if part.number == 1 and part.kind == FIXED64:
                    value = struct.unpack_from("<d", data, part.start)[0]
    store.point(key, float(step), value, record)


def _begun(store: Store) -> bool:
    """Whether a second row has begun, so that the first one tells what is logged."""
    return any(len(steps) > 1 for steps, _, _ in store.columns.values())


_TRACKER = Tracker("SwanLab", MAGIC, Store, _take, _begun)
