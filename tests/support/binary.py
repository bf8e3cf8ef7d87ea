"""Writers of the binary formats that the readers read: protocol buffers, TFRecord and LevelDB's log."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable


def crc32c(data: bytes) -> int:
    """CRC-32C bit by bit, as its definition has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def varint(value: int) -> bytes:
    """A number as protocol buffers write it."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: bytes | str | int | float) -> bytes:
    """A field: bytes and text with their length, whole numbers as varints, floats as doubles."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def scalar(tag: str, step: int, value: float, time: float = 1.7e9) -> bytes:
    """A TensorBoard event with one simple value."""
    simple = varint(2 << 3 | 5) + struct.pack("<f", value)
    return field(1, time) + (field(2, step) if step else b"") + field(5, field(1, field(1, tag) + simple))


def tfrecord(data: bytes) -> bytes:
    """A record with both checksums."""
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def event_file(events: Iterable[bytes]) -> bytes:
    """An event file: the version, then the events."""
    return b"".join(map(tfrecord, [field(1, 1.7e9) + field(3, "brain.Event:2"), *events]))


def leveldb(header: bytes, records: Iterable[bytes]) -> bytes:
    """Records in blocks of 32 KiB, with zlib's CRC-32, behind a header of seven bytes."""
    out = bytearray(header)
    for record in records:
        rest, first = record, True
        while first or rest:
            left = 32768 - len(out) % 32768
            if left < 7:
                out += bytes(left)
                continue
            part, rest = rest[: left - 7], rest[left - 7 :]
            kind = {(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}[first, not rest]
            out += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            first = False
    return bytes(out)
