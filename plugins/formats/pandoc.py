"""Formats that pandoc writes: ``docx``, ``odt``, ``epub`` and ``rst``, all from the same plain page."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dpo_report.core.contract import Format
from dpo_report.core.errors import ReportError
from dpo_report.plugins.formats.html import page_of

if TYPE_CHECKING:
    from dpo_report.core.render import Kit

_PICTURE = re.compile(r'(?<=<img src=")figures/([^"]+)(?=")')
_ANCHOR = re.compile(r'(?<=<li>)<span id="([\w-]+)"></span>')
_NOTES = re.compile(r'<p class="notes">(.*?)</p>', re.DOTALL)
_SMALL = r'<div class="notes" data-custom-style="Notes"><p>\1</p></div>'
_TITLE = re.compile(r"<title>(.*?)</title>.*?<body>", re.DOTALL)
_TIMEOUT = 120


def _docx(kit: Kit) -> dict[str, bytes]:
    """A document for a word processor."""
    from dpo_report.plugins.formats.docx import dressed

    return {"report.docx": dressed(_whole(kit, "docx", "png"))}


def _odt(kit: Kit) -> dict[str, bytes]:
    from dpo_report.plugins.formats.odt import dressed

    return {"report.odt": dressed(_whole(kit, "odt", "png"))}


def _epub(kit: Kit) -> dict[str, bytes]:
    """A book of one chapter: title, text and appendices follow each other as they do on paper."""
    from dpo_report.plugins.formats.epub import dressed

    return {"report.epub": dressed(_whole(kit, "epub", "svg", "--shift-heading-level-by=0", "--epub-title-page=false"))}


def _rst(kit: Kit) -> dict[str, bytes]:
    page = page_of(kit, plain=True, picture="svg")
    return {"report.rst": _mended(pandoc(_ANCHOR.sub(r"⟦\1⟧", page), "rst", "--columns=100")), **kit.figures(("svg",))}


def _mended(text: bytes) -> bytes:
    """Captions on one line, which pandoc breaks; links to places of the text, of which pandoc writes those of HTML."""
    whole = re.sub(r"^(\.\. table:: .+)\n(?=\S)", r"\1 ", text.decode(), flags=re.MULTILINE)
    links = re.sub(r"<#([\w-]+)>`__", r"<\1_>`__", whole)
    return re.sub(r"^- ⟦([\w-]+)⟧", r"- .. _\1:\n\n  ", links, flags=re.MULTILINE).encode()


def _whole(kit: Kit, to: str, picture: str, *options: str) -> bytes:
    """A file with its pictures inside."""
    page = page_of(kit, plain=True, picture=picture)
    if to == "epub":  # a title of its own page would stand there alone
        page = _TITLE.sub(r"\g<0>\n<h1>\1</h1>", page, count=1)
    return pandoc(_with_pictures(_NOTES.sub(_SMALL, page), kit.figures((picture,))), to, *options)


def _with_pictures(page: str, files: Mapping[str, bytes]) -> str:
    def inlined(match: re.Match[str]) -> str:
        kind = "svg+xml" if match[0].endswith(".svg") else "png"
        return f"data:image/{kind};base64,{base64.b64encode(files[match[0]]).decode()}"

    return _PICTURE.sub(inlined, page)


def pandoc(page: str, to: str, *options: str) -> bytes:
    """What pandoc makes of a page. It may read nothing but its input, and twice the same page gives the same bytes.

    Raises:
        ReportError: pandoc is not to be had, or fails.
    """
    try:
        import pypandoc  # type: ignore[import-untyped]

        program = pypandoc.get_pandoc_path()
    except (ImportError, OSError) as error:
        hint = "pip install pypandoc_binary, or leave the format out"
        raise ReportError(f"{to} needs pandoc, which is not to be had ({str(error).splitlines()[0]})", hint) from None
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, f"report.{to}")
        words = [program, "--from=html", f"--to={to}", "--standalone", "--sandbox", "--shift-heading-level-by=-1"]
        words += [f"--output={out}", *options]
        environment = {"SOURCE_DATE_EPOCH": "315532800", **os.environ}  # the first moment that a zip file knows
        try:
            done = subprocess.run(
                words, input=page.encode(), capture_output=True, timeout=_TIMEOUT, env=environment, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ReportError(f"{to}: pandoc failed: {error}") from None
        if done.returncode or not out.is_file():
            lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"]
            raise ReportError(f"{to}: pandoc failed: {lines[0]}")
        return out.read_bytes()


FORMATS = (
    Format("docx", ".docx", _docx, base="html"),
    Format("odt", ".odt", _odt, base="html"),
    Format("epub", ".epub", _epub, base="html"),
    Format("rst", ".rst", _rst, base="html"),
)
