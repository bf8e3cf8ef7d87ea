"""``--format pdf``: set by the Typst inside the package, or by the TeX that is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dpo_report.core.contract import Format
from dpo_report.core.dialect import dialect
from dpo_report.core.errors import ReportError
from dpo_report.plugins.formats import latex, typst

if TYPE_CHECKING:
    from dpo_report.core.render import Kit

_TIMEOUT = 180
_SEALED = {"openin_any": "p", "openout_any": "p", "shell_escape": "f"}
"""What keeps TeX from reading or writing outside its folder, and from running anything."""


def convert(kit: Kit) -> dict[str, bytes]:
    """The document alone."""
    if kit.options.get("pdf-engine") == "latex":
        files = latex.convert(replace(kit, dialect=dialect("latex"), cited={}))
        return {"report.pdf": by_latex(files)}
    return {"report.pdf": typst.compiled(typst.convert(kit))}


def by_latex(files: Mapping[str, bytes]) -> bytes:
    """The PDF of a LaTeX report, by latexmk, else by pdflatex alone.

    Raises:
        ReportError: neither is installed, or the document does not compile; with the first error and its place.
    """
    program = shutil.which("latexmk") or shutil.which("pdflatex")
    if program is None:
        raise ReportError(
            "--pdf-engine latex: neither latexmk nor pdflatex is installed", "leave the option out: Typst needs no TeX"
        )
    words = [program, "-interaction=nonstopmode", "-file-line-error", "-no-shell-escape", "report.tex"]
    if Path(program).name == "latexmk":
        words[1:1] = ["-norc", "-pdf"]
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        environment = {"SOURCE_DATE_EPOCH": "315532800", "FORCE_SOURCE_DATE": "1", **os.environ, **_SEALED}
        try:
            for _ in range(1 if "-pdf" in words else 3):  # references, then what they moved
                done = subprocess.run(
                    words, cwd=folder, env=environment, capture_output=True, timeout=_TIMEOUT, check=False
                )
                if done.returncode:
                    break
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ReportError(f"--pdf-engine latex: {Path(program).name} failed: {error}") from None
        made = Path(folder, "report.pdf")
        if done.returncode or not made.is_file():
            told = done.stdout.decode(errors="replace")
            first = re.search(r"^(?:\./)?([^\s:]+\.(?:tex|sty|cls):\d+: .*)$|^! (.*)$", told, re.MULTILINE)
            what = next(filter(None, first.groups()), "") if first else f"exit status {done.returncode}"
            raise ReportError(f"--pdf-engine latex: {what}", "--format latex writes the source")
        return made.read_bytes()


FORMAT = Format("pdf", ".pdf", convert, base="typst")
