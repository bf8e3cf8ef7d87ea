"""The hooks of the entry-point group ``dpo_report``, each with a runnable example.

Hooks declare; the host runs what they declare, each object in its own guard. A plugin is a module (or any
object) whose functions carry :data:`hookimpl`; it implements the hooks that it needs and may leave out
arguments that it does not use. Everything that the tool itself knows comes through these same hooks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2 import Environment

    from dpo_report.core.contract import (
        Check,
        Claim,
        Command,
        Curve,
        Format,
        Match,
        Metric,
        Question,
        Reader,
        Section,
    )
    from dpo_report.core.folder import Folder
    from dpo_report.core.model import Report
    from dpo_report.core.works import Work

GROUP = "dpo_report"
"""Entry-point group of plugins, and the project name of the markers."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)
"""Marks a function of a plugin as the implementation of the hook of the same name."""


@hookspec
def register_readers() -> Iterable[Reader]:  # type: ignore[empty-body]
    """Readers: each knows one family of run directories.

    >>> from dpo_report.core.contract import Match, Reader
    >>> from dpo_report.core.hookspecs import hookimpl
    >>> def detect(folder):
    ...     return Match(0.6, "losses.txt") if folder.named("losses.txt") else None
    >>> @hookimpl
    ... def register_readers():
    ...     return [Reader("plain_text", detect, read=lambda folder: [], title="plain text")]
    >>> [reader.name for reader in register_readers()]
    ['plain_text']
    """


@hookspec
def register_metrics() -> Iterable[Metric]:  # type: ignore[empty-body]
    """Metrics: numbers computed from a run, with their meaning.

    >>> from dpo_report.core.contract import Metric
    >>> from dpo_report.core.hookspecs import hookimpl
    >>> from dpo_report.core.model import Value
    >>> def lowest(run):
    ...     series = run.get("loss")
    ...     return Value("loss.train.lowest", float(series.values.min()), (series.source,), kind="loss")
    >>> @hookimpl
    ... def register_metrics():
    ...     return [Metric("loss.train.lowest", "lowest logged loss", lowest, needs=("loss",))]
    >>> register_metrics()[0].needs
    ('loss',)
    """


@hookspec
def register_curves() -> Iterable[Curve]:  # type: ignore[empty-body]
    """Curves: figures as data, drawn by the tool.

    >>> from dpo_report.core.contract import Curve
    >>> from dpo_report.core.hookspecs import hookimpl
    >>> from dpo_report.core.plot import Figure, Line, Panel
    >>> from dpo_report.core.text import say
    >>> def build(run, values):
    ...     lr = run.get("learning_rate")
    ...     line = Line("learning rate", lr.steps, lr.values)
    ...     return Figure("schedule", "Schedule", say("The rate."), (Panel("Learning rate", (line,)),))
    >>> @hookimpl
    ... def register_curves():
    ...     return [Curve("schedule", "Learning rate schedule", build, needs=("learning_rate",))]
    >>> register_curves()[0].name
    'schedule'
    """


@hookspec
def register_checks() -> Iterable[Check]:  # type: ignore[empty-body]
    """Checks: rules of what may be said; each gives a finding or says why it cannot.

    >>> from dpo_report.core.contract import Check, NotApplicable, found, passed
    >>> from dpo_report.core.hookspecs import hookimpl
    >>> from dpo_report.core.text import say
    >>> def explain(run, values):
    ...     if run.max_steps is None:
    ...         raise NotApplicable("the run does not tell how many steps were planned")
    ...     if run.max_steps < 100:
    ...         return found(say("The run had only {n} steps.", n=run.max_steps), "caution")
    ...     return passed("100 steps or more")
    >>> @hookimpl
    ... def register_checks():
    ...     return [Check("X1", "Short runs", explain, source="our convention")]
    >>> register_checks()[0].code
    'X1'
    """


@hookspec
def register_claims() -> Iterable[Claim]:  # type: ignore[empty-body]
    """Claims: sentences, the evidence each needs, and the cheapest experiment that would license it.

    >>> from dpo_report.core.contract import Claim
    >>> from dpo_report.core.hookspecs import hookimpl
    >>> @hookimpl
    ... def register_claims():
    ...     return [Claim(4, "the model names valid edges more often", needs=("edges-counted",),
    ...                   licence="count valid edges in 200 held-out answers", patterns=(r"valid edges",))]
    >>> register_claims()[0].level
    4
    """


