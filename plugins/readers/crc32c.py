"""CRC-32C (Castagnoli) of many byte ranges at once.

A CRC without its initial value is linear: it is the XOR of what every byte contributes, and that depends only on the
byte and on its distance from the end. So ranges of equal length are summed column by column, two bytes at a time.
The polynomial is that of RFC 3720, section 12.1; TFRecord's mask is that of TensorFlow's ``core/lib/hash/crc32c.h``.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Words = NDArray[np.uint32]

_POLYNOMIAL = 0x82F63B78
_ONES = np.uint32(0xFFFFFFFF)
_BLOCK = 128
"""Longer ranges are cut into blocks of this many bytes, so that the tables stay small (64 × 256 KiB at most)."""
_BATCH = 1 << 15
"""Blocks summed at a time."""
_FEW = 1024
"""Up to so many ranges are summed in one pass, whatever their lengths."""


def crc32c(data: bytes) -> int:
    """The checksum of one byte string."""
    buffer = np.frombuffer(data, np.uint8)
    return int(crc32c_many(buffer, np.zeros(1, np.int64), np.array([len(data)]))[0])


def masked(crc: Words) -> Words:
    """Checksums as TFRecord stores them: turned by 15 bits, plus a constant."""
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)


def crc32c_many(buffer: Bytes, starts: Ints, lengths: Ints) -> Words:
    """Checksums of the ranges ``buffer[start : start + length]``, shape (n,). The ranges must lie within the buffer."""
    heads = lengths % _BLOCK
    crc = _leading()[heads] ^ _summed(buffer, starts, heads)
    blocks = lengths // _BLOCK
    if blocks.any():
        _append_blocks(crc, buffer, starts + heads, blocks)
    return crc ^ _ONES


def gather(buffer: Bytes, starts: Ints, width: int) -> Bytes:
    """Copies of ``buffer[start : start + width]``, shape (n, width)."""
    if not len(starts) or not width:
        return np.zeros((len(starts), width), np.uint8)
    windows = np.ndarray((len(buffer) - width + 1,), f"V{width}", buffer, 0, (1,))
    return windows[starts].view(np.uint8).reshape(len(starts), width)


def _summed(buffer: Bytes, starts: Ints, lengths: Ints) -> Words:
    """CRCs without initial and final value of ranges of at most one block."""
    first = int(lengths[0]) if len(lengths) else 0
    if (lengths == first).all():
        return _summed_equal(buffer, starts, first)
    if len(starts) <= _FEW:
        return _summed_few(buffer, starts, lengths)
    crc = np.zeros(len(starts), np.uint32)
    order = np.argsort(lengths, kind="stable")
    known, cuts = np.unique(lengths[order], return_index=True)
    for length, part in zip(known.tolist(), np.split(order, cuts[1:]), strict=True):
        crc[part] = _summed_equal(buffer, starts[part], length)
    return crc


def _summed_few(buffer: Bytes, starts: Ints, lengths: Ints) -> Words:
    """The same in one pass for all lengths, as zeros before a range do not change its sum."""
    width, ends = int(lengths.max()), starts + lengths
    rows = gather(np.concatenate([np.zeros(width, np.uint8), buffer[: int(ends.max())]]), ends, width)
    rows[np.arange(width) < width - lengths[:, None]] = 0
    return _summed_equal(rows.ravel(), np.arange(len(starts)) * width, width)


def _summed_equal(buffer: Bytes, starts: Ints, length: int) -> Words:
    crc = np.zeros(len(starts), np.uint32)
    odd = length % 2
    if odd:
        crc ^= _single(length - 1)[buffer[starts]]
    pairs = np.ascontiguousarray(gather(buffer, starts + odd, length - odd).view("<u2").T)
    for place, column in enumerate(pairs):
        crc ^= _pair(length // 2 - 1 - place)[column]
    return crc


def _append_blocks(crc: Words, buffer: Bytes, starts: Ints, blocks: Ints) -> None:
    """Continue every checksum (in place) over its whole blocks: shift by one block, add the block's own sum."""
    offsets = np.concatenate([[0], np.cumsum(blocks)])
    owner = np.repeat(np.arange(len(starts)), blocks)
    places = starts[owner] + (np.arange(len(owner)) - offsets[owner]) * _BLOCK
    sums = np.concatenate(
        [_summed_equal(buffer, places[at : at + _BATCH], _BLOCK) for at in range(0, len(places), _BATCH)]
    )
    low, high = _pair(_BLOCK // 2 - 1), _pair(_BLOCK // 2 - 2)
    active = np.flatnonzero(blocks)
    for number in range(int(blocks.max())):
        active = active[blocks[active] > number]
        value = crc[active]
        crc[active] = low[value & 0xFFFF] ^ high[value >> 16] ^ sums[offsets[active] + number]


@cache
def _single(distance: int) -> Words:
    """What each byte contributes at a distance from the end, shape (256,)."""
    if distance == 0:
        table = np.arange(256, dtype=np.uint32)
        for _ in range(8):
            table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
        return table
    nearer = _single(distance - 1)
    further: Words = (nearer >> 8) ^ _single(0)[nearer & 0xFF]
    return further


@cache
def _pair(place: int) -> Words:
    """What each two bytes contribute, the second at distance ``2 * place``, shape (65536,)."""
    return (_single(2 * place)[:, None] ^ _single(2 * place + 1)[None, :]).ravel()


@cache
def _leading() -> Words:
    """What the initial value becomes after 0 to 127 bytes, shape (128,)."""
    found = [_ONES]
    for _ in range(_BLOCK - 1):
        found.append((found[-1] >> np.uint32(8)) ^ _single(0)[found[-1] & 0xFF])
    return np.array(found, np.uint32)
