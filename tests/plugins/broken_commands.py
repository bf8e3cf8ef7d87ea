"""Commands that fail in every way in which a command can."""

from dpo_report import hookimpl
from dpo_report.core.contract import Command
from dpo_report.core.errors import ReportError

__version__ = "3.1"


def nothing(parser):
    """Takes no arguments."""


def bad_configure(parser):
    parser.add_argument("--x", no_such_word=1)


def bug(args):
    return 1 / 0


def refuses(args):
    raise ReportError("the graph is empty", "give one with edges")


def interrupted(args):
    raise KeyboardInterrupt


def five(args):
    return 5


@hookimpl
def register_commands():
    return [
        Command("bad-configure", "fails before it starts", bad_configure, five),
        Command("bug", "has a bug", nothing, bug),
        Command("refuses", "says what is wrong", nothing, refuses),
        Command("interrupted", "is interrupted", nothing, interrupted),
        Command("five", "gives 5", nothing, five),
    ]
