"""One hook is misspelt; the other one is right and must go on working."""

from dpo_report import hookimpl
from dpo_report.core.contract import Question


@hookimpl
def register_metric():
    return []


@hookimpl
def register_questions():
    return [Question("kept", "Is this kept?", "only the misspelt hook is lost")]
