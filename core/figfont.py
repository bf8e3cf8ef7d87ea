"""A TrueType font: how wide its words are, how its letters are drawn, and a small copy with only some of them.

Reads the tables of the OpenType specification (version 1.9) that a figure needs: head, hhea, maxp, hmtx, cmap, loca
and glyf. Nothing here depends on matplotlib being imported, only on the fonts that it carries.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path

from dpo_report.core.errors import ReportError

_BUNDLED = {"serif": ("STIXGeneral.ttf", "STIXGeneral"), "sans": ("DejaVuSans.ttf", "DejaVu Sans")}
"""File and name of the fonts that matplotlib carries."""
_UNKNOWN = "\N{WHITE SQUARE}"
_KEPT = ("cvt ", "fpgm", "prep")  # what glyphs' instructions lean on, copied as they are

_WORDS, _XY, _SCALE, _MORE, _XY_SCALE, _TWO_BY_TWO = 0x1, 0x2, 0x8, 0x20, 0x40, 0x80
"""Flags of a part of a composite glyph (OpenType, glyf)."""

Point = tuple[float, float]
Contour = list[tuple[float, float, bool]]
"""Points x, y in font units, and whether each lies on the curve; closed."""
Curve = tuple[Point, list[tuple[Point, Point]]]
"""Where a closed curve starts, and the control point and end of each of its quadratic pieces."""


@cache
def font(family: str) -> Font:
    """The font of a family: ``serif``, ``sans``, or a name that the system knows; read once.

    Raises:
        ReportError: the system has no such TrueType font.
    """
    file, name = _BUNDLED.get(family, ("", family))
    package = find_spec("matplotlib")
    places = package.submodule_search_locations if package else None
    bundled = Path((places or ["."])[0], "mpl-data", "fonts", "ttf", file)
    if file and bundled.is_file():
        return Font(bundled.read_bytes())
    from matplotlib.font_manager import FontProperties, findfont

    try:
        return Font(Path(findfont(FontProperties(family=name), fallback_to_default=False)).read_bytes())
    except (ValueError, KeyError, OSError) as error:
        known = " or ".join(_BUNDLED)
        raise ReportError(f"no TrueType font of the family {family!r} for figures", f"use {known}") from error


class Font:
    """One font file."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        count = struct.unpack_from(">H", content, 4)[0]
        entries = (struct.unpack_from(">4sLLL", content, 12 + 16 * index) for index in range(count))
        self._tables = {tag.decode("latin-1"): (offset, length) for tag, _, offset, length in entries}
        head, hhea = self.table("head"), self.table("hhea")
        self.units: int = struct.unpack_from(">H", head, 18)[0]
        """Font units in one size."""
        self.box: tuple[int, int, int, int] = struct.unpack_from(">4h", head, 36)
        """Of all glyphs together, in font units."""
        self.ascent, self.descent = struct.unpack_from(">2h", hhea, 4)
        self._advances: int = struct.unpack_from(">H", hhea, 34)[0]
        self._glyphs: int = struct.unpack_from(">H", self.table("maxp"), 4)[0]
        self._long: int = struct.unpack_from(">h", head, 50)[0]
        self._widths: dict[str, float] = {}

    @cached_property
    def name(self) -> str:
        """The font's PostScript name."""
        names = self.table("name")
        count, storage = struct.unpack_from(">2H", names, 2)
        for index in range(count):
            platform, _, _, kind, length, offset = struct.unpack_from(">6H", names, 6 + 12 * index)
            if kind == 6:
                told = names[storage + offset : storage + offset + length]
                return re.sub(r"[^\w-]", "", told.decode("utf-16-be" if platform != 1 else "latin-1"), flags=re.ASCII)
        return "Font"

    def table(self, tag: str) -> bytes:
        """One table; KeyError where the font has none of that name."""
        offset, length = self._tables[tag]
        return self._content[offset : offset + length]

    # --- words ------------------------------------------------------------------------------------------------

    @cached_property
    def characters(self) -> Mapping[int, int]:
        """Glyph of each character, by code point (cmap formats 4 and 12)."""
        cmap = self.table("cmap")
        known: dict[int, int] = {}
        for index in range(struct.unpack_from(">H", cmap, 2)[0]):
            platform, _, offset = struct.unpack_from(">HHL", cmap, 4 + 8 * index)
            kind = struct.unpack_from(">H", cmap, offset)[0]
            if platform in (0, 3) and kind == 4:
                known = _segments(cmap[offset:]) | known
            elif platform in (0, 3) and kind == 12:
                groups = struct.unpack_from(">L", cmap, offset + 12)[0]
                for group in range(groups):
                    first, last, glyph = struct.unpack_from(">3L", cmap, offset + 16 + 12 * group)
                    known.update(zip(range(first, last + 1), range(glyph, glyph + last - first + 1), strict=True))
        return {code: glyph for code, glyph in known.items() if glyph}

    def printable(self, text: str) -> str:
        """The text with a visible stand-in for every character that the font lacks; spaces for line breaks."""
        one_line = (" " if c.isspace() else c for c in text)
        return "".join(c if self.characters.get(ord(c)) and c.isprintable() else _UNKNOWN for c in one_line)

    def advance(self, glyph: int) -> int:
        """Width of a glyph with the room around it, in font units."""
        at = self._tables["hmtx"][0]
        width: int = struct.unpack_from(">H", self._content, at + 4 * min(glyph, self._advances - 1))[0]
        return width

    def width(self, text: str, size: float) -> float:
        """Width of a printable text at a size, in the unit of the size."""
        if text not in self._widths:
            self._widths[text] = sum(self.advance(self.characters.get(ord(c), 0)) for c in text) / self.units
        return self._widths[text] * size

    # --- glyphs -----------------------------------------------------------------------------------------------

    def glyph(self, index: int) -> bytes:
        """The description of one glyph; empty for a space."""
        loca, glyf = self._tables["loca"][0], self._tables["glyf"][0]
        if self._long:
            first, last = struct.unpack_from(">2L", self._content, loca + 4 * index)
        else:
            first, last = (2 * half for half in struct.unpack_from(">2H", self._content, loca + 2 * index))
        return self._content[glyf + first : glyf + last]

    def parts(self, content: bytes) -> list[tuple[int, int, tuple[float, ...]]]:
        """The glyphs that a composite one is made of: (place of the index in it, index, (xx, xy, yx, yy, dx, dy))."""
        found: list[tuple[int, int, tuple[float, ...]]] = []
        if not content or struct.unpack_from(">h", content)[0] >= 0:
            return found
        at, more = 10, True
        while more:
            flags, index = struct.unpack_from(">HH", content, at)
            place, at = at + 2, at + 4
            move = struct.unpack_from(">2h" if flags & _WORDS else ">2b", content, at) if flags & _XY else (0, 0)
            at += 4 if flags & _WORDS else 2
            count = 1 if flags & _SCALE else 2 if flags & _XY_SCALE else 4 if flags & _TWO_BY_TWO else 0
            scale = [value / 16384 for value in struct.unpack_from(f">{count}h", content, at)] or [1.0]
            at += 2 * count
            matrix = scale if count == 4 else (scale[0], 0.0, 0.0, scale[-1])
            found.append((place, index, (*matrix, *move)))
            more = bool(flags & _MORE)
        return found

    def curves(self, index: int) -> list[Curve]:
        """The closed curves of a glyph: each a start, then (control, end) of quadratic pieces."""
        return [_pieces(contour) for contour in self._contours(index)]

    def _contours(self, index: int) -> list[Contour]:
        content = self.glyph(index)
        parts = self.parts(content)
        if not parts:
            return _simple(content) if content else []
        return [
            [(xx * x + yx * y + dx, xy * x + yy * y + dy, on) for x, y, on in contour]
            for _, part, (xx, xy, yx, yy, dx, dy) in parts
            for contour in self._contours(part)
        ]

    def subset(self, glyphs: Iterable[int]) -> tuple[bytes, dict[int, int]]:
        """A font file with only these glyphs and those they are made of, and the new number of each."""
        wanted = [0, *sorted(set(glyphs) - {0})]
        for index in wanted:  # grows while it is walked
            wanted += [part for _, part, _ in self.parts(self.glyph(index)) if part not in wanted]
        numbers = {old: new for new, old in enumerate(wanted)}
        glyf, loca, hmtx = bytearray(), [0], bytearray()
        for old in wanted:
            content = bytearray(self.glyph(old))
            for place, part, _ in self.parts(bytes(content)):
                struct.pack_into(">H", content, place, numbers[part])
            glyf += content + bytes(-len(content) % 4)
            loca.append(len(glyf))
            at = self._tables["hmtx"][0]
            side = at + (4 * old + 2 if old < self._advances else 4 * self._advances + 2 * (old - self._advances))
            hmtx += struct.pack(">H", self.advance(old)) + self._content[side : side + 2]
        head, hhea, maxp = (bytearray(self.table(tag)) for tag in ("head", "hhea", "maxp"))
        struct.pack_into(">L", head, 8, 0)
        struct.pack_into(">h", head, 50, 1)
        struct.pack_into(">H", hhea, 34, len(wanted))
        struct.pack_into(">H", maxp, 4, len(wanted))
        tables = {tag: self.table(tag) for tag in _KEPT if tag in self._tables}
        tables |= {"head": bytes(head), "hhea": bytes(hhea), "maxp": bytes(maxp), "hmtx": bytes(hmtx)}
        tables |= {"glyf": bytes(glyf), "loca": struct.pack(f">{len(loca)}L", *loca)}
        return _file(tables), numbers


