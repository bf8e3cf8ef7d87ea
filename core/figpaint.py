"""Paints scenes with matplotlib's figure and canvases, without pyplot; and measures words as they will be painted.

A scene is one artist: no axes, ticks and text objects are made, which costs most of the time of a usual figure.
"""

from __future__ import annotations

import io
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpo_report.core.figscene import Area, Marks, Scene, Stroke, Words
from dpo_report.core.figstyle import Style

if TYPE_CHECKING:
    from matplotlib.backend_bases import GraphicsContextBase
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path as Outline

_BUNDLED = {"serif": "STIXGeneral.ttf", "sans": "DejaVuSans.ttf"}
_UNKNOWN = "\N{WHITE SQUARE}"


class Face:
    """A font: which characters it has and how wide they are."""

    def __init__(self, family: str) -> None:
        import matplotlib
        from matplotlib.font_manager import FontProperties, findfont, get_font

        bundled = _BUNDLED.get(family)
        if bundled:
            self.file = str(Path(matplotlib.get_data_path(), "fonts", "ttf", bundled))
        else:
            self.file = str(findfont(FontProperties(family=family)))
        self._known = frozenset(get_font(self.file).get_charmap())
        self._sized: dict[float, FontProperties] = {}
        self._widths: dict[str, float] = {}

    def printable(self, text: str) -> str:
        """The text with a visible stand-in for every character that the font lacks; spaces for line breaks."""
        known = self._known
        one_line = (" " if c.isspace() else c for c in text)
        return "".join(c if ord(c) in known and c.isprintable() else _UNKNOWN for c in one_line)

    def sized(self, size: float) -> FontProperties:
        """The font at a size in points."""
        from matplotlib.font_manager import FontProperties

        if size not in self._sized:
            self._sized[size] = FontProperties(fname=self.file, size=size)
        return self._sized[size]

    def width(self, text: str, size: float) -> float:
        """Width in points of a printable text."""
        from matplotlib.textpath import text_to_path

        if text not in self._widths:
            width, _, _ = text_to_path.get_text_width_height_descent(text, self.sized(100.0), ismath=False)
            self._widths[text] = float(width) / 100.0
        return self._widths[text] * size


@cache
def face(family: str) -> Face:
    """The font of a family, loaded once."""
    return Face(family)


def paint(scene: Scene, kind: str, style: Style, title: str = "") -> bytes:
    """The file of a scene.

    ``kind`` is ``pdf`` (Type 42 fonts, text stays text), ``svg`` (text as outlines) or ``png``. The same scene
    always gives the same bytes: no date unless SOURCE_DATE_EPOCH is set, no random names.
    """
    from matplotlib import rc_context
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

    class Drawing(Artist):  # type: ignore[misc, unused-ignore]
        def draw(self, renderer: Any) -> None:
            _draw(scene, renderer, style, canvas_height(renderer))

    def canvas_height(renderer: Any) -> float:
        return float(figure.bbox.height) if renderer.flipy() else 0.0

    settings: dict[Any, Any] = {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "dpo-report"}
    settings |= {
        "text.usetex": False,
        "pdf.use14corefonts": False,
        "path.simplify": False,
        "path.sketch": None,
    }
    with rc_context(settings):
        figure = Figure(figsize=(scene.width / 72, scene.height / 72), dpi=style.dpi, facecolor="white")
        figure.patch.set_visible(kind == "png")
        figure.add_artist(Drawing())
        out = io.BytesIO()
        _canvas(kind)(figure).print_figure(
            out,
            format=kind,
            dpi=style.dpi,
            facecolor="white",
            bbox_inches=None,
            metadata=_metadata(kind, title),
        )
    return out.getvalue()


def _canvas(kind: str) -> Any:
    if kind == "pdf":
        from matplotlib.backends.backend_pdf import FigureCanvasPdf

        return FigureCanvasPdf
    if kind == "svg":
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        return FigureCanvasSVG
    if kind == "png":
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        return FigureCanvasAgg
    raise ValueError(f"figures are drawn as pdf, svg or png, not as {kind!r}")


def _metadata(kind: str, title: str) -> dict[str, Any]:
    told: dict[str, Any] = {"Title": title} if title else {}
    if kind == "svg":
        return told | {"Date": None}
    if kind == "pdf" and not os.environ.get("SOURCE_DATE_EPOCH"):
        return told | {"CreationDate": None}
    return told


def _draw(scene: Scene, renderer: Any, style: Style, flip: float) -> None:
    """Paint every item. Coordinates become pixels here; widths and dashes stay points, as renderers want them."""
    from matplotlib.colors import to_rgba
    from matplotlib.path import Path as Outline
    from matplotlib.transforms import Affine2D

    scale = renderer.points_to_pixels(1.0)
    pixels, font = Affine2D().scale(scale), face(style.family)
    for item in scene.items:
        pen = renderer.new_gc()
        pen.set_antialiased(True)
        if isinstance(item, Stroke):
            _pen(pen, item.colour, item.width)
            pen.set_dashes(0, list(item.dash) if item.dash else None)
            renderer.draw_path(pen, Outline(item.points), pixels)
        elif isinstance(item, Area):
            pen.set_linewidth(0)
            pen.set_alpha(item.opacity)
            renderer.draw_path(pen, Outline(item.points, closed=False), pixels, to_rgba(item.colour, item.opacity))
        elif isinstance(item, Marks):
            _pen(pen, item.edge or "none", 0.9 if item.edge else 0.0)
            shape, sized = _shape(item.shape), Affine2D().scale(item.size * scale)
            fill = to_rgba(item.face) if item.face else None
            renderer.draw_markers(pen, shape, sized, Outline(item.points), pixels, fill)
        elif isinstance(item, Words):
            _pen(pen, item.colour, 1.0)
            x, y = item.x * scale, item.y * scale
            renderer.draw_text(pen, x, flip - y if flip else y, item.text, font.sized(item.size), 0.0, ismath=False)
        pen.restore()


def _pen(pen: GraphicsContextBase, colour: str, width: float) -> None:
    pen.set_foreground(colour)
    pen.set_linewidth(width)
    pen.set_joinstyle("round")
    pen.set_capstyle("butt")


@cache
def _shape(name: str) -> Outline:
    """A marker one unit wide around the origin."""
    from matplotlib.path import Path as Outline

    if name == "circle":
        return Outline.circle((0.0, 0.0), 0.5)
    corners = {
        "square": [(-0.45, -0.45), (0.45, -0.45), (0.45, 0.45), (-0.45, 0.45)],
        "diamond": [(0.0, -0.62), (0.62, 0.0), (0.0, 0.62), (-0.62, 0.0)],
        "triangle": [(-0.55, -0.42), (0.55, -0.42), (0.0, 0.58)],
        "down": [(-0.55, 0.42), (0.55, 0.42), (0.0, -0.58)],
        "pentagon": [(0.0, 0.55), (0.52, 0.17), (0.32, -0.45), (-0.32, -0.45), (-0.52, 0.17)],
    }[name]
    return Outline([*corners, corners[0]], closed=True)
