"""One ``.wandb`` file: the run, its configuration, its history and its summary.

Field numbers as in ``wandb_internal.proto``, releases 0.16 to 0.31.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.leveldb import FEWEST, FIRST, at_a_glance
from dpo_report.plugins.readers.protobuf import BYTES, VARINT, Field, Malformed, fields, signed, text
from dpo_report.plugins.readers.recordlogs import Tracker
from dpo_report.plugins.readers.wandb.items import NOTHING, items, number, value

MAGIC = b":W&B"
_HISTORY, _SUMMARY, _CONFIG, _TELEMETRY, _METRIC, _RUN, _EXIT, _HEADER = 2, 3, 5, 11, 12, 17, 18, 21
_DEEPEST = 5
_TYPE = "._type"
"""What later releases log of a picture, a table or a histogram beside its other parts, each under a key of its own."""


@dataclass(slots=True)
class Row:
    """One logged row."""

    record: int
    """Number of its record in the file."""
    step: int
    """W&B's own count."""
    values: dict[str, float]
    """Numbers by key."""


@dataclass(slots=True)
class Store:
    """What one file tells."""

    path: str = ""
    run_id: str = ""
    name: str = ""
    resumed: bool = False
    config: dict[str, tuple[Any, int]] = field(default_factory=dict)
    """Values by key, and the record that told them: those with which the first row was logged."""
    changed: dict[str, int] = field(default_factory=dict)
    """Keys whose values were changed after that, and the record that did it."""
    axes: dict[str, str] = field(default_factory=dict)
    """By the name of a metric, or its pattern (``train/*``), the metric that counts its steps, as the script said."""
    rows: list[Row] = field(default_factory=list)
    summary: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Numbers by key, and the record that told them last."""
    updates: list[tuple[int, bytes, Field]] = field(default_factory=list)
    """Record numbers and messages that change the summary, still to be taken in."""
    broken_updates: int = 0
    exit_code: int | None = None
    """None where the run's end was never written."""
    versions: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read(folder: Folder, entry: Entry, *, ends: bool = False) -> Store:
    """Read a file, or only its first and last records. Never raises for what it holds."""
    read_some = partial(_read, folder, entry)
    return at_a_glance(read_some, _goes_on) if ends else read_some(0)


def _goes_on(store: Store) -> bool:
    """Whether everything that was logged at the beginning is logged at the end, and something for some rows."""
    first = {key for row in store.rows if row.record < FIRST for key in row.values}
    last = {key for row in store.rows if row.record >= FIRST for key in row.values}
    every = Counter(key for row in store.rows for key in row.values)
    return first <= last and max((every[key] for key in first), default=0) >= FEWEST


def _read(folder: Folder, entry: Entry, last: int) -> Store:
    store, problems = _TRACKER.read(folder, entry, last)
    _summarize(store)
    if store.broken_updates:
        problems.append(Problem(entry.path, f"holds {store.broken_updates:,} damaged summaries, left out"))
    if store.changed:
        listed = ", ".join(list(store.changed)[:5]) + (", ..." if len(store.changed) > 5 else "")
        said = f"settings changed after the first row was logged ({listed}); those before it are used"
        problems.append(Problem(entry.path, said))
    return replace(store, path=entry.path, problems=problems)


def _take(store: Store, record: int, data: bytes) -> None:
    """One record.

    Raises:
        Malformed: it is none.
    """
    for one in fields(data):
        if one.kind != BYTES:
            continue
        if one.number == _HISTORY:
            _history(store, record, data, one)
        elif one.number == _SUMMARY:
            store.updates.append((record, data, one))
        elif one.number == _CONFIG:
            _config(store, record, data, one)
        elif one.number == _RUN:
            _run(store, record, data, one)
        elif one.number == _EXIT:
            codes = [
                part.value for part in fields(data, one.start, one.end) if part.number == 1 and part.kind == VARINT
            ]
            store.exit_code = signed(codes[0]) if codes else 0
        elif one.number == _METRIC:
            _metric(store, data, one)
        elif one.number == _HEADER:
            _header(store, data, one)
        elif one.number == _TELEMETRY:
            _telemetry(store, data, one)