def _segments(table: bytes) -> dict[int, int]:
    """Characters of a cmap table of format 4."""
    count = struct.unpack_from(">H", table, 6)[0] // 2
    ends, starts, deltas, offsets = (
        struct.unpack_from(f">{count}H", table, 14 + 2 * count * row + (2 if row else 0)) for row in range(4)
    )
    known: dict[int, int] = {}
    for segment, (first, last, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if offset:
                place = 16 + 6 * count + 2 * segment + offset + 2 * (code - first)
                glyph = struct.unpack_from(">H", table, place)[0]
            if glyph or not offset:
                known[code] = (glyph + delta) & 0xFFFF
    return known


def _simple(content: bytes) -> list[Contour]:
    """The contours of a glyph that has its own points."""
    count = struct.unpack_from(">h", content)[0]
    ends = struct.unpack_from(f">{count}H", content, 10)
    at = 10 + 2 * count
    at += 2 + struct.unpack_from(">H", content, at)[0]
    flags: list[int] = []
    while len(flags) <= ends[-1]:
        flag, at = content[at], at + 1
        repeats = 1
        if flag & 0x8:
            repeats, at = 1 + content[at], at + 1
        flags += [flag] * repeats
    columns = []
    for short, same in ((0x2, 0x10), (0x4, 0x20)):
        value, values = 0, []
        for flag in flags:
            if flag & short:
                value, at = value + (content[at] if flag & same else -content[at]), at + 1
            elif not flag & same:
                value, at = value + struct.unpack_from(">h", content, at)[0], at + 2
            values.append(value)
        columns.append(values)
    points = [(float(x), float(y), bool(flag & 1)) for x, y, flag in zip(*columns, flags, strict=False)]
    starts = (0, *(end + 1 for end in ends[:-1]))
    return [points[first : last + 1] for first, last in zip(starts, ends, strict=True)]


def _pieces(contour: Contour) -> Curve:
    """Between two points off the curve lies one on it, half-way; a straight piece has its start as control point."""
    full: Contour = []
    for index, (x, y, on) in enumerate(contour):
        before_x, before_y, before_on = contour[index - 1]
        if not on and not before_on:
            full.append(((x + before_x) / 2, (y + before_y) / 2, True))
        full.append((x, y, on))
    first = next(index for index, point in enumerate(full) if point[2])
    ring = [*full[first:], *full[: first + 1]]
    start = here = (ring[0][0], ring[0][1])
    control: Point | None = None
    pieces: list[tuple[Point, Point]] = []
    for x, y, on in ring[1:]:
        if on:
            pieces.append((control or here, (x, y)))
            here, control = (x, y), None
        else:
            control = (x, y)
    return start, pieces


def _file(tables: Mapping[str, bytes]) -> bytes:
    """A font file of these tables, with their checksums."""
    count = len(tables)
    power = 1 << (count.bit_length() - 1)
    out = bytearray(struct.pack(">LHHHH", 0x10000, count, 16 * power, power.bit_length() - 1, 16 * (count - power)))
    offset, body = 12 + 16 * count, bytearray()
    for tag, content in sorted(tables.items()):
        padded = content + bytes(-len(content) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}L", padded)) & 0xFFFFFFFF
        out += struct.pack(">4sLLL", tag.encode("latin-1"), total, offset + len(body), len(content))
        body += padded
    return bytes(out + body)
