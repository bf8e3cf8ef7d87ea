"""The wire format of protocol buffers, without generated classes: fields of a message, by number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class Malformed(Exception):  # noqa: N818 - told to the reader of the report as a problem of the file
    """The bytes are no message; the text says why, as a part of a sentence."""


class Field(NamedTuple):
    """One field of a message."""

    number: int
    """As in the message's definition."""
    kind: int
    """:data:`VARINT`, :data:`FIXED64`, :data:`BYTES` or :data:`FIXED32`."""
    start: int
    """Where its value begins."""
    end: int
    """Where its value ends."""
    value: int
    """The number of a varint (unsigned, 64 bits); 0 for the other kinds."""


def fields(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """The fields of the message in ``data[start:end]``, in the order in which they stand.

    Raises:
        Malformed: a field reaches beyond the message, or is of an unknown kind.
    """
    end = len(data) if end is None else end
    place = start
    while place < end:
        tag, place = varint(data, place, end)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, behind = varint(data, place, end)
            yield Field(number, kind, place, behind, value)
        elif kind == BYTES:
            length, place = varint(data, place, end)
            behind = place + length
        elif kind in (FIXED64, FIXED32):
            behind = place + (8 if kind == FIXED64 else 4)
        else:
            raise Malformed(f"has a field of the unknown kind {kind}")
        if behind > end or number == 0:
            raise Malformed("has a field that reaches beyond its message" if number else "has a field without a number")
        if kind != VARINT:
            yield Field(number, kind, place, behind, 0)
        place = behind


def varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """A varint and where it ends.

    Raises:
        Malformed: it does not end within ten bytes or within the message.
    """
    if place < end and (byte := data[place]) < 0x80:
        return byte, place + 1  # as nearly always
    value = 0
    for shift in range(_LONGEST_VARINT):
        if place >= end:
            break
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place
    raise Malformed("has a number that does not end")


def signed(value: int) -> int:
    """A varint as a signed 64-bit number."""
    return value - (1 << 64) if value >> 63 else value


def text(data: bytes, field: Field) -> str:
    """A field of bytes as text; what is no UTF-8 is replaced."""
    return data[field.start : field.end].decode("utf-8", "replace")
