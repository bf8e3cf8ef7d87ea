"""The formats of a report, one module each."""

from __future__ import annotations

from dpo_report.core.contract import Format
from dpo_report.core.hookspecs import hookimpl
from dpo_report.plugins.formats import html, json, latex, markdown


@hookimpl
def register_formats() -> tuple[Format, ...]:
    """Every built-in format."""
    return (latex.FORMAT, markdown.FORMAT, html.FORMAT, json.FORMAT)
