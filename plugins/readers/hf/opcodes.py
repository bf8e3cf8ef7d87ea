"""The opcodes of a pickle, one by one: the frequent ones decoded here, the others by :mod:`pickletools`."""

from __future__ import annotations

import io
import pickletools
import struct
from collections.abc import Iterator
from typing import Any

_BARE = (
    *("MARK", "NONE", "NEWTRUE", "NEWFALSE", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "SETITEM", "SETITEMS"),
    *("APPEND", "APPENDS", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "MEMOIZE", "REDUCE", "BUILD", "NEWOBJ"),
)
_FIXED = {"BININT1": "<B", "BININT2": "<H", "BININT": "<i", "BINFLOAT": ">d", "BINPUT": "<B", "BINGET": "<B"}
_FIXED |= {"LONG_BINPUT": "<I", "LONG_BINGET": "<I"}
_SIZED = {"BINUNICODE": "<I", "SHORT_BINUNICODE": "<B"}
_BY_NAME = {op.name: ord(op.code) for op in pickletools.opcodes}
_WITHOUT = {_BY_NAME[name]: name for name in _BARE}
_NUMBERS = {_BY_NAME[name]: (name, struct.Struct(form)) for name, form in _FIXED.items()}
_TEXTS = {_BY_NAME[name]: (name, struct.Struct(form)) for name, form in _SIZED.items()}
_OTHERS = {ord(op.code): op for op in pickletools.opcodes}


def opcodes(data: bytes, start: int = 0) -> Iterator[tuple[str, Any, int]]:
    """Name, argument and the index behind each opcode, up to ``STOP``.

    Raises:
        ValueError, LookupError, struct.error: the bytes are no pickle, or end early.
    """
    place = start
    while True:
        code = data[place]
        place += 1
        if code in _TEXTS:
            name, form = _TEXTS[code]
            (size,) = form.unpack_from(data, place)
            place += form.size + size
            if place > len(data):
                raise ValueError("ends in a text")
            yield name, str(data[place - size : place], "utf-8", "surrogatepass"), place
        elif code in _NUMBERS:
            name, form = _NUMBERS[code]
            (value,) = form.unpack_from(data, place)
            place += form.size
            yield name, value, place
        elif code in _WITHOUT:
            yield _WITHOUT[code], None, place
        else:
            op = _OTHERS[code]
            argument = None
            if op.arg is not None:
                stream = io.BytesIO(data)
                stream.seek(place)
                argument = op.arg.reader(stream)
                place = stream.tell()
            yield op.name, argument, place
            if op.name == "STOP":
                return
