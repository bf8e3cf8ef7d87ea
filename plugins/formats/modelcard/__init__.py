"""``--format modelcard``: README.md as model hubs read it; with ``--in-place`` merged into the run's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dpo_report.core.contract import Format
from dpo_report.plugins.formats.modelcard.merging import merged, whole
from dpo_report.plugins.formats.modelcard.metadata import metadata

if TYPE_CHECKING:
    from dpo_report.core.render import Kit


def convert(kit: Kit) -> dict[str, bytes]:
    """The card alone."""
    return {"README.md": whole(metadata(kit), _body(kit, f"# {kit.typeset(kit.analysis.run.name)}"))}


def merge(kit: Kit, standing: bytes | None) -> bytes:
    """The run's own card with ours in it."""
    body = _body(kit, f"# Training report: {kit.typeset(kit.analysis.run.name)}")
    below = re.sub(r"^#", "##", body, flags=re.MULTILINE)  # the first heading of all is the author's
    return merged(standing or b"", metadata(kit), below)


def _body(kit: Kit, title: str) -> str:
    text = f"{title}\n\n{kit.render('card.md', sections=kit.sections)}"
    return re.sub(r"[ \t]+$", "", re.sub(r"\n{3,}", "\n\n", text), flags=re.MULTILINE).strip()


FORMAT = Format("modelcard", ".md", convert, base="markdown", merge=merge, main="README.md")
