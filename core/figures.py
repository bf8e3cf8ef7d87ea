"""Figures as files: pdf, svg or png."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dpo_report.core.drawing.style import Style

if TYPE_CHECKING:
    from dpo_report.core.plot import Figure


def draw(figure: Figure, kind: str = "pdf", style: Style | None = None) -> bytes:
    """One file of a figure; ``kind`` is ``pdf``, ``svg`` or ``png``.

    Raises:
        ReportError: the style's font is not to be had.
    """
    (content,) = draw_all([figure], (kind,), style).values()
    return content


def draw_all(
    figures: Iterable[Figure], kinds: Sequence[str] = ("pdf",), style: Style | None = None
) -> dict[str, bytes]:
    """Files by name (``loss.pdf``), in order; raises as :func:`draw`."""
    from dpo_report.core.drawing.face import face
    from dpo_report.core.drawing.layout import lay_out
    from dpo_report.core.drawing.paint import paint

    style = style or Style()
    files: dict[str, bytes] = {}
    for figure in figures:
        font = face(style.family)
        scene = lay_out(figure, style, font)
        files |= {f"{figure.name}.{kind}": paint(scene, font, kind, style.dpi, figure.title) for kind in kinds}
    return files
