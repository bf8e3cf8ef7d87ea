"""Figures as files: pdf, svg or png."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dpo_report.core.figstyle import Style

if TYPE_CHECKING:
    from dpo_report.core.plot import Figure


def draw(figure: Figure, kind: str = "pdf", style: Style | None = None) -> bytes:
    """One file of a figure; ``kind`` is ``pdf``, ``svg`` or ``png``.

    Raises:
        ReportError: the style's font is not to be had.
    """
    from dpo_report.core import figpdf, figpng, figsvg
    from dpo_report.core.figfont import font
    from dpo_report.core.figlayout import lay_out

    style = style or Style()
    face = font(style.family)
    scene = lay_out(figure, style, face)
    if kind == "pdf":
        return figpdf.write(scene, face, figure.title)
    if kind == "svg":
        return figsvg.write(scene, face, figure.title)
    if kind == "png":
        return figpng.write(scene, face, style.dpi, figure.title)
    raise ValueError(f"figures are drawn as pdf, svg or png, not as {kind!r}")


def draw_all(
    figures: Iterable[Figure], kinds: Sequence[str] = ("pdf",), style: Style | None = None
) -> dict[str, bytes]:
    """Files by name (``loss.pdf``), in order."""
    return {f"{figure.name}.{kind}": draw(figure, kind, style) for figure in figures for kind in kinds}
