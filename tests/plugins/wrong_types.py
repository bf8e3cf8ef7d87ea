"""Returns what does not belong; the well-made objects beside it are kept."""

from dpo_report import hookimpl
from dpo_report.core.contract import Curve, Metric, Question


@hookimpl
def register_readers():
    return Metric("single", "not in a list", lambda run: ())


@hookimpl
def register_metrics():
    return [
        Question("here", "In the wrong hook?", "yes"),
        Metric("loss.train.needs", "needs is a string", lambda run: (), needs="loss"),
        Metric("not.called", "a result, not a function", 3.5),
        Metric("with space", "name with a space", lambda run: ()),
        Metric("fine", "well made", lambda run: ()),
    ]


@hookimpl
def register_curves():
    return [Curve("../../escape", "its name is a path", lambda run, values: None)]


@hookimpl
def register_checks():
    """Forgets to return."""


@hookimpl
def register_templates():
    return ["/no/such/folder"]
