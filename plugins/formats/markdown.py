"""``--format markdown``: report.md with its figures, to be read on a code-hosting site."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dpo_report.core.contract import Format

if TYPE_CHECKING:
    from dpo_report.core.render import Kit


def convert(kit: Kit) -> dict[str, bytes]:
    """One Markdown file, and every figure as SVG."""
    text = kit.render("report.md", sections=kit.sections)
    tidy = re.sub(r"[ \t]+$", "", re.sub(r"\n{3,}", "\n\n", text), flags=re.MULTILINE).strip() + "\n"
    return {"report.md": tidy.encode(), **kit.figures(("svg",))}


FORMAT = Format("markdown", ".md", convert, base="markdown")
