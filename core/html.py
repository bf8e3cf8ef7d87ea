"""Any string as HTML that shows it: no tag, no attribute and no entity comes of it."""

from __future__ import annotations

import html
import re

from dpo_report.core.standin import bound, one_line, stood_in, unseen

_BREAKABLE = re.compile(r"(?<=[/_.\-=:,;+@&?)\]])(?=[^\s/_.\-=:,;+@&?)\]])")


def escape(text: str) -> str:
    """A string of running text or of a quoted attribute.

    >>> print(escape("a < b & \\"c\\" \\u202e"))
    a &lt; b &amp; &quot;c&quot; [U+202E]
    """
    return html.escape(_visible(bound(text)))


def code(text: str) -> str:
    """A name from a file in the typewriter face; a line may break inside a long one.

    >>> print(code("rewards/margins"), code("<b>"))
    <code>rewards/<wbr>margins</code> <code>&lt;b&gt;</code>
    """
    pieces = _BREAKABLE.split(_visible(text)) if len(text) > 12 else [_visible(text)]
    return f"<code>{'<wbr>'.join(map(html.escape, pieces))}</code>" if text else ""


def _visible(text: str) -> str:
    return stood_in(one_line(text), lambda letter: None if unseen(letter) else letter, "[{}]".format)
