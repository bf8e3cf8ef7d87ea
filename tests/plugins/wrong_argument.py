"""A hook with an argument that it does not have, and a wrapper."""

from dpo_report import hookimpl
from dpo_report.core.contract import Question


@hookimpl
def register_metrics(run):
    return []


@hookimpl(wrapper=True)
def register_checks():
    return (yield)


@hookimpl
def register_questions():
    return [Question("kept", "Is this kept?", "only the wrong hook is lost")]
