"""``--format html``: one file that needs nothing else, to be looked at: charts, foldable findings, traced numbers."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING

from dpo_report.core.contract import Format
from dpo_report.plugins.formats.html.charts import charts
from dpo_report.plugins.formats.html.trace import Trace

if TYPE_CHECKING:
    from markupsafe import Markup

    from dpo_report.core.render import Kit

STYLES = ("uplot/uPlot.min.css", "report.css")
SCRIPTS = ("uplot/uPlot.min.js", "report.js")


def convert(kit: Kit) -> dict[str, bytes]:
    """The page, with styles, scripts, data and pictures inside."""
    page = page_of(kit, plain=False)
    return {"report.html": page.encode()}


def page_of(kit: Kit, *, plain: bool, picture: str = "svg") -> str:
    """The report as a page.

    Args:
        kit: the report.
        plain: only headings, paragraphs, tables and pictures by their file names, for other programs to read.
        picture: the kind of those pictures.
    """
    from markupsafe import Markup

    trace = Trace(kit)
    if plain:
        page = kit.render("plain.html", sections=kit.sections, plain=True, trace=trace, picture=picture)
        return _tidy(re.sub(r"<(/?)mark>", r"<\1strong>", page))  # which every program knows
    licence = "\n".join(f"/* {line} */" for line in kit.asset("uplot/LICENSE").split("\n") if line.strip())
    style = _tidy("\n".join(map(kit.asset, STYLES)))
    script = _tidy("\n".join([licence, *map(kit.asset, SCRIPTS)]))
    pictures = {name: _inlined(content) for name, content in kit.figures(("svg",)).items()}
    page = kit.render(
        "report.html",
        sections=kit.sections,
        plain=False,
        trace=trace,
        pictures=pictures,
        data=_data(charts(kit.analysis.figures)),
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    return _tidy(page)


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _data(value: object) -> Markup:
    """JSON that may stand inside a script element."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(re.sub(r"[<>&\u2028\u2029\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text))


def _hash(text: str) -> str:
    """What a Content-Security-Policy allows a style or script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _inlined(picture: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(picture).decode()}"


FORMAT = Format("html", ".html", convert, base="html")
