"""Takes names that others have."""

from dpo_report import hookimpl
from dpo_report.core.contract import Command, Format, Metric
from dpo_report.core.works import Work

__version__ = "0.9"


@hookimpl
def register_metrics():
    return [Metric("kg.hits", "the same name", lambda run: ()), Metric("kg.other", "another", lambda run: ())]


@hookimpl
def register_formats():
    return [Format("latex", ".tex", lambda kit: {})]


@hookimpl
def register_commands():
    return [Command("build", "takes the place of ours", lambda parser: None, lambda args: 0)]


@hookimpl
def register_works():
    return [Work("doe2025edges", "misc", {"title": "Edges"})]
