"""A scene as a PDF page: vectors, text that stays text, and the letters in use embedded as a TrueType font.

Written here (PDF 1.4, ISO 32000-1): importing a drawing library takes longer than making all the rest of a report.
"""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from dpo_report.core.figfont import Font
from dpo_report.core.figscene import Area, Item, Scene, Stroke, Words
from dpo_report.core.figstyle import CORNERS, EDGE

if TYPE_CHECKING:
    from dpo_report.core.figscene import Points

Look = tuple[str, float, str | None, str | None]
"""Shape, size, edge and face of a marker."""


def write(scene: Scene, font: Font, title: str = "") -> bytes:
    """The file. The same scene gives the same bytes; a date stands in it only where SOURCE_DATE_EPOCH tells one."""
    letters = {font.characters.get(ord(c), 0): c for item in scene.items if isinstance(item, Words) for c in item.text}
    program, numbers = font.subset(letters)
    looks: dict[Look, str] = {}
    states: dict[float, str] = {}
    content = ["1 j"]  # round joins
    for item in scene.items:
        content += _drawn(item, looks, states, lambda c: numbers[font.characters.get(ord(c), 0)])
    objects = _Objects()
    resources = [
        f"/Font << /F0 {_font(objects, font, program, {numbers[old]: (old, c) for old, c in letters.items()})} >>"
    ]
    markers = " ".join(f"/{name} {_marker(objects, look)}" for look, name in looks.items())
    opacities = " ".join(f"/{name} << /ca {_n(opacity)} >>" for opacity, name in states.items())
    resources += [f"/XObject << {markers} >>"] if markers else []
    resources += [f"/ExtGState << {opacities} >>"] if opacities else []
    body = objects.stream("\n".join(content).encode("ascii"))
    pages = objects.reserve()
    page = objects.add(
        f"<< /Type /Page /Parent {pages} /MediaBox [0 0 {_n(scene.width)} {_n(scene.height)}] "
        f"/Contents {body} /Resources << {' '.join(resources)} >> >>"
    )
    objects.fill(pages, f"<< /Type /Pages /Kids [{page}] /Count 1 >>")
    root = objects.add(f"<< /Type /Catalog /Pages {pages} >>")
    return objects.file(root, objects.add(_information(title)))


# --- what the page shows ------------------------------------------------------------------------------------------


def _drawn(item: Item, looks: dict[Look, str], states: dict[float, str], glyph: Callable[[str], int]) -> list[str]:
    """The instructions for one item."""
    if isinstance(item, Stroke):
        dash = " ".join(map(_n, item.dash))
        return [f"{_rgb(item.colour)} RG {_n(item.width)} w [{dash}] 0 d {_path(item.points)} S"]
    if isinstance(item, Area):
        state = states.setdefault(item.opacity, f"G{len(states)}")
        return [f"q /{state} gs {_rgb(item.colour)} rg {_path(item.points)} h f Q"]
    if isinstance(item, Words):
        text = "".join(f"{glyph(c):04x}" for c in item.text)
        place = f"{_n(item.x)} {_n(item.y)} Td"
        return [f"BT {_rgb(item.colour)} rg /F0 {_n(item.size)} Tf {place} <{text}> Tj ET"]
    places = [f"{_n(x)} {_n(y)}" for x, y in item.points]
    if item.shape == "circle" and item.edge is None and item.face:  # a line of no length with round ends is a dot
        dots = " ".join(f"{place} m {place} l" for place in places)
        return [f"q 1 J [] 0 d {_rgb(item.face)} RG {_n(item.size)} w {dots} S Q"]
    name = looks.setdefault((item.shape, item.size, item.edge, item.face), f"M{len(looks)}")
    return [f"q 1 0 0 1 {place} cm /{name} Do Q" for place in places]


def _path(points: Points) -> str:
    first, *others = (f"{_n(x)} {_n(y)}" for x, y in points)
    return f"{first} m " + " ".join(f"{place} l" for place in others)


