"""Reads `edges.tsv`: a heading, then step, right answers and answers asked for, separated by tabs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dpo_report.core.contract import FileKind, Match, Reader
from dpo_report.core.folder import Folder
from dpo_report.core.model import Problem, Series, Source, Witness

NAME = "edges"
FILE = "edges.tsv"


def detect(folder: Folder) -> Match | None:
    """By the file's name; folders are untrusted, so nothing is opened yet."""
    return Match(0.9, FILE) if FILE in folder else None


def read(folder: Folder) -> list[Witness]:
    """The shares and how many answers each rests on, as held-out series."""
    problems: list[Problem] = []
    try:
        lines = folder.read(FILE).decode("utf-8", "replace").splitlines()
    except OSError as error:
        return [Witness(NAME, "", (FILE,), problems=(Problem(FILE, f"cannot be read: {error.strerror}"),))]
    rows = sorted(_rows(lines, problems))
    if not rows:
        return [Witness(NAME, "", (FILE,), problems=(*problems, Problem(FILE, "holds no counts")))]
    step, right, asked, line = (np.array(column) for column in zip(*rows, strict=True))
    where = (Source(FILE, "line {row}"),)
    numbers = line.astype(np.int64)
    series = (
        Series("edges/share", "eval", step, right / asked, where, numbers),
        Series("edges/asked", "eval", step, asked, where, numbers),
    )
    return [Witness(NAME, "", (FILE,), series=series, problems=tuple(problems))]


def _rows(lines: list[str], problems: list[Problem]) -> Iterator[tuple[float, float, float, float]]:
    """Step, right, asked and the line's number; what is no count is told, not guessed."""
    for number, line in enumerate(lines[1:], start=2):
        try:
            step, right, asked = map(float, line.split("\t"))
        except ValueError:
            problems.append(Problem(FILE, f"line {number} does not hold three numbers", "it was left out"))
            continue
        if not 0 <= right <= asked or not 0 < asked < float("inf"):
            problems.append(Problem(FILE, f"line {number} counts {right:g} of {asked:g}", "it was left out"))
            continue
        yield step, right, asked, number


READER = Reader(
    NAME, detect, read, "Edges", (FileKind(FILE, "metrics", "right answers, counted by a script of the author's"),)
)
