"""The sections of a report, in the order of a paper; each is a template of that name in every family."""

from __future__ import annotations

from dpo_report.core.contract import Section
from dpo_report.core.hookspecs import hookimpl

SECTIONS = (
    Section("methodology", "Methodology", 10),
    Section("results", "Results", 20),
    Section("discussion", "Discussion", 30),
    Section("limitations", "Limitations", 40),
    Section("reproducibility", "Reproducibility", 50),
    Section("numbers", "What each number means", 60, appendix=True),
    Section("rules", "Rules applied", 70, appendix=True),
)


@hookimpl
def register_sections() -> tuple[Section, ...]:
    """Every built-in section."""
    return SECTIONS
