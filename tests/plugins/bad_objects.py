"""Objects that are declared well and then fail in every way; the report must stand without them."""

import sys

from dpo_report import hookimpl
from dpo_report.core.contract import Check, Curve, Metric, Question
from dpo_report.core.model import Value


def late(run):
    yield Value("kg.late", 1.0, ())
    raise LookupError("the graph is gone")


def loud(run):
    print("loud")  # noqa: T201
    return Value("kg.loud", 2.0, ())


@hookimpl
def register_metrics():
    return [
        Metric("kg.late", "raises late", late),
        Metric("kg.loud", "prints", loud),
        Metric("kg.exit", "leaves", lambda run: sys.exit(4)),
        Metric("kg.junk", "gives junk", lambda run: 3.5),
    ]


@hookimpl
def register_checks():
    return [Check("KG9", "gives nothing", lambda run, values: None)]


@hookimpl
def register_curves():
    return [Curve("kg", "gives nothing", lambda run, values: None)]


@hookimpl
def register_questions():
    return [Question("kg", "Which?", "so", known=lambda run: 1 / 0)]
