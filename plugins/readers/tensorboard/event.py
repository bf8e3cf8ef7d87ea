"""One TensorBoard event: its step and the values of its summary, with the bytes where each number stands.

Fields as in TensorFlow's ``event.proto``, ``summary.proto`` and ``tensor.proto``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from dpo_report.plugins.readers.protobuf import BYTES, FIXED32, VARINT, Field, fields, signed, text, varint

_STRING, _BFLOAT16, _HALF = 7, 14, 19
_FORMATS = {1: "<f", 2: "<d", 3: "<i", 4: "<B", 5: "<h", 6: "<b", 9: "<q", 17: "<H", _HALF: "<e", 22: "<I", 23: "<Q"}
"""How the content of a tensor is packed, by its type; valid for :mod:`struct` and for numpy."""
_FIXED_LISTS = {5: "<f", 6: "<d"}
"""Repeated fields of floats and doubles."""
_VARINT_LISTS = frozenset({7, 10, 13, 16, 17})
"""Repeated fields of varints: ints, int64s, halves, unsigned ints."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number of a summary."""

    tag: str
    value: float
    kind: str
    """How its bytes are read: ``<f`` and the like; empty where they are of no fixed format."""
    place: int
    """Where its bytes begin in the record."""


@dataclass(slots=True)
class Event:
    """What one record tells."""

    step: int = 0
    step_at: int = -1
    """Where the step's varint begins in the record; -1 where it is left out, which means 0."""
    wall_at: int = -1
    """Where the wall time's eight bytes begin; -1 where there is none."""
    scalars: list[Scalar] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    """Tag and text."""
    hparams: list[tuple[str, bytes]] = field(default_factory=list)
    """Tag and content of the hyper-parameter plugin's records."""


def parse(data: bytes) -> Event:
    """Read one record.

    Raises:
        Malformed: it is no event.
    """
    event = Event()
    for one in fields(data):
        if one.number == 1 and one.end - one.start == 8:
            event.wall_at = one.start
        elif one.number == 2 and one.kind == VARINT:
            event.step, event.step_at = signed(one.value), one.start
        elif one.number == 5 and one.kind == BYTES:
            for value in fields(data, one.start, one.end):
                if value.number == 1 and value.kind == BYTES:
                    _value(data, value, event)
    return event


def _value(data: bytes, outer: Field, event: Event) -> None:
    """One value of a summary: a tag, perhaps the plugin that it is for, and a number or a tensor."""
    tag, plugin, content = "", "", b""
    simple: Field | None = None
    tensor: Field | None = None
    for one in fields(data, outer.start, outer.end):
        if one.number == 1 and one.kind == BYTES:
            tag = text(data, one)
        elif one.number == 2 and one.kind == FIXED32:
            simple = one
        elif one.number == 8 and one.kind == BYTES:
            tensor = one
        elif one.number == 9 and one.kind == BYTES:
            plugin, content = _plugin(data, one)
    if simple is not None:
        event.scalars.append(_number(data, tag, "<f", simple.start))
    elif plugin == "hparams":
        event.hparams.append((tag, content))
    elif tensor is not None and plugin in ("", "scalars", "text"):
        _tensor(data, tensor, tag, event)


def _plugin(data: bytes, metadata: Field) -> tuple[str, bytes]:
    name, content = "", b""
    for outer in fields(data, metadata.start, metadata.end):
        if outer.number == 1 and outer.kind == BYTES:
            for one in fields(data, outer.start, outer.end):
                if one.number == 1 and one.kind == BYTES:
                    name = text(data, one)
                elif one.number == 2 and one.kind == BYTES:
                    content = data[one.start : one.end]
    return name, content


def _tensor(data: bytes, outer: Field, tag: str, event: Event) -> None:
    """A tensor of one number is a scalar, one of a string a text; anything larger is neither."""
    dtype, found = 0, 0
    number: Scalar | None = None
    for one in fields(data, outer.start, outer.end):
        size = one.end - one.start
        kind = _FORMATS.get(dtype, "") if one.number == 4 else _FIXED_LISTS.get(one.number, "")
        if one.number == 1 and one.kind == VARINT:
            dtype = one.value
        elif dtype == _STRING:
            if one.number == 8 and one.kind == BYTES:
                event.texts.append((tag, text(data, one)))
        elif size and (one.number == 4 or one.number in _FIXED_LISTS or one.number in _VARINT_LISTS):
            found += 1
            if one.number in _VARINT_LISTS:
                number = _varint(data, one, tag, dtype)
            elif kind and size == struct.calcsize(kind):
                number = _number(data, tag, kind, one.start)
            elif dtype == _BFLOAT16 and size == 2:
                number = Scalar(tag, _bfloat16(int.from_bytes(data[one.start : one.end], "little")), "", one.start)
    if number is not None and found == 1:
        event.scalars.append(number)


def _number(data: bytes, tag: str, kind: str, place: int) -> Scalar:
    return Scalar(tag, float(struct.unpack_from(kind, data, place)[0]), kind, place)


def _varint(data: bytes, one: Field, tag: str, dtype: int) -> Scalar | None:
    """A single number written as a varint; None where there are several."""
    value, behind = varint(data, one.start, one.end)
    if behind != one.end:
        return None
    if dtype == _HALF:
        number = float(struct.unpack("<e", struct.pack("<H", value & 0xFFFF))[0])
    else:
        number = _bfloat16(value & 0xFFFF) if dtype == _BFLOAT16 else float(signed(value))
    return Scalar(tag, number, "", one.start)


def _bfloat16(bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits << 16))[0])
