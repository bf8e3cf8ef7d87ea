"""A scene as SVG: words are outlines, so that they look the same, and fit, where the font is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from dpo_report.core.figfont import Font
from dpo_report.core.figscene import Area, Item, Scene, Stroke, Words
from dpo_report.core.figstyle import CORNERS, EDGE

if TYPE_CHECKING:
    from dpo_report.core.figscene import Points

_LETTER = "#letter-"


def write(scene: Scene, font: Font, title: str = "") -> bytes:
    """The file. The same scene gives the same bytes."""
    width, height = _n(scene.width), _n(scene.height)
    letters = sorted(
        {font.characters.get(ord(c), 0) for item in scene.items if isinstance(item, Words) for c in item.text}
    )
    body = [_drawn(item, font) for item in scene.items]
    prefix = "f" + hashlib.sha256("".join(body).encode()).hexdigest()[:8]  # so that figures of one page do not mix
    named = f'role="img" aria-label="{escape(title)}"' if title else 'role="img"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
    lines = [
        f'{head}viewBox="0 0 {width} {height}" {named}>',
        *([f"<title>{escape(title)}</title>"] if title else []),
        "<defs>",
        *(f'<path id="{prefix}-{glyph}" d="{_outline(font, glyph)}"/>' for glyph in letters),
        "</defs>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<g transform="matrix(1 0 0 -1 0 {height})" fill="none" stroke-linejoin="round">',
        *(line.replace(_LETTER, f"#{prefix}-") for line in body),
        "</g>",
        "</svg>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _drawn(item: Item, font: Font) -> str:
    if isinstance(item, Stroke):
        dash = f' stroke-dasharray="{" ".join(map(_n, item.dash))}"' if item.dash else ""
        return f'<path d="{_path(item.points)}" stroke="{item.colour}" stroke-width="{_n(item.width)}"{dash}/>'
    if isinstance(item, Area):
        return f'<path d="{_path(item.points)}Z" fill="{item.colour}" fill-opacity="{_n(item.opacity)}"/>'
    if isinstance(item, Words):
        return _word(item, font)
    if item.shape == "circle" and item.edge is None:  # a line of no length with round ends is a dot
        dots = "".join(f"M{_n(x)} {_n(y)}h0" for x, y in item.points)
        return f'<path d="{dots}" stroke="{item.face}" stroke-width="{_n(item.size)}" stroke-linecap="round"/>'
    corners = CORNERS[item.shape]
    shapes = (_path((x + item.size * dx, y + item.size * dy) for dx, dy in corners) for x, y in item.points)
    edge = f' stroke="{item.edge}" stroke-width="{EDGE}"' if item.edge else ""
    return f'<path d="{"Z".join(shapes)}Z" fill="{item.face or "none"}"{edge}/>'


def _word(item: Words, font: Font) -> str:
    """The letters of a word side by side, in font units; the word itself as its title."""
    x, letters = 0, []
    for c in item.text:
        glyph = font.characters.get(ord(c), 0)
        letters.append(f'<use href="{_LETTER}{glyph}" x="{x}"/>')
        x += font.advance(glyph)
    scale = f"{item.size / font.units:.6g}"
    place = f"matrix({scale} 0 0 {scale} {_n(item.x)} {_n(item.y)})"
    return f'<g transform="{place}" fill="{item.colour}"><title>{escape(item.text)}</title>{"".join(letters)}</g>'


def _outline(font: Font, glyph: int) -> str:
    return "".join(
        f"M{_n(x)} {_n(y)}" + "".join(f"Q{_n(cx)} {_n(cy)} {_n(ex)} {_n(ey)}" for (cx, cy), (ex, ey) in pieces) + "Z"
        for (x, y), pieces in font.curves(glyph)
    )


def _path(points: Points | Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _n(value: float) -> str:
    """A number with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
