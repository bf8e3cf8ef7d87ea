"""How a book looks: pandoc's, with a style sheet of ours where its own stood."""

from __future__ import annotations

from dpo_report.plugins.formats.parts import rewritten

_STYLE = """\
@page { margin: 1em; }
html { font-family: Georgia, serif; line-height: 1.4; }
body { margin: 0; padding: 0 2%; }
h1 { font-size: 1.5em; line-height: 1.25; margin: 0.5em 0 0.2em; }
h2 { font-size: 1.25em; margin: 1.8em 0 0.5em; }
h3 { font-size: 1.05em; margin: 1.4em 0 0.3em; }
h1, h2, h3 { page-break-after: avoid; break-after: avoid; }
p { margin: 0.6em 0; widows: 2; orphans: 2; }
figure { margin: 1.8em 0; page-break-inside: avoid; break-inside: avoid; }
img { max-width: 100%; }
figcaption, caption { text-align: left; color: #444; }
figcaption { font-size: 0.85em; margin-top: 0.5em; }
caption { font-size: 1.06em; padding: 0.8em 0 0.4em; }
table { width: 100%; border-collapse: collapse; font-size: 0.8em; line-height: 1.3; margin: 0.8em 0;
  border-top: 1.5px solid; border-bottom: 1.5px solid; }
th { text-align: left; font-weight: normal; border-bottom: 1px solid; }
th, td { padding: 0.2em 0.6em 0.2em 0; vertical-align: top; }
tr { page-break-inside: avoid; break-inside: avoid; }
code { font-size: 0.9em; overflow-wrap: anywhere; }
sup { line-height: 0; }
.notes { font-size: 0.8em; }
ul { padding-left: 1.2em; }
li { margin: 0.3em 0; }
"""
"""How the book looks where its reader lets it: spaces about pictures, rules at tables, small captions."""


def dressed(book: bytes) -> bytes:
    """The book with our style; its text and its other parts as they are, in their order."""
    return rewritten(book, lambda name, content: _STYLE.encode() if name.endswith(".css") else content)
