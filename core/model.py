"""What was read from a run directory and what was found in it: frozen records, a docstring under every field.

Data flows one way: directory -> :class:`Witness` -> :class:`Run` -> :class:`Analysis` -> :class:`Report` -> files.
"""

from __future__ import annotations

from dpo_report.core.records.analysis import Analysis, OpenQuestion, Report, Verdict
from dpo_report.core.records.findings import Better, Finding, FindingStatus, Severity, Value
from dpo_report.core.records.run import Run, RunFile
from dpo_report.core.records.series import Series, Source
from dpo_report.core.records.witness import Datum, Problem, RunStatus, Setting, Witness

__all__ = [
    "Analysis",
    "Better",
    "Datum",
    "Finding",
    "FindingStatus",
    "OpenQuestion",
    "Problem",
    "Report",
    "Run",
    "RunFile",
    "RunStatus",
    "Series",
    "Setting",
    "Severity",
    "Source",
    "Value",
    "Verdict",
    "Witness",
]
