"""The measures of a page: those of common venues by convention, so that figures and tables fit their papers unscaled.

No style file of a venue is used or needed. Lengths are in inches, sizes of type in points.
"""

from __future__ import annotations

from dataclasses import dataclass

from dpo_report.core.drawing.style import Style
from dpo_report.core.errors import ReportError


@dataclass(frozen=True, slots=True)
class Look:
    """Page and type of a paper."""

    name: str = "plain"
    """What ``--style`` takes."""
    text: float = 6.75
    """Width of the text."""
    column: float = 3.25
    """Width of a column; in a paper of one column, of a figure that shares the line with another."""
    columns: int = 1
    """Columns of the text."""
    height: float = 9.4
    """Height of the text."""
    size: int = 10
    """Type of the text."""
    caption: float = 9
    """Type of captions."""
    table: float = 9
    """Type of tables."""
    figure: float = 7.5
    """Type of the words in figures."""
    paper: str = "letter"
    """``letter`` or ``a4``."""
    figures: Style | None = None
    """How figures look where somebody chose it apart from the page."""

    @property
    def drawing(self) -> Style:
        """How figures are drawn, so that none is scaled on the page."""
        return self.figures or Style(column=self.column, text=self.text, font=self.figure)

    @property
    def gap(self) -> float:
        """Between two columns, or two figures beside each other."""
        return round(self.text - 2 * self.column, 4)


LOOKS = {
    look.name: look
    for look in (
        Look(),
        Look("neurips", text=5.5, column=2.65, height=9.0, caption=10, figure=7.5),
        Look("iclr", text=5.5, column=2.65, height=9.0, caption=10, figure=7.5),
        Look("icml", columns=2, height=9.0, caption=9),
        Look("acl", text=6.3, column=3.03, columns=2, height=9.7, size=11, caption=10, figure=8, paper="a4"),
        Look("ieee", text=7.16, column=3.5, columns=2, height=9.25, caption=8, table=8, figure=8),
    )
}
"""By name."""


def look_of(style: Look | Style | str | None) -> Look:
    """The look of a name; of figures alone, on a plain page.

    Raises:
        ReportError: no look has the name.
    """
    if isinstance(style, Look):
        return style
    if isinstance(style, Style):
        return Look(figures=style)
    if style is not None and style not in LOOKS:
        from dpo_report.core.host.candidates import resembling

        raise ReportError(f"unknown style {style!r}", resembling(style.lower(), LOOKS) or f"one of {', '.join(LOOKS)}")
    return LOOKS[style or "plain"]