@hookspec
def register_questions() -> Iterable[Question]:  # type: ignore[empty-body]
    """Questions: what only the author knows.

    >>> from dpo_report.core.contract import Question
    >>> from dpo_report.core.hookspecs import hookimpl
    >>> @hookimpl
    ... def register_questions():
    ...     return [Question("graph", "Which knowledge graph?", "its edges decide what counts as valid")]
    >>> register_questions()[0].id
    'graph'
    """


@hookspec
def register_sections() -> Iterable[Section]:  # type: ignore[empty-body]
    """Sections: parts of the report; the template of that name is looked up in the format's template folder.

    >>> from dpo_report.core.contract import Section
    >>> from dpo_report.core.hookspecs import hookimpl
    >>> @hookimpl
    ... def register_sections():
    ...     return [Section("ethics", "Ethics statement", order=85)]
    >>> register_sections()[0].appendix
    False
    """


@hookspec
def register_formats() -> Iterable[Format]:  # type: ignore[empty-body]
    """Formats: ways of writing the report.

    >>> from dpo_report.core.contract import Format
    >>> from dpo_report.core.hookspecs import hookimpl
    >>> @hookimpl
    ... def register_formats():
    ...     return [Format("names", ".txt", convert=lambda kit: {"report.txt": b"one value name a line"})]
    >>> register_formats()[0].suffix
    '.txt'
    """


@hookspec
def register_works() -> Iterable[Work]:  # type: ignore[empty-body]
    """Works: the literature that checks, metrics and sections may cite by key.

    >>> from dpo_report.core.hookspecs import hookimpl
    >>> from dpo_report.core.works import Work
    >>> @hookimpl
    ... def register_works():
    ...     return [Work("doe2025edges", "misc", {"author": "Doe, Jane", "title": "Edges", "year": "2025"})]
    >>> register_works()[0].short
    'Doe, 2025'
    """


@hookspec
def register_templates() -> Iterable[Path | str]:  # type: ignore[empty-body]
    """Template folders, searched after the user's and before the built-in ones (``default:`` reaches those).

    >>> from pathlib import Path
    >>> from dpo_report.core.hookspecs import hookimpl
    >>> @hookimpl
    ... def register_templates():
    ...     return [Path("/opt/house-style/templates")]  # holds latex/, markdown/, ...
    >>> register_templates()[0].name
    'templates'
    """


@hookspec
def register_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """Sub-commands.

    ``dpo-report --help`` imports the module of this hook, so what a command needs is imported in its ``run``.

    >>> from dpo_report.core.contract import Command
    >>> from dpo_report.core.hookspecs import hookimpl
    >>> def configure(parser):
    ...     parser.add_argument("graph", help="file of edges")
    >>> def run(args):
    ...     import json  # whatever is heavy
    ...     return 0
    >>> @hookimpl
    ... def register_commands():
    ...     return [Command("count-edges", "count the edges of a graph", configure, run)]
    >>> register_commands()[0].name
    'count-edges'
    """


@hookspec
def prepare_environment(env: Environment, format: str) -> None:  # noqa: A002 - the name plugins write
    """Add filters or globals to the template environment of a format, before any template is loaded.

    >>> from dpo_report.core.hookspecs import hookimpl
    >>> @hookimpl
    ... def prepare_environment(env, format):
    ...     env.filters["shout"] = str.upper
    >>> from jinja2 import Environment
    >>> env = Environment()
    >>> prepare_environment(env, "latex")
    >>> env.from_string("{{ 'margin' | shout }}").render()
    'MARGIN'
    """


@hookspec(firstresult=True)
def choose_reader(folder: Folder, candidates: Sequence[tuple[Reader, Match]]) -> str | None:
    """Break a tie: the name of the reader to use, or None to leave it to others.

    The plugin that was loaded last is asked first.

    >>> from dpo_report.core.hookspecs import hookimpl
    >>> @hookimpl
    ... def choose_reader(candidates):
    ...     names = [reader.name for reader, match in candidates]
    ...     return "wandb" if "wandb" in names else None
    >>> choose_reader([]) is None
    True
    """


@hookspec
def report_built(report: Report) -> None:
    """Told after the files stand; what it raises becomes a problem, the files stay.

    >>> from dpo_report.core.hookspecs import hookimpl
    >>> @hookimpl
    ... def report_built(report):
    ...     print(len(report.files), "files")
    """
