"""The opcodes of a pickle, one by one: the frequent ones decoded here, the others by :mod:`pickletools`."""

from __future__ import annotations

import io
import pickletools
import struct
from typing import Any

_BARE = (
    *("MARK", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "SETITEM", "SETITEMS"),
    *("APPEND", "APPENDS", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "MEMOIZE", "REDUCE", "BUILD", "NEWOBJ"),
)
_FIXED = {"BININT1": "<B", "BININT2": "<H", "BININT": "<i", "BINFLOAT": ">d", "BINPUT": "<B", "BINGET": "<B"}
_FIXED |= {"LONG_BINPUT": "<I", "LONG_BINGET": "<I"}
_SIZED = {"BINUNICODE": "<I", "SHORT_BINUNICODE": "<B"}
CODES = {op.name: ord(op.code) for op in pickletools.opcodes}
"""The byte of each opcode, by name."""
_WITHOUT = {CODES[name]: name for name in _BARE}
_NUMBERS = {CODES[name]: (name, struct.Struct(form)) for name, form in _FIXED.items()}
_TEXTS = {CODES[name]: (name, struct.Struct(form)) for name, form in _SIZED.items()}
_OTHERS = {ord(op.code): op for op in pickletools.opcodes}


def opcode(data: bytes, place: int) -> tuple[str, Any, int]:
    """Name and argument of the opcode at ``place``, and the index behind it.

    Raises:
        ValueError, LookupError, struct.error: the bytes are no pickle, or end early.
    """
    code = data[place]
    place += 1
    if code in _WITHOUT:
        return _WITHOUT[code], None, place
    if code in _NUMBERS:
        name, form = _NUMBERS[code]
        (value,) = form.unpack_from(data, place)
        return name, value, place + form.size
    if code in _TEXTS:
        name, form = _TEXTS[code]
        (size,) = form.unpack_from(data, place)
        start = place + form.size
        return name, text_at(data, start, start + size), start + size
    op = _OTHERS[code]
    argument = None
    if op.arg is not None:
        stream = io.BytesIO(data)
        stream.seek(place)
        argument = op.arg.reader(stream)
        place = stream.tell()
    return op.name, argument, place


def text_at(data: bytes, start: int, end: int) -> str:
    """The text between two places, as pickles write it.

    Raises:
        ValueError: the bytes end before it, or are no UTF-8.
    """
    if end > len(data):
        raise ValueError("ends in a text")
    return str(data[start:end], "utf-8", "surrogatepass")
