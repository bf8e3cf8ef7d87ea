"""The formats of a report, one module each."""

from __future__ import annotations

from dpo_report.core.contract import Format
from dpo_report.core.hookspecs import hookimpl


@hookimpl
def register_formats() -> tuple[Format, ...]:
    """Every built-in format."""
    from dpo_report.plugins.formats import html, json, latex, markdown, modelcard, pandoc, pdf, typst

    return (
        latex.FORMAT,
        markdown.FORMAT,
        html.FORMAT,
        pdf.FORMAT,
        *pandoc.FORMATS,
        typst.FORMAT,
        modelcard.FORMAT,
        json.FORMAT,
    )
