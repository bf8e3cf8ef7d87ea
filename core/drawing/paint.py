"""Paints scenes with matplotlib's figure and canvases, without pyplot.

A scene is one artist: no axes, ticks and text objects are made, which cost most of the time of a usual figure.
"""

from __future__ import annotations

import io
import os
from functools import cache
from typing import TYPE_CHECKING, Any

from dpo_report.core.drawing.scene import Area, Item, Marks, Scene, Stroke
from dpo_report.core.drawing.style import CORNERS, EDGE

if TYPE_CHECKING:
    from matplotlib.path import Path

    from dpo_report.core.drawing.face import Face

_SETTINGS: dict[Any, Any] = {
    "pdf.fonttype": 42,
    "ps.fonttype": 42,  # by this the PDF canvas of matplotlib 3.11 decides how many characters one font may hold
    "pdf.use14corefonts": False,
    "pdf.compression": 6,
    "svg.fonttype": "path",
    "svg.hashsalt": "dpo-report",
    "text.hinting": "none",
    "path.simplify": False,
    "path.sketch": None,
    "path.effects": [],
    "agg.path.chunksize": 0,
    "savefig.bbox": None,
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
}
"""What decides on a file's bytes, whatever the user's matplotlibrc says."""


def paint(scene: Scene, face: Face, kind: str, dpi: int, title: str = "") -> bytes:
    """The file of a scene: ``pdf`` (Type 42 fonts, text stays text), ``svg`` (text as outlines) or ``png``.

    The same scene gives the same bytes with the same matplotlib: no date unless SOURCE_DATE_EPOCH tells one, no
    random names.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    canvas = _canvas(kind)
    with rc_context(_SETTINGS):
        figure = Figure(figsize=(scene.width / 72, scene.height / 72), dpi=dpi, facecolor="white")
        figure.add_artist(_artist()(scene, face))
        out = io.BytesIO()
        canvas(figure).print_figure(out, format=kind, dpi=dpi, facecolor="white", metadata=_metadata(kind, title))
    return out.getvalue()


@cache
def _artist() -> Any:
    """The class of a scene as one artist, made once: matplotlib writes documentation for every class of artists."""
    from matplotlib.artist import Artist

    class Drawing(Artist):
        def __init__(self, scene: Scene, face: Face) -> None:
            super().__init__()
            self.scene, self.face = scene, face

        def draw(self, renderer: Any) -> None:
            for item in self.scene.items:
                _draw(item, self.face, renderer, self.scene.height)

    return Drawing


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


def _draw(item: Item, face: Face, renderer: Any, height: float) -> None:
    """Paint one item. Points become pixels here; widths and dashes stay points, as renderers want them."""
    from matplotlib.colors import to_rgba
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D

    scale = renderer.points_to_pixels(1.0)
    pixels, pen = Affine2D().scale(scale), renderer.new_gc()
    pen.set_antialiased(True)
    pen.set_joinstyle("round")
    pen.set_capstyle("butt")
    pen.set_linewidth(0.0)
    if isinstance(item, Stroke):
        pen.set_foreground(item.colour)
        pen.set_linewidth(item.width)
        pen.set_dashes(0, list(item.dash) if item.dash else None)
        renderer.draw_path(pen, Path(item.points), pixels)
    elif isinstance(item, Area):
        renderer.draw_path(pen, Path(item.points), pixels, to_rgba(item.colour, item.opacity))
    elif isinstance(item, Marks):
        if item.edge:
            pen.set_foreground(item.edge)
            pen.set_linewidth(EDGE)
        shape, sized = _shape(item.shape), Affine2D().scale(item.size * scale)
        fill = to_rgba(item.face) if item.face else None
        renderer.draw_markers(pen, shape, sized, Path(item.points), pixels, fill)
    else:
        pen.set_foreground(item.colour)
        y = height - item.y if renderer.flipy() else item.y
        renderer.draw_text(pen, item.x * scale, y * scale, item.text, face.sized(item.size), 0.0, ismath=False)
    pen.restore()


@cache
def _shape(name: str) -> Path:
    """A marker about one unit wide around the origin."""
    from matplotlib.path import Path

    corners = CORNERS.get(name)
    return Path([*corners, corners[0]], closed=True) if corners else Path.circle((0.0, 0.0), 0.5)
