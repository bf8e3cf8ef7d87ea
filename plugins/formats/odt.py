"""How an OpenDocument text looks: pandoc's, with one family of type, smaller captions, ruled tables that stay whole."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dpo_report.plugins.formats.docx import WHOLE
from dpo_report.plugins.formats.parts import rewritten

_WIDEST = 468.0
"""Points of a line of text: pictures are not wider."""
_RULES = 'fo:border-top="1pt solid #000000" fo:border-bottom="0.5pt solid #000000"'
_CELLS = {
    "TableHeaderRowCell": f'{_RULES} fo:padding="0.02in"',
    "TableRowCell": 'fo:border="none" fo:padding="0.015in"',
}
_NEW = """<style:style style:name="Title" style:family="paragraph" style:parent-style-name="Heading">
<style:paragraph-properties fo:margin-top="0in" fo:margin-bottom="0.04in" />
<style:text-properties fo:font-size="18pt" fo:font-weight="bold" /></style:style>
<style:style style:name="Notes" style:family="paragraph" style:parent-style-name="Text_20_body">
<style:paragraph-properties fo:keep-together="always" fo:margin-bottom="0.12in" />
<style:text-properties fo:font-size="8.5pt" /></style:style>
"""
"""Styles of the title and of notes, which pandoc names but leaves to the word processor."""
_LAST = '<style:style style:name="TableLastRowCell" style:family="table-cell"><style:table-cell-properties ' + (
    'fo:border-top="none" fo:border-left="none" fo:border-right="none" fo:border-bottom="1pt solid #000000" '
    'fo:padding="0.015in" /></style:style>'
)
_ROW = '<style:style style:name="Row" style:family="table-row">' + (
    '<style:table-row-properties fo:keep-together="always" /></style:style>'
)
_STYLES: Mapping[str, tuple[str, str]] = {
    "Standard": ("", 'fo:font-size="10.5pt"'),
    "Text_20_body": ('fo:margin-top="0.04in" fo:margin-bottom="0.07in" fo:line-height="110%"', ""),
    "Heading": ("", 'style:font-name="Liberation Serif"'),
    "Heading_20_1": ('fo:margin-top="0.22in" fo:margin-bottom="0.06in"', 'fo:font-size="14pt"'),
    "Heading_20_2": (
        'fo:margin-top="0.14in" fo:margin-bottom="0.04in"',
        'fo:font-size="11.5pt" fo:font-style="normal"',
    ),
    "Heading_20_3": ("", 'fo:font-size="10.5pt"'),
    "Source_Text": ("", 'fo:font-size="9pt"'),
    "Caption": ("", 'fo:font-size="9pt" fo:font-style="normal"'),
    "TableCaption": (
        'fo:keep-with-next="always" fo:margin-top="0.15in" fo:margin-bottom="0.05in"',
        'fo:font-size="9pt" fo:font-style="normal"',
    ),
    "FigureWithCaption": ('fo:margin-top="0.15in"', ""),
    "FigureCaption": (
        'fo:keep-together="always" fo:margin-bottom="0.15in"',
        'fo:font-size="9pt" fo:font-style="normal"',
    ),
    "Table_20_Contents": ("", 'fo:font-size="9pt"'),
}
"""Properties of paragraphs and of their letters, set over those that a style has."""


def dressed(document: bytes) -> bytes:
    """The document with our styles; its text and its other parts as they are."""
    return rewritten(document, _changed)


def _changed(name: str, content: bytes) -> bytes:
    if name == "content.xml":
        return _pictures(_tables(content.decode())).encode()
    return _styled(content.decode()).encode() if name == "styles.xml" else content


def _tables(text: str) -> str:
    """Rules at a table's head, and no page break inside a table that fits on a page."""
    for name, properties in _CELLS.items():
        text = re.sub(
            rf'(style:name="{name}"[^>]*>\s*<style:table-cell-properties) [^>]*/>', rf"\1 {properties} />", text
        )
    named = re.compile(r'(style:name="(P\d+)"[^>]*style:parent-style-name=)"(P\d+)"')
    parents = dict(re.findall(r'style:name="(P\d+)"[^>]*style:parent-style-name="([^"]+)"', text))
    while named.search(text):  # a style of the document itself is no parent that word processors know
        text = named.sub(lambda found: f'{found[1]}"{parents[found[3]]}"', text)
    text = text.replace("</office:automatic-styles>", f"{_ROW}{_LAST}</office:automatic-styles>", 1)
    text = text.replace('table:align="center"', 'table:align="left"')
    text = text.replace("<table:table-row>", '<table:table-row table:style-name="Row">')
    for table in re.finditer(r'<table:table table:name="(\w+)".*?</table:table>', text, re.DOTALL):
        start = table[0].rindex("<table:table-row ")
        text = text.replace(
            table[0], table[0][:start] + table[0][start:].replace('"TableRowCell"', '"TableLastRowCell"')
        )
        if table[0].count("<table:table-row ") <= WHOLE:
            style = rf'(<style:style style:name="{table[1]}" style:family="table">\s*<style:table-properties)'
            text = re.sub(style, r'\1 style:may-break-between-rows="false"', text)
    return text


def _pictures(text: str) -> str:
    """No picture wider than the text."""

    def fitted(found: re.Match[str]) -> str:
        width, height = float(found[1]), float(found[2])
        scale = min(1.0, _WIDEST / width)
        return f'svg:width="{width * scale:.2f}pt" svg:height="{height * scale:.2f}pt"'

    return re.sub(r'svg:width="([\d.]+)pt" svg:height="([\d.]+)pt"', fitted, text)


def _styled(text: str) -> str:
    text = text.replace("</office:styles>", f"{_NEW}</office:styles>", 1)
    for name, (paragraph, letters) in _STYLES.items():
        wanted = rf'(<style:style\b[^>]*style:name="{name}"[^>]*?)(?:/>|>(.*?)</style:style>)'
        found = re.search(wanted, text, re.DOTALL)
        if found:
            text = text[: found.start()] + _with(found, paragraph, letters) + text[found.end() :]
    return text


def _with(found: re.Match[str], paragraph: str, letters: str) -> str:
    """A style with some properties changed."""
    inside = found[2] or ""
    for kind, changed in (("paragraph", paragraph), ("text", letters)):
        tag = f"style:{kind}-properties"
        old = re.search(rf"<{tag}\b([^>]*?)/>", inside)
        kept = dict(re.findall(r'([\w:-]+)="([^"]*)"', old[1] if old else ""))
        kept |= dict(re.findall(r'([\w:-]+)="([^"]*)"', changed))
        written = f"<{tag} " + " ".join(f'{key}="{value}"' for key, value in kept.items()) + " />" if kept else ""
        inside = inside.replace(old[0], written) if old else inside + written
    return f"{found[1]}>{inside}</style:style>"
