"""One hook raises, a second one while it is being read; the third is right."""

from dpo_report import hookimpl
from dpo_report.core.contract import Metric, Question


@hookimpl
def register_checks():
    return [1 / 0]


@hookimpl
def register_metrics():
    yield Metric("lost", "lost with its hook", lambda run: ())
    raise LookupError("no graph")


@hookimpl
def register_questions():
    return [Question("kept", "Is this kept?", "only the raising hooks are lost")]


@hookimpl
def choose_reader():
    return "nobody"


@hookimpl
def prepare_environment(env, format):  # noqa: A002
    raise KeyError(format)


@hookimpl
def report_built(report):
    raise OSError("mail server refuses")
