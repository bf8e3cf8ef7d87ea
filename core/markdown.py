"""Any string as GitHub-flavoured Markdown that shows it: no markup, no HTML, no link and no formula comes of it."""

from __future__ import annotations

import re

from dpo_report.core.standin import one_line, stood_in, unseen

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~$&]")
_LINK = re.compile(r":(?=//)|(?<=www)\.|(?<=\S)@(?=\S)", re.IGNORECASE)
_LINE_START = re.compile(r"\A(\s*)([-+](?=\s|\Z)|[-=](?=[-=\s]*\Z)|\d{1,9}(?=[.)](?:\s|\Z)))")
_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape(text: str) -> str:
    r"""A string of running text or of a table cell.

    >>> print(escape("a_b <b>x</b> | [l](http://x.y) 中"), escape("- 5"), escape("1. no list"), escape("1.5"))
    a\_b &lt;b&gt;x&lt;/b&gt; \| \[l\](http\://x.y) 中 \- 5 1\. no list 1.5
    """
    text = stood_in(one_line(text), lambda letter: None if unseen(letter) else letter, "[{}]".format)
    text = _SPECIAL.sub(lambda match: _ENTITY.get(match[0], "\\" + match[0]), text)
    text = _LINK.sub(lambda match: "\\" + match[0], text)
    return _LINE_START.sub(lambda m: f"{m[1]}{m[2]}\\" if m[2].isdigit() else f"{m[1]}\\{m[2]}", text)


def code(text: str) -> str:
    """A name from a file. Where a backtick or a bar would break the code span or a table, as ``<code>``.

    >>> print(code("learning_rate"), code("a|b"))
    `learning_rate` <code>a&#124;b</code>
    """
    text = stood_in(one_line(text), lambda letter: None if unseen(letter) else letter, "[{}]".format)
    if text and not re.search(r"[`|\\]|\A\s|\s\Z", text):
        return f"`{text}`"
    return "<code>" + re.sub(r"[^\w\s]", lambda match: f"&#{ord(match[0])};", text) + "</code>" if text else ""


def anchor(key: str) -> str:
    """The name of a place in the page: nothing in it can be markup."""
    return re.sub(r"[^\w-]", "-", key)
