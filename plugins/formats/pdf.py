"""``--format pdf``: set by the Typst inside the package, or by the TeX that is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpo_report.core.contract import Format
from dpo_report.plugins.formats import typst

if TYPE_CHECKING:
    from dpo_report.core.render import Kit


def convert(kit: Kit) -> dict[str, bytes]:
    """The document alone."""
    return {"report.pdf": typst.compiled(typst.convert(kit))}


FORMAT = Format("pdf", ".pdf", convert, base="typst")
