"""Written for a later plugin API."""

from dpo_report.core.contract import Question
from dpo_report.core.hookspecs import hookimpl

DPO_REPORT_API = 2
__version__ = "3.1"


class Questions:
    """The same, as an object of this module."""

    @hookimpl
    def register_questions(self):
        return [Question("graph", "Which knowledge graph?", "its edges decide what counts as valid")]


@hookimpl
def register_questions():
    return Questions().register_questions()
