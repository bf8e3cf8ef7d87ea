"""How a word processor's document looks: pandoc's styles made into those of a paper."""

from __future__ import annotations

import io
from collections.abc import Mapping
from xml.etree import ElementTree

from dpo_report.plugins.formats.parts import rewritten

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_INK = "1A1A1A"
WHOLE = 24
"""Rows of a table that is kept on one page; a longer one would leave too much of the page before it empty."""

_RUN: Mapping[str, Mapping[str, str | None]] = {
    "Title": {"sz": "36", "b": "", "color": _INK},
    "Heading1": {"sz": "28", "b": "", "color": _INK},
    "Heading2": {"sz": "23", "b": "", "color": _INK},
    "Heading3": {"sz": "21", "b": "", "color": _INK},
    "Caption": {"i": None},
    "ImageCaption": {"sz": "18", "i": None},
    "TableCaption": {"sz": "18", "i": None},
    "Compact": {"sz": "18"},
    "Notes": {"sz": "17"},
    "Hyperlink": {"color": "1F4E79"},
    "VerbatimChar": {"sz": "18"},
}
"""Properties of characters by style: sizes in half points; None takes one away."""

_PARAGRAPH: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "Title": {"jc": {"val": "left"}, "spacing": {"before": "0", "after": "60"}},
    "Heading1": {"keepNext": {}, "keepLines": {}, "spacing": {"before": "320", "after": "80"}},
    "Heading2": {"keepNext": {}, "keepLines": {}, "spacing": {"before": "200", "after": "60"}},
    "BodyText": {"spacing": {"before": "60", "after": "100", "line": "264", "lineRule": "auto"}},
    "Compact": {"spacing": {"before": "20", "after": "20"}},
    "CaptionedFigure": {"keepNext": {}, "spacing": {"before": "160", "after": "40"}},
    "ImageCaption": {"keepLines": {}, "spacing": {"before": "0", "after": "200"}},
    "Notes": {"keepLines": {}, "spacing": {"before": "60", "after": "160"}},
    "TableCaption": {"keepNext": {}, "spacing": {"before": "200", "after": "60"}},
}
_EDGES = {"header": "720", "footer": "720", "gutter": "0"}
_FOOT = "word/footer1.xml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PAGE = f"""<?xml version="1.0" encoding="UTF-8"?>
<w:ftr xmlns:w="{_W}"><w:p><w:pPr><w:jc w:val="center"/></w:pPr>\
<w:fldSimple w:instr="PAGE"><w:r><w:t>1</w:t></w:r></w:fldSimple></w:p></w:ftr>"""
"""The foot of every page: its number."""
_ADDED = {
    "[Content_Types].xml": (
        "</Types>",
        f'<Override PartName="/{_FOOT}" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml'
        '.footer+xml" />',
    ),
    "word/_rels/document.xml.rels": (
        "</Relationships>",
        f'<Relationship Type="{_OFFICE}/footer" Id="foot" Target="footer1.xml" />',
    ),
}
"""What the parts that list others say of it, before their last tag."""
_PROPERTIES = (  # in the order that the format asks for
    "keepNext", "keepLines", "spacing", "jc",
)  # fmt: skip


def dressed(document: bytes) -> bytes:
    """The document with our styles; its text and its other parts as they are."""
    return rewritten(document, _changed, {_FOOT: _PAGE.encode()})


def _changed(name: str, content: bytes) -> bytes:
    if name == "word/styles.xml":
        return _styled(content)
    if name == "word/document.xml":
        return _laid_out(content)
    if name in _ADDED:
        end, more = _ADDED[name]
        return content.decode().replace(end, more + end).encode()
    return content


def _styled(content: bytes) -> bytes:
    root = _parsed(content)
    defaults = root.find(f"{_w('docDefaults')}/{_w('rPrDefault')}/{_w('rPr')}")
    if defaults is not None:
        _set_font(defaults, "Times New Roman")
        for name in ("sz", "szCs"):
            _put(defaults, name, {"val": "21"})
    for style in root.findall(_w("style")):
        name = style.get(_w("styleId"), "")
        run = style.find(_w("rPr"))
        if run is not None and run.find(_w("rFonts")) is not None:
            _drop(run, "rFonts")  # one family for all text, but for names from files
            if name == "VerbatimChar":
                _set_font(run, "Courier New")
        for key, value in _RUN.get(name, {}).items():
            run = _child(style, "rPr")
            if value is None:
                _drop(run, key, f"{key}Cs")
            else:
                _put(run, key, {"val": value} if value else {})
                if key == "sz":
                    _put(run, "szCs", {"val": value})
        for key in _PROPERTIES:
            if key in _PARAGRAPH.get(name, {}):
                _put(_child(style, "pPr"), key, _PARAGRAPH[name][key])
        if name == "Table":
            _rule(style)
    return _written(root)


def _rule(style: ElementTree.Element) -> None:
    """Rules above and below a table, and a thinner one under its head."""
    table = _child(style, "tblPr")
    _drop(table, "tblBorders")
    borders = ElementTree.SubElement(table, _w("tblBorders"))
    for side in ("top", "bottom"):
        _put(borders, side, {"val": "single", "sz": "8", "space": "0", "color": "000000"})
    margins = table.find(_w("tblCellMar"))
    if margins is not None:  # the borders stand before the margins
        table.remove(margins)
        table.append(margins)
        for side, room in (("top", "24"), ("bottom", "10")):
            _child(margins, side).set(_w("w"), room)


def _laid_out(content: bytes) -> bytes:
    """The body on pages of letter size, no row of a table broken across two, nor a table that fits on one."""
    root = _parsed(content)
    body = root.find(_w("body"))
    if body is not None:
        section = _child(body, "sectPr")
        ElementTree.register_namespace("r", _OFFICE)
        section.insert(
            0, ElementTree.Element(_w("footerReference"), {_w("type"): "default", f"{{{_OFFICE}}}id": "foot"})
        )
        _put(section, "pgSz", {"w": "12240", "h": "15840"})
        _put(section, "pgMar", dict.fromkeys(("top", "right", "bottom", "left"), "1728") | _EDGES)
    for table in root.iter(_w("tbl")):
        rows = table.findall(_w("tr"))
        for row in rows[:-1] if len(rows) <= WHOLE else rows[:2]:
            for paragraph in row.iter(_w("p")):
                _child(paragraph, "pPr").insert(1, ElementTree.Element(_w("keepNext")))
    for row in root.iter(_w("tr")):
        properties = row.find(_w("trPr"))
        if properties is None:
            properties = ElementTree.Element(_w("trPr"))
            row.insert(0, properties)
        if properties.find(_w("cantSplit")) is None:
            properties.insert(0, ElementTree.Element(_w("cantSplit")))
    return _written(root)


def _set_font(run: ElementTree.Element, family: str) -> None:
    _drop(run, "rFonts")
    run.insert(0, ElementTree.Element(_w("rFonts"), {_w(key): family for key in ("ascii", "hAnsi", "cs")}))


def _child(parent: ElementTree.Element, name: str) -> ElementTree.Element:
    """The child of that name; a new one stands where the format wants it."""
    found = parent.find(_w(name))
    if found is not None:
        return found
    made = ElementTree.Element(_w(name))
    before = [parent.find(_w(other)) for other in ({"pPr": ("rPr", "tblPr"), "rPr": ("tblPr",)}.get(name, ()))]
    later = next((one for one in before if one is not None), None)
    parent.insert(list(parent).index(later) if later is not None else len(parent), made)
    return made


def _put(parent: ElementTree.Element, name: str, attributes: Mapping[str, str]) -> None:
    _drop(parent, name)
    ElementTree.SubElement(parent, _w(name), {_w(key): value for key, value in attributes.items()})


def _drop(parent: ElementTree.Element, *names: str) -> None:
    for name in names:
        for old in parent.findall(_w(name)):
            parent.remove(old)


def _parsed(content: bytes) -> ElementTree.Element:
    for _, (prefix, address) in ElementTree.iterparse(io.BytesIO(content), events=("start-ns",)):
        ElementTree.register_namespace(prefix, address)
    return ElementTree.fromstring(content)


def _written(root: ElementTree.Element) -> bytes:
    written: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def _w(name: str) -> str:
    return f"{{{_W}}}{name}"
