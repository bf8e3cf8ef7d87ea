"""A model card as text, and ours inside somebody's own: what the author wrote stays to the letter.

Our part of the body stands between two comments; the first names the metadata that are ours, so that the next build
can replace both. Metadata that the author gave are never changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dpo_report.core.errors import ReportError

_BEGIN = "<!-- dpo-report begins; what stands up to its end is written anew with every build. metadata: {} -->"
_END = "<!-- dpo-report ends -->"
_OURS = re.compile(
    r"<!-- dpo-report begins;[^\n]*? metadata: (?P<keys>[^\n]*?) -->.*?<!-- dpo-report ends -->", re.DOTALL
)
_FRONT = re.compile(r"\A---[ \t\r]*\n(?P<front>.*?\n)??---[ \t\r]*(?:\n|\Z)", re.DOTALL)


def whole(metadata: Mapping[str, Any], body: str) -> bytes:
    """A card of our own."""
    return f"---\n{_yaml(metadata)}---\n\n{body}\n".encode()


def merged(standing: bytes, metadata: Mapping[str, Any], body: str) -> bytes:
    """The card that stands, with our part in the place of the one before, or at its end.

    Raises:
        ReportError: it is no UTF-8, its metadata are no YAML, or our comments in it were torn apart.
    """
    try:
        text = standing.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReportError(f"README.md: byte {error.start} is no UTF-8; nothing was written") from None
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    ending = "\r\n" if text.count("\r\n") == text.count("\n") > 0 else "\n"
    text = text.replace(ending, "\n")
    ours = _OURS.search(text)
    if ours is None and ("<!-- dpo-report begins" in text or _END in text):
        raise ReportError(
            "README.md: one of the two comments around dpo-report's part is missing; nothing was written",
            "remove the other, and what was between them",
        )
    front = _FRONT.match(text)
    before = (front["front"] or "") if front else ""
    kept = _without(before, ours["keys"].split(", ") if ours else ())
    added = {key: value for key, value in metadata.items() if key not in _keys(kept)}
    part = "\n".join([_BEGIN.format(", ".join(added) or "none"), "", body, "", _END])
    start = front.end() if front else 0
    if ours is not None and ours.start() >= start:
        rest = text[start : ours.start()] + part + text[ours.end() :]
    else:
        rest = text[start:]
        gap = "" if rest.endswith("\n\n") else "\n" if rest.endswith("\n") or not rest else "\n\n"
        rest = f"{rest}{gap}{part}\n"
    written = f"---\n{kept}{_yaml(added) if added else ''}---\n{rest}"
    return (mark + written.replace("\n", ending)).encode()


def _yaml(metadata: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dict(metadata), sort_keys=False, allow_unicode=True, width=1000)


def _keys(front: str) -> set[str]:
    """The author's own keys.

    Raises:
        ReportError: these are no metadata; names the line.
    """
    import yaml

    try:
        told = yaml.safe_load(front) if front.strip() else {}
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        at = getattr(error, "problem_mark", None)
        line = f", line {at.line + 2}" if at is not None else ""
        why = getattr(error, "problem", None) or type(error).__name__
        raise ReportError(f"README.md{line}: the metadata are no YAML ({why}); nothing was written") from None
    if told is None:
        return set()
    if not isinstance(told, dict):
        raise ReportError("README.md: the metadata are no list of keys and values; nothing was written")
    return set(map(str, told))


def _without(front: str, keys: tuple[str, ...] | list[str]) -> str:
    """The metadata without some keys; every other line as it is."""
    kept: list[str] = []
    dropping = False
    for line in front.splitlines(keepends=True):
        name = re.match(r"(?P<quote>['\"]?)(?P<key>[\w.-]+)(?P=quote)[ \t]*:", line)
        if name is not None:
            dropping = name["key"] in keys
        elif line.strip() and not line.startswith((" ", "-", "\t")):
            dropping = False
        if not dropping:
            kept.append(line)
    return "".join(kept)
