"""What ``dpo-report evaluate`` found, as metrics and checks read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dpo_report.core.model import Datum, Run, Source

PREFIX = "evaluation/"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of a run on held-out pairs."""

    run: Run
    name: str
    """As its file is named, lower case."""
    only: bool
    """Whether it is the run's only one."""

    @property
    def tag(self) -> str:
        """Last part of the names of its values."""
        return "test" if self.only else f"test.{self.name}"

    @property
    def word(self) -> str:
        """What its pairs are called."""
        return "held-out" if self.only else f"held-out ({self.name})"

    def datum(self, key: str) -> Datum | None:
        """A number or word with its place."""
        return self.run.summary.get(f"{PREFIX}{self.name}/{key}")

    def number(self, key: str) -> float | None:
        """A number; None where it is not told."""
        datum = self.datum(key)
        return float(datum.value) if datum is not None and isinstance(datum.value, int | float) else None

    def count(self, key: str) -> int | None:
        """A whole number; None where it is not told."""
        number = self.number(key)
        return None if number is None else int(number)

    def text(self, key: str) -> str:
        """A word; empty where it is not told."""
        datum = self.datum(key)
        return str(datum.value) if datum is not None else ""

    def sources(self, key: str) -> tuple[Source, ...]:
        """Where a number stands."""
        datum = self.datum(key)
        return () if datum is None else (datum.source,)


def evaluations(run: Run) -> Iterator[Evaluation]:
    """All of a run, in the order of their names."""
    names = sorted({key[len(PREFIX) :].partition("/")[0] for key in run.summary if key.startswith(PREFIX)})
    for name in names:
        yield Evaluation(run, name, len(names) == 1)
