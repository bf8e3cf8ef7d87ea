"""Talks while it is imported and while it is asked."""

from dpo_report import hookimpl
from dpo_report.core.contract import Question

print("hello from the import")  # noqa: T201


@hookimpl
def register_questions():
    print("hello from the hook")  # noqa: T201
    return [Question("chatty", "Why so loud?", "it was left in")]
