"""Logs printed for people, whose lines a program can read: what their readers share.

Each family is one pattern for the step and one for the values. Lines that do not fit are no trouble: a console prints
much else. Progress bars overwrite their line with carriage returns; every part of such a line is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dpo_report.core.contract import FileKind
from dpo_report.core.folder import Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.files import decoder
from dpo_report.plugins.readers.layout import Found, Layout, Rows, first_of, renamed, without
from dpo_report.plugins.readers.regular import Table
from dpo_report.plugins.readers.tabular import Lines, Row, RowReader

SUFFIXES = (".txt", ".log", ".out", ".err")
STEP = "\x00step"
"""The cell that holds a row's step."""
NUMBER = r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?%?|[-+]?(?:nan|inf(?:inity)?)\b"
PAIR = re.compile(
    rf"""(?<![A-Za-z0-9_])["']?([A-Za-z_][\w./@()%-]{{0,99}})["']?\s*[:=]\s*["']?(?:np\.\w{{1,20}}\(|tensor\()?({NUMBER})""",
    re.IGNORECASE,
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
LINE = 20_000
"""Longer lines are cut."""

Parse = Callable[[str], Mapping[str, Any] | None]


def rows_of(parse: Parse, table: Callable[[bytes], Table | None] | None = None) -> RowReader:
    """Reads the rows that a parser finds in a text file's lines; ``table`` as in :class:`RowReader`."""

    def rows(source: Lines, file: str, problems: list[Problem]) -> Iterator[Row]:
        for line, text, _ in source:
            if not line:
                yield Row(0, {})
                continue
            for part in text[:LINE].split("\r") if "\r" in text else (text[:LINE],):
                cells = parse(_COLOURS.sub("", part) if "\x1b" in part else part)
                if cells:
                    yield Row(line, cells)

    return RowReader(rows, table)


def pairs(text: str) -> dict[str, str]:
    """``name: number`` and ``name=number`` pairs of a line.

    >>> pairs("Step 1 | loss:1.25 lr:2e-05")
    {'loss': '1.25', 'lr': '2e-05'}
    """
    return {key: value.replace(",", "") for key, value in PAIR.findall(text)}


def knows(parse: Parse, least: int = 2) -> Callable[[str, bytes], float]:
    """How surely a text is of a family: at least so many of its lines can be read."""

    def sure(name: str, start: bytes) -> float:
        found = 0
        text = decoder(start)[0](start)
        for line in (_COLOURS.sub("", text) if "\x1b" in text else text).replace("\r", "\n").splitlines():
            found += bool(parse(line[:LINE]))
            if found >= least:
                return 0.7
        return 0.0

    return sure


def printed(
    name: str,
    title: str,
    parse: Parse,
    *,
    own: Callable[[str], str] = lambda key: key,
    note: str = "",
    complete: Callable[[Folder, Found], None] = lambda _folder, _found: None,
    home: Callable[[str], str] = lambda parent: parent,
    rows: Rows | None = None,
    files: tuple[FileKind, ...] = (),
) -> Layout:
    """A family whose log is a text that one function reads line by line; ``own`` names its keys as everywhere."""
    return Layout(
        name,
        title,
        SUFFIXES,
        knows(parse),
        rows or rows_of(parse),
        first_of(STEP),
        cells=without(STEP),
        namer=renamed(own),
        where="line {row}, {key}",
        note=note,
        home=home,
        complete=complete,
        precision=3,
        deep=SUFFIXES,
        files=files,
    )