def _marker(objects: _Objects, look: Look) -> str:
    shape, size, edge, face = look
    first, *others = (f"{_n(size * x)} {_n(size * y)}" for x, y in CORNERS[shape])
    colours = (f"{_rgb(edge)} RG {_n(EDGE)} w [] 0 d 1 j " if edge else "") + (f"{_rgb(face)} rg " if face else "")
    paint = {(True, True): "b", (True, False): "s", (False, True): "f", (False, False): "n"}[bool(edge), bool(face)]
    path = f"{first} m " + " ".join(f"{place} l" for place in others)
    box = _n(size + EDGE)
    entries = f"/Type /XObject /Subtype /Form /BBox [-{box} -{box} {box} {box}] "
    return objects.stream(f"{colours}{path} {paint}".encode("ascii"), entries)


def _n(value: float) -> str:
    """A number with at most two decimals: a hundredth of a point is beyond any printer."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _rgb(colour: str) -> str:
    return " ".join(f"{int(colour[at : at + 2], 16) / 255:.3g}" for at in (1, 3, 5))


# --- what it needs ------------------------------------------------------------------------------------------------


def _font(objects: _Objects, font: Font, program: bytes, letters: Mapping[int, tuple[int, str]]) -> str:
    """A composite font whose codes are the glyph numbers of the subset; ``letters``: old number and character."""
    tag = "".join(chr(65 + byte % 26) for byte in hashlib.sha256(program).digest()[:6])
    name, scale = f"/{tag}+{font.name}", 1000 / font.units
    box = " ".join(_n(scale * edge) for edge in font.box)
    file = objects.stream(program, f"/Length1 {len(program)} ")
    descriptor = objects.add(
        f"<< /Type /FontDescriptor /FontName {name} /Flags 4 /FontBBox [{box}] /ItalicAngle 0 /StemV 80 "
        f"/Ascent {_n(scale * font.ascent)} /Descent {_n(scale * font.descent)} /CapHeight 660 /FontFile2 {file} >>"
    )
    widths = " ".join(f"{new} [{_n(scale * font.advance(old))}]" for new, (old, _) in sorted(letters.items()))
    descendant = objects.add(
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont {name} /CIDToGIDMap /Identity /W [{widths}] "
        f"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor {descriptor} >>"
    )
    pairs = [f"<{new:04x}> <{c.encode('utf-16-be').hex()}>" for new, (_, c) in sorted(letters.items())]
    blocks = (pairs[at : at + 100] for at in range(0, len(pairs), 100))  # as many as one block may hold
    mapped = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    to_unicode = objects.stream(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Letters def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <ffff> endcodespacerange\n{mapped}\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end".encode("ascii")
    )
    return objects.add(
        f"<< /Type /Font /Subtype /Type0 /BaseFont {name} /Encoding /Identity-H "
        f"/DescendantFonts [{descendant}] /ToUnicode {to_unicode} >>"
    )


def _information(title: str) -> str:
    told = f"/Title <feff{title.encode('utf-16-be', 'replace').hex()}> " if title else ""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    date = time.strftime("/CreationDate (D:%Y%m%d%H%M%SZ) ", time.gmtime(int(epoch))) if epoch.isdigit() else ""
    return f"<< {told}{date}/Producer (dpo-report) >>"


class _Objects:
    """The numbered objects of a file."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []

    def add(self, body: str | bytes) -> str:
        """Store an object; gives the reference to it."""
        self._bodies.append(body if isinstance(body, bytes) else body.encode("ascii"))
        return f"{len(self._bodies)} 0 R"

    def stream(self, content: bytes, entries: str = "") -> str:
        """Store compressed bytes."""
        packed = zlib.compress(content, 9)
        head = f"<< {entries}/Filter /FlateDecode /Length {len(packed)} >>\nstream\n"
        return self.add(head.encode("ascii") + packed + b"\nendstream")

    def reserve(self) -> str:
        """A reference to an object that is filled later."""
        return self.add("")

    def fill(self, reference: str, body: str) -> None:
        """Fill a reserved object."""
        self._bodies[int(reference.split()[0]) - 1] = body.encode("ascii")

    def file(self, root: str, information: str) -> bytes:
        """Header, objects, the table of their places, and the trailer."""
        out, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
        for number, body in enumerate(self._bodies, 1):
            places.append(len(out))
            out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
        table = "".join(f"{place:010} 00000 n \n" for place in places)
        trailer = f"trailer\n<< /Size {len(places) + 1} /Root {root} /Info {information} >>\n"
        out_table = f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{table}{trailer}startxref\n{len(out)}\n%%EOF\n"
        return bytes(out) + out_table.encode("ascii")
