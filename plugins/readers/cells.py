"""The cells of one line of a table, and whether they are its header."""

from __future__ import annotations

import csv

from dpo_report.plugins.readers.numbers import number

SEPARATORS = ",\t;|"
CELLS = 4096
"""More columns than this are no training log."""
_DIGITS = frozenset("0123456789-+.")


def separator(header: str) -> str:
    """The separator that a header line uses most.

    >>> separator("epoch;train_loss;val_loss")
    ';'
    """
    return max(SEPARATORS, key=header.count)


def cells_of(text: str, cut: str) -> list[str] | None:
    """The cells of a line; None where its quotes are broken."""
    if '"' not in text:
        return [cell.strip() for cell in text.split(cut)] if " " in text else text.split(cut)
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=cut), [])]
    except csv.Error:
        return None


def is_header(cells: list[str], names: list[str]) -> bool:
    """Whether a row is a header again: the same words, or at least as many words and no number at all."""
    if cells[0][:1] in _DIGITS:
        return False
    if cells == names:
        return True
    words = [cell for cell in cells if cell]
    return len(words) > 1 and len(set(words) & set(names)) > len(words) // 2 and all(number(c) is None for c in words)