def _history(store: Store, record: int, data: bytes, outer: Field) -> None:
    values: dict[str, float] = {}
    found = items(data, outer.start, outer.end)
    media = tuple(key[: -len(_TYPE)] for key, _ in found if key.endswith(_TYPE))
    for key, told in found:
        if media and key.startswith(tuple(f"{one}." for one in media)):
            continue  # a picture's width is no curve
        known = number(told)
        if known is not None:
            values[key] = known
        elif told[:1] == b"{":
            _flatten(key, value(told), values, 0)
    step = values.pop("_step", None)
    if step is None:
        step = 0.0
        for one in fields(data, outer.start, outer.end):
            if one.number == 2 and one.kind == BYTES:
                step = float(next((p.value for p in fields(data, one.start, one.end) if p.number == 1), 0))
    if step == step and abs(step) < 1 << 53:
        store.rows.append(Row(record, int(step), values))


def _flatten(key: str, nested: Any, values: dict[str, float], depth: int) -> None:
    """Numbers in a nested value, under joined keys; media and histograms (``_type``) are none."""
    if not isinstance(nested, dict) or "_type" in nested or depth > _DEEPEST:
        return
    for name, item in nested.items():
        if isinstance(item, dict):
            _flatten(f"{key}.{name}", item, values, depth + 1)
        elif isinstance(item, int | float) and not isinstance(item, bool) and abs(item) < 1 << 1000:
            values[f"{key}.{name}"] = float(item)


def _summarize(store: Store) -> None:
    """The last value of every key, from updates that each repeat what changed; the latest keys stand first."""
    latest: dict[str, tuple[float, int]] = {}
    media: set[str] = set()
    for record, data, one in reversed(store.updates):
        try:
            for key, told in items(data, one.start, one.end):
                if key.endswith(_TYPE):
                    media.add(key[: -len(_TYPE)])
                if key not in latest and (known := number(told)) is not None:
                    latest[key] = (known, record)
        except Malformed:
            store.broken_updates += 1
    store.updates.clear()
    for key, before in store.summary.items():
        latest.setdefault(key, before)
    store.summary = {key: last for key, last in latest.items() if key.rpartition(".")[0] not in media}


def _config(store: Store, record: int, data: bytes, outer: Field) -> None:
    for key, told in items(data, outer.start, outer.end):
        known = value(told)
        if known is NOTHING:
            continue
        if not store.rows or key not in store.config:
            store.config[key] = (known, record)
        elif store.config[key][0] != known and key != "_wandb":
            store.changed[key] = record


def _run(store: Store, record: int, data: bytes, outer: Field) -> None:
    for one in fields(data, outer.start, outer.end):
        if one.number == 1 and one.kind == BYTES:
            store.run_id = text(data, one)
        elif one.number == 4 and one.kind == BYTES:
            _config(store, record, data, one)
        elif one.number == 8 and one.kind == BYTES:
            store.name = text(data, one)
        elif one.number == 18 and one.kind == VARINT:
            store.resumed = bool(one.value)


def _metric(store: Store, data: bytes, outer: Field) -> None:
    parts = {one.number: text(data, one) for one in fields(data, outer.start, outer.end) if one.kind == BYTES}
    name = parts.get(1) or parts.get(2)
    if name and parts.get(4):
        store.axes[name] = parts[4]


def _header(store: Store, data: bytes, outer: Field) -> None:
    for one in fields(data, outer.start, outer.end):
        if one.number == 1 and one.kind == BYTES:
            for part in fields(data, one.start, one.end):
                if part.number == 1 and part.kind == BYTES:
                    store.versions["wandb"] = text(data, part).partition("+")[0]


def _telemetry(store: Store, data: bytes, outer: Field) -> None:
    for one in fields(data, outer.start, outer.end):
        if one.number == 6 and one.kind == BYTES:
            store.versions["transformers"] = text(data, one)
        elif one.number == 4 and one.kind == BYTES:
            store.versions["python"] = text(data, one)
        elif one.number == 5 and one.kind == BYTES:
            store.versions.setdefault("wandb", text(data, one))


def _begun(store: Store) -> bool:
    """Whether the settings are known, as they are when rows are logged, and what is logged."""
    return len(store.rows) > 1


_TRACKER = Tracker("W&B", MAGIC, Store, _take, _begun)
