"""All that the report of a run may say, and what stands on disk after it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dpo_report.core.records.findings import Finding, Value
from dpo_report.core.records.run import Run
from dpo_report.core.records.witness import Problem

if TYPE_CHECKING:
    from dpo_report.core.plot import Figure
    from dpo_report.core.thresholds import Limit
    from dpo_report.core.works import Work


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one declared claim."""

    text: str
    """The sentence, or a description of the phrases."""
    level: int
    """Its level on the ladder, 0 to 5."""
    allowed: bool
    """Whether the run carries it."""
    because: str = ""
    """The rule that blocks it."""
    missing: tuple[str, ...] = ()
    """The evidence that is missing."""
    licence: str = ""
    """The cheapest experiment that would license it."""
    patterns: tuple[str, ...] = ()
    """Regular expressions of the phrases that make this claim."""
    topic: str = ""
    """What the run shows nothing about without the evidence, in a word or two."""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """What only the author knows, with the answer if it was given."""

    id: str
    """Stable name."""
    text: str
    """The question."""
    why: str
    """Why a reader of the paper needs it."""
    standards: tuple[str, ...] = ()
    """Which reporting standards ask for it."""
    answer: str | None = None
    """The author's answer."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that the report of one run may say."""

    run: Run
    """What was read."""
    values: Mapping[str, Value]
    """By name, in the order in which reports list them."""
    figures: tuple[Figure, ...]
    """In the order of their curves."""
    findings: tuple[Finding, ...]
    """Of every check, also those that found nothing."""
    level: int
    """The claim level that the run reaches, 0 to 5; -1 when not even completion is shown."""
    verdicts: tuple[Verdict, ...]
    """Allowed and blocked claims."""
    questions: tuple[OpenQuestion, ...]
    """Open and answered."""
    problems: tuple[Problem, ...]
    """Of the run and of the plugins."""
    works: Mapping[str, Work] = field(default_factory=dict)
    """The literature that plugins know, by bibliography key."""
    unjudged: str = ""
    """Why no rule could be applied, so that nothing is known of any claim; empty where rules were."""
    limits: tuple[Limit, ...] = ()
    """Thresholds of the rules that spoke or looked, in the order of the rules."""


@dataclass(frozen=True, slots=True)
class Report:
    """What stands on disk after a build."""

    analyses: tuple[Analysis, ...]
    """One for each run."""
    directory: Path
    """The folder that was written."""
    files: tuple[Path, ...]
    """Every file in it."""
