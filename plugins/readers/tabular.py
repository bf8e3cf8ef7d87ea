"""Tables of logged rows: CSV and TSV with any separator, JSON lines. Rows come one by one, nothing raises.

What a stranger's table may hold: an empty cell (not logged), a header that stands again in the middle or changes, rows
longer or shorter than it, a last row whose writer was killed, comment lines, decimal commas, colour codes.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.cells import CELLS, cells_of, is_header, separator
from dpo_report.plugins.readers.files import INVALID, lines, parse_json
from dpo_report.plugins.readers.numbers import decimal_comma, is_comma_number, is_thousands
from dpo_report.plugins.readers.regular import Table, csv_table, json_table

Lines = Iterable[tuple[int, str, bool]]
"""Lines with their numbers, and whether they are whole."""


class Row(NamedTuple):
    """One row of a table."""

    line: int
    """Its line in the file, from 1."""
    cells: Mapping[str, Any]
    """Cells by column; those of CSV are text."""
    fresh: bool = False
    """Whether a header stood directly above it, in the middle of the file."""


@dataclass(slots=True)
class _Oddities:
    """What was left out, by kind: how often, and the first line."""

    kinds: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, kind: str, line: int) -> None:
        times, first = self.kinds.get(kind, (0, line))
        self.kinds[kind] = (times + 1, first)

    def tell(self, file: str, problems: list[Problem]) -> None:
        for kind, (times, first) in self.kinds.items():
            problems.append(Problem(file, f"{kind} ({times:,} ×, first in line {first})"))


def columns(header: str) -> list[str]:
    """The column names in a header line; a leading ``#`` is no part of the first."""
    try:
        cells = next(csv.reader([header.lstrip("\ufeff#").strip()], delimiter=separator(header)), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in cells]


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads rows from the lines of a file; where more lines may come (line 0), it gives a row of line 0 and goes on."""

    over: Callable[..., Iterator[Row]]
    """From lines, the file's path, a list for problems, and options of its own."""
    table: Callable[[bytes], Table | None] | None = None
    """From the bytes of a file that is regular throughout, its columns at once; None of any other."""

    def __call__(self, folder: Folder, entry: Entry, problems: list[Problem], **options: Any) -> Iterator[Row]:
        """The rows of a whole file."""
        return self.over(lines(folder, entry, problems), entry.path, problems, **options)


def _csv_rows(
    source: Lines, file: str, problems: list[Problem], *, comments: str = "#", spaces: bool = False
) -> Iterator[Row]:
    """Rows of a table with a header; ``spaces`` where blanks separate its cells."""
    odd = _Oddities()
    names: list[str] = []
    cut, fresh, data = "", False, 0
    commas = False  # whether a number here showed that commas stand for decimal points
    for line, text, whole in source:
        if not line:
            odd.tell(file, problems)
            yield Row(0, {})
            continue
        if not text.strip() or (comments and text.startswith(comments)):
            continue
        if not names and not spaces:
            cut = separator(text)
        cells = text.split() if spaces else cells_of(text, cut)
        if not cells:
            odd.add("lines that are no table row, left out", line)
            continue
        if not names or is_header(cells, names):
            fresh = bool(names) and data > 0
            names = cells[:CELLS]
            continue
        if len(cells) < len(names) and not whole:
            odd.add("the last row is cut off (its writer was killed, or still writes), left out", line)
            continue
        if len(cells) != len(names):
            odd.add("rows that do not have as many cells as the header; what has no column is left out", line)
        if cut == ";":
            cells = [decimal_comma(cell) for cell in cells]
        elif (cut != "," or '"' in text) and "," in text and any(map(is_comma_number, cells)):
            commas = commas or not all(is_thousands(cell) for cell in cells if is_comma_number(cell))
            if commas:
                cells = [decimal_comma(cell) for cell in cells]
            else:
                odd.add("rows with numbers like 1,234 (1.234 or 1234?), which are left out", line)
        data += 1
        found = dict(zip(names, cells, strict=False))
        found.pop("", None)
        yield Row(line, found, fresh)
        fresh = False
    odd.tell(file, problems)


read_csv = RowReader(_csv_rows, csv_table)
"""Rows of a table with a header, as :func:`_csv_rows`."""


def _json_rows(source: Lines, file: str, problems: list[Problem]) -> Iterator[Row]:
    """Objects of a JSON-lines file. A line that holds a list gives each of its objects."""
    odd = _Oddities()
    last: tuple[int, bool] = (0, True)
    for line, text, whole in source:
        if not line:
            odd.tell(file, problems)
            yield Row(0, {})
            continue
        text = text.strip().rstrip(",")
        if not text or text in "[]":
            continue
        value = parse_json(text)
        if value is INVALID:
            last = (line, whole)
            odd.add("lines that are not valid JSON, left out", line)
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield Row(line, item)
            else:
                odd.add("lines that hold no JSON object, left out", line)
    kind = "lines that are not valid JSON, left out"
    if not last[1] and odd.kinds.get(kind) == (1, last[0]):
        odd.kinds.pop(kind)
        odd.add("the last line is cut off (its writer was killed, or still writes), left out", last[0])
    odd.tell(file, problems)


read_jsonl = RowReader(_json_rows, json_table)
"""Objects of a JSON-lines file."""
