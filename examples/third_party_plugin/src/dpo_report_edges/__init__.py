"""Edges: a plugin of dpo-report. This module only declares; dpo-report runs each object in its own guard."""

from __future__ import annotations

from dpo_report import hookimpl
from dpo_report.core.contract import Check, Curve, Format, Metric, Reader, Section

DPO_REPORT_API = 1
"""The plugin API that this was written for; another one refuses the plugin by name."""


@hookimpl
def register_readers() -> list[Reader]:
    """Who knows `edges.tsv`."""
    from dpo_report_edges.reader import READER

    return [READER]


@hookimpl
def register_metrics() -> list[Metric]:
    """The last share."""
    from dpo_report_edges.metric import SHARE

    return [SHARE]


@hookimpl
def register_curves() -> list[Curve]:
    """The share over the steps."""
    from dpo_report_edges.curve import CURVE

    return [CURVE]


@hookimpl
def register_checks() -> list[Check]:
    """What may be said of it."""
    from dpo_report_edges.rule import RULE

    return [RULE]


@hookimpl
def register_sections() -> list[Section]:
    """A section of its own, between Results (20) and Discussion (30): what the rule says in it, and the value."""
    return [Section("edges", "Edges", 25, values=("edges.share.last",))]


@hookimpl
def register_formats() -> list[Format]:
    """Every value as a row."""
    from dpo_report_edges.table import CSV

    return [CSV]
