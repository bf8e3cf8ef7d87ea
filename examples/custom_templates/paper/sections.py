"""The place of the section "Ethics": a template says what stands in a section, this says that there is one."""

from __future__ import annotations

from dpo_report import hookimpl
from dpo_report.core.contract import Section


@hookimpl
def register_sections() -> list[Section]:
    """Between Limitations (40) and Reproducibility (50)."""
    return [Section("ethics", "Ethics statement", 45)]
