"""A scene as PNG, painted by matplotlib's figure and Agg canvas; the only place that imports it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from dpo_report.core.figfont import Font
from dpo_report.core.figscene import Area, Item, Marks, Scene, Stroke, Words
from dpo_report.core.figstyle import CORNERS, EDGE

if TYPE_CHECKING:
    from matplotlib.path import Path


def write(scene: Scene, font: Font, dpi: int, title: str = "") -> bytes:
    """The file. The same scene gives the same bytes with the same matplotlib."""
    from matplotlib import rc_context
    from matplotlib.artist import Artist
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class Drawing(Artist):
        """The whole scene as one artist: no axes, ticks and texts have to be made and measured."""

        def draw(self, renderer: Any) -> None:
            for item in scene.items:
                _draw(item, font, renderer)

    with rc_context({"path.simplify": False, "path.sketch": None}):
        figure = Figure(figsize=(scene.width / 72, scene.height / 72), dpi=dpi, facecolor="white")
        figure.add_artist(Drawing())
        out = io.BytesIO()
        FigureCanvasAgg(figure).print_figure(out, format="png", dpi=dpi, metadata={"Title": title} if title else {})
    return out.getvalue()


def _draw(item: Item, font: Font, renderer: Any) -> None:
    """Paint one item. Points become pixels here; widths and dashes stay points, as renderers want them."""
    from matplotlib.colors import to_rgba
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D

    pixels = Affine2D().scale(renderer.points_to_pixels(1.0))
    pen = renderer.new_gc()
    pen.set_antialiased(True)
    pen.set_joinstyle("round")
    pen.set_linewidth(0)
    if isinstance(item, Stroke):
        pen.set_foreground(item.colour)
        pen.set_linewidth(item.width)
        pen.set_capstyle("butt")
        pen.set_dashes(0, list(item.dash) if item.dash else None)
        renderer.draw_path(pen, Path(item.points), pixels)
    elif isinstance(item, Area):
        renderer.draw_path(pen, Path(item.points), pixels, to_rgba(item.colour, item.opacity))
    elif isinstance(item, Words):
        renderer.draw_path(pen, _letters(item, font), pixels, to_rgba(item.colour))
    elif isinstance(item, Marks):
        if item.edge:
            pen.set_foreground(item.edge)
            pen.set_linewidth(EDGE)
        corners = CORNERS[item.shape]
        shape = Path([*corners, corners[0]], closed=True)
        sized = Affine2D().scale(item.size) + pixels
        renderer.draw_markers(pen, shape, sized, Path(item.points), pixels, to_rgba(item.face) if item.face else None)
    pen.restore()


def _letters(item: Words, font: Font) -> Path:
    from matplotlib.path import Path

    scale, x = item.size / font.units, item.x
    places: list[tuple[float, float]] = []
    codes: list[Any] = []
    for c in item.text:
        glyph = font.characters.get(ord(c), 0)
        for start, pieces in font.curves(glyph):
            ring = [start, *(point for piece in pieces for point in piece), start]
            places += [(x + scale * px, item.y + scale * py) for px, py in ring]
            codes += [Path.MOVETO, *[Path.CURVE3] * (2 * len(pieces)), Path.CLOSEPOLY]
        x += scale * font.advance(glyph)
    return Path(places, codes) if places else Path([(x, item.y)])
