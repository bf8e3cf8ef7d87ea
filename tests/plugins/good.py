"""A well-made plugin: one object of several kinds, and the hooks that are told of something."""

from pathlib import Path

from dpo_report import hookimpl
from dpo_report.core.contract import Check, Claim, Command, Metric, Question, Reader, passed
from dpo_report.core.model import Value
from dpo_report.core.works import Work

__version__ = "1.2"
TOLD = []


def constant(run):
    return Value("kg.hits", 3, ())


def configure(parser):
    parser.add_argument("graph")
    parser.add_argument("--strict", choices=["no", "very"], help="an option named like one of the host's")


def count_edges(args):
    print(f"edges of {args.graph}")  # noqa: T201
    return 0


@hookimpl
def register_readers():
    return [Reader("kg_log", detect=lambda folder: None, read=lambda folder: [])]


@hookimpl
def register_metrics():
    yield Metric("kg.hits", "valid edges", constant)


@hookimpl
def register_checks():
    return (Check("KG1", "Edges exist", lambda run, values: passed("all there")),)


@hookimpl
def register_claims():
    return {Claim(4, "names more valid edges", needs=("edges",))}


@hookimpl
def register_questions():
    return [Question("graph", "Which graph?", "its edges decide")]


@hookimpl
def register_works():
    return [Work("doe2025edges", "misc", {"title": "Edges"})]


@hookimpl
def register_templates():
    return [str(Path(__file__).parent)]


@hookimpl
def register_commands():
    return [Command("count-edges", "count 100% of the edges", configure, count_edges)]


@hookimpl
def choose_reader(candidates):
    return "kg_log" if any(reader.name == "kg_log" for reader, _ in candidates) else None


@hookimpl
def prepare_environment(env):
    env.filters["edge"] = str.upper


@hookimpl
def report_built(report):
    TOLD.append(report)
