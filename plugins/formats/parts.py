"""Documents that are zip archives (docx, odt, epub), written again with some of their parts changed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from types import MappingProxyType

_FIRST = (1980, 1, 1, 0, 0, 0)
"""The only date that a part bears, so that the same report is the same bytes."""


def rewritten(
    document: bytes, change: Callable[[str, bytes], bytes], added: Mapping[str, bytes] = MappingProxyType({})
) -> bytes:
    """The document with each part as ``change(name, content)`` gives it, in their order, and more parts behind them."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = change(entry.filename, old.read(entry))
            new.writestr(zipfile.ZipInfo(entry.filename, _FIRST), content, entry.compress_type)
        for name, content in added.items():
            new.writestr(zipfile.ZipInfo(name, _FIRST), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()
