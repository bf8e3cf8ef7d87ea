"""``--format typst``: the source of a document; ``--format pdf``: the document, set by the Typst inside the package."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dpo_report.core.contract import Format
from dpo_report.core.errors import ReportError
from dpo_report.core.typst import quoted

if TYPE_CHECKING:
    from dpo_report.core.render import Kit


def convert(kit: Kit) -> dict[str, bytes]:
    """One file of source, and every figure as PDF."""
    from markupsafe import Markup

    def literal(text: str) -> Markup:
        """A string where code stands, not text."""
        return Markup(quoted(text))

    text = kit.render("report.typ", sections=kit.sections, literal=literal)
    tidy = re.sub(r"[ \t]+$", "", re.sub(r"\n{3,}", "\n\n", text), flags=re.MULTILINE).strip() + "\n"
    return {"report.typ": tidy.encode(), **kit.figures(("pdf",))}


def compiled(files: Mapping[str, bytes]) -> bytes:
    """The PDF of a document and its figures. Nothing outside them is read, no font of the machine used.

    Raises:
        ReportError: a template of the user's is no Typst; names the place.
    """
    import typst

    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        try:
            made = typst.compile(
                str(Path(folder, "report.typ")), root=folder, ignore_system_fonts=True, format="pdf", timestamp=0
            )
        except typst.TypstError as error:
            told = " ".join(str(error.diagnostic or error).replace(folder, "").split())
            raise ReportError(f"pdf: typst says {told[:400]}", "--format typst writes the source") from None
    assert isinstance(made, bytes)
    return made


FORMAT = Format("typst", ".typ", convert, base="typst")
