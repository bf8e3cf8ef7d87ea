"""Checklists of venues, filled as far as the run goes: sections that stand in a report which asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpo_report.core.contract import Section
from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.model import OpenQuestion
from dpo_report.plugins.checklists import acl, neurips
from dpo_report.plugins.checklists.items import Line, filled, key

if TYPE_CHECKING:
    from jinja2 import Environment

    from dpo_report.core.model import Analysis

STANDARDS = {"checklist-neurips": neurips, "checklist-acl": acl}
"""The items of each section."""


def lines(analysis: Analysis, section: str) -> list[Line]:
    """Every item of a checklist with its answer, as templates print it."""
    return filled(analysis, STANDARDS[section].NAME, STANDARDS[section].ITEMS)


def of_author(analysis: Analysis, standard: str) -> list[OpenQuestion]:
    """What a checklist leaves to the author, as questions; those that were answered have their answers."""
    answers = analysis.run.answers
    return [
        OpenQuestion(key(standard, line.number), f"{line.number} {line.title}: {line.question}",
                     "Begin with yes, no or NA.", (), answers.get(key(standard, line.number)))
        for line in lines(analysis, f"checklist-{standard}")
        if line.told or not line.mark
    ]  # fmt: skip


@hookimpl
def register_sections() -> tuple[Section, ...]:
    """One for each checklist, after all others."""
    return (
        Section("checklist-neurips", "NeurIPS checklist", 80, appendix=True, optional=True),
        Section("checklist-acl", "ACL checklist", 81, appendix=True, optional=True),
    )


@hookimpl
def prepare_environment(env: Environment) -> None:
    """``checklist(analysis, "checklist-acl")`` in templates."""
    env.globals["checklist"] = lines
