"""The pages of the reference, made from parsers, hooks, records, rules and the schema of report.json."""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from dpo_report.core import arguments, contract, hookspecs, testing, text
from dpo_report.core.host.registry import SPECS
from dpo_report.core.manager import Host
from dpo_report.core.records import findings, run, series, witness
from dpo_report.core.render import BUILTIN
from dpo_report.core.thresholds import shown

MADE = "<!-- made by docs/generate.py: change what it describes, not this page -->\n"


def pages() -> dict[str, str]:
    """Text of every page by its name."""
    host = Host(discover=False)
    made = {
        "commands.md": _commands(host),
        "values.md": _values(host),
        "rules.md": _rules(host),
        "claims.md": _claims(host),
        "questions.md": _questions(host),
        "formats-written.md": _formats(host),
        "report-json.md": _schema(),
        "plugin-api.md": _api(),
    }
    return {name: MADE + "\n" + "\n".join(lines).rstrip() + "\n" for name, lines in made.items()}


def _commands(host: Host) -> Iterator[str]:
    yield "# Commands\n"
    yield "Every command also takes `--plugin FILE`, `--no-plugin NAME` and `--strict`.\n"
    yield "| Exit status | |\n|---|---|"
    yield "| 0 | done |\n| 1 | a problem that you can solve: one line of it, one of advice |"
    yield "| 2 | a word that the command line does not know |\n| 3 | a bug, with a report to paste |"
    yield "| 130 | interrupted |\n"
    brought = {provided.item.name: provided.item for provided in host.commands}
    _, parsers = arguments.parser_for({name: command.help for name, command in brought.items()})
    for name, parser in parsers.items():
        if name in brought:
            brought[name].configure(parser)
        yield f"## dpo-report {name}\n"
        yield f"{parser.description}\n"
        rows = [_argument(action) for action in parser._actions if _own(action)]
        if rows:
            yield "| | |\n|---|---|"
            yield from rows
            yield ""
        if parser.epilog:
            yield f"```text\n{parser.epilog.strip()}\n```\n"


def _own(action: argparse.Action) -> bool:
    shared = {"--help", "--plugin", "--no-plugin", "--strict"}
    return action.help is not argparse.SUPPRESS and not shared & set(action.option_strings)


def _argument(action: argparse.Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, tuple) else (action.metavar,) if action.metavar else ()
    choices = "|".join(map(str, action.choices)) if action.choices is not None else ""
    takes = " ".join(metavar) or choices or ("" if action.nargs == 0 else action.dest.upper())
    names = ", ".join(action.option_strings)
    word = f"{names} {takes}".strip() if names else takes
    return f"| `{word.replace('|', '¦')}` | {_cell(action.help or '')} |"


def _values(host: Host) -> Iterator[str]:
    yield "# Value names\n"
    yield "The names are stable; a change stands in the CHANGELOG. The macro of a value is `\\Dpo` and its words in"
    yield "camel case: `loss.train.mean` is `\\DpoLossTrainMean`. A metric may give several values.\n"
    yield "| Name | What it is | The trainer's keys |\n|---|---|---|"
    for provided in host.metrics:
        metric = provided.item
        keys = ", ".join(f"`{key}`" for key in metric.keys)
        yield f"| [`{metric.name}`](#{_slug(metric.name)}) | {_cell(metric.label)} | {keys} |"
    yield ""
    for provided in host.metrics:
        metric = provided.item
        told = {
            "Meaning": metric.meaning,
            "For your paper": metric.paper.replace("{value}", "…"),
            "Context": metric.context,
            "Compare with": metric.compare,
            "Needs": ", ".join(f"`{need}`" for need in metric.needs),
            "Source": metric.source,
        }
        yield f'<a id="{_slug(metric.name)}"></a>\n'
        yield f"## {metric.name}\n"
        yield from (f"* **{heading}:** {_prose(words)}" for heading, words in told.items() if words)
        yield ""


def _rules(host: Host) -> Iterator[str]:
    yield "# Rules\n"
    yield "A rule speaks, passes, or says why it cannot speak about a run: `dpo-report explain CODE RUN` shows which."
    yield "Thresholds are conventions where nothing else is said; [how to set one](../howto/thresholds.md).\n"
    for provided in host.checks:
        check = provided.item
        yield f"## {check.code}: {check.title}\n"
        told = {
            "Never": check.forbids,
            "Needs": ", ".join(f"`{need}`" for need in check.needs),
            "Rests on": check.source,
            "Speaks in": check.section.capitalize(),
        }
        yield from (f"* **{heading}:** {_prose(words)}" for heading, words in told.items() if words)
        for one in check.thresholds:
            source = f" ({one.source})" if one.source != contract.CONVENTION else ""
            yield f"* **Threshold** `{one.name}` = {shown(one.value, one.unit)}: {_prose(one.meaning)}{source}"
        yield ""


def _claims(host: Host) -> Iterator[str]:
    claims = [provided.item for provided in host.claims]
    yield "# Claims\n"
    yield "## The ladder\n\n| Level | Sentence | For | The cheapest experiment that licenses it |\n|---|---|---|---|"
    for claim in sorted((c for c in claims if not c.patterns), key=lambda c: c.level):
        methods = ", ".join(claim.methods) or "any method"
        yield f"| {claim.level} | {_cell(claim.text)} | {methods} | {_cell(claim.licensed({}))} |"
    yield "\n## Phrases that need evidence\n\n| Rule | Phrases that say | The cheapest way to show it |\n|---|---|---|"
    for claim in claims:
        if claim.patterns:
            yield f"| {claim.code} | {_cell(claim.text)} | {_cell(claim.licensed({}))} |"


def _questions(host: Host) -> Iterator[str]:
    yield "# Questions\n"
    yield "What only the author knows. An answer stands in `RUN/dpo-report.toml`, in the table `[answers]`.\n"
    yield "| Id | Question | Why | Asked by |\n|---|---|---|---|"
    for provided in host.questions:
        question = provided.item
        standards = _cell("; ".join(question.standards))
        yield f"| `{question.id}` | {_cell(question.text)} | {_cell(question.why)} | {standards} |"


def _formats(host: Host) -> Iterator[str]:
    yield "# Formats\n"
    yield "`dpo-report build RUN -f NAME[,NAME]`; `report.json` is written beside any of them.\n"
    yield "| Name | Main file ends in | Templates |\n|---|---|---|"
    for provided in host.formats:
        item = provided.item
        yield f"| `{item.name}` | `{item.suffix}` | {f'`{item.base}`' if item.base else 'none'} |"
    yield "\n## Sections\n\n| Name | Title | Order | |\n|---|---|---|---|"
    for section in (provided.item for provided in host.sections):
        yield f"| `{section.name}` | {section.title} | {section.order:g} | {'appendix' if section.appendix else ''} |"
    yield "\n## Templates\n"
    for family in sorted(path.name for path in BUILTIN.iterdir() if path.is_dir() and path.name != "__pycache__"):
        names = sorted(path.name for path in (BUILTIN / family).iterdir() if path.is_file())
        yield f"* `{family}/`: {', '.join(f'`{name}`' for name in names)}"


def _schema() -> Iterator[str]:
    schema = json.loads((Path(contract.__file__).parent / "report.schema.json").read_text(encoding="utf-8"))
    yield "# report.json\n"
    yield f"{schema['title']}. Non-finite numbers are the strings `NaN`, `Infinity` and `-Infinity`."
    yield "The schema itself is `dpo_report/core/report.schema.json` in the installed package.\n"
    yield from _object("The file", schema)
    for name, part in schema["$defs"].items():
        if part.get("type") == "object":
            yield from _object(name, part)


def _object(name: str, part: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}\n"
    if "description" in part:
        yield f"{part['description']}\n"
    yield "| Key | Holds | |\n|---|---|---|"
    for key, told in part.get("properties", {}).items():
        yield f"| `{key}` | {_cell(_kind(told))} | {_cell(told.get('description', ''))} |"
    yield ""


def _kind(told: Mapping[str, Any]) -> str:
    if "$ref" in told:
        return str(told["$ref"]).rpartition("/")[2]
    if "const" in told:
        return json.dumps(told["const"])
    if "enum" in told:
        return ", ".join(json.dumps(word) for word in told["enum"])
    if "oneOf" in told:
        return " or ".join(_kind(one) for one in told["oneOf"])
    kind = told.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(told.get('items', {}))}"
    if kind == "object" and isinstance(told.get("additionalProperties"), dict):
        return f"object of {_kind(told['additionalProperties'])}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _api() -> Iterator[str]:
    yield "# Plugin API\n"
    yield f"Version {contract.API}. A plugin says in its module which one it was written for:"
    yield f"`DPO_REPORT_API = {contract.API}`."
    yield "One that was written for another is refused by name; one that says nothing is taken as it is. New hooks and"
    yield "new fields with defaults do not change the number; whatever breaks a working plugin does.\n"
    yield "## Hooks\n\nMark a function with `@dpo_report.hookimpl`; leave out arguments that you do not use.\n"
    for name in SPECS:
        function = getattr(hookspecs, name)
        signature = str(inspect.signature(function)).replace("'", "")
        yield f"### {name}\n\n```python\ndef {name}{signature}\n```\n"
        yield from _documented(inspect.getdoc(function) or "")
    yield "## What hooks declare\n"
    yield from _records(contract, skip=("Values",))
    yield "## What they are given and give\n"
    for module, only in (
        (series, ("Source", "Series")),
        (witness, ("Problem", "Setting", "Datum", "Witness")),
        (run, ("Run",)),
        (findings, ("Value", "Finding")),
    ):
        yield from _records(module, only)
    yield "## Sentences\n"
    yield from _functions(text, ("say", "join", "listing"))
    yield "## For tests: dpo_report.testing\n"
    yield 'Write `pytest_plugins = ["dpo_report.testing"]` into your conftest.py for the fixtures `dpo_host` (the'
    yield "function `host_of`, with discovery blocked) and `no_discovery`.\n"
    names = ("host_of", "made_run", "made_series", "analysed", "value", "finding", "sentence", "report_files")
    yield from _functions(testing, names)


def _functions(module: ModuleType, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        function = getattr(module, name)
        signature = str(inspect.signature(function)).replace("'", "")
        yield f"### {name}\n\n```python\n{name}{signature}\n```\n"
        yield from _documented(inspect.getdoc(function) or "")


def _documented(doc: str) -> Iterator[str]:
    """A docstring, its examples as code."""
    prose, _, code = doc.partition("\n>>> ")
    yield f"{_prose(prose).strip()}\n"
    if code:
        yield f"```python\n>>> {code.strip()}\n```\n"


def _records(module: ModuleType, only: tuple[str, ...] = (), skip: tuple[str, ...] = ()) -> Iterator[str]:
    """Dataclasses of a module with what stands under each field."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for node in tree.body:
        named = isinstance(node, ast.ClassDef) and node.name not in skip and (not only or node.name in only)
        if not named or not isinstance(node, ast.ClassDef):
            continue
        yield f"### {node.name}\n\n{_prose(ast.get_docstring(node) or '')}\n"
        rows = list(_fields(node))
        if rows:
            yield "| Field | Type | |\n|---|---|---|"
            yield from rows
            yield ""


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for item, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            default = " (optional)" if item.value is not None else ""
            told = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            kind = ast.unparse(item.annotation).replace("|", "or")
            yield f"| `{item.target.id}`{default} | `{kind}` | {_cell(_prose(str(told)))} |"


def _prose(words: str) -> str:
    """Docstring marks as Markdown."""
    words = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", words)
    return words.replace("``", "`").replace("[@", "[").replace("<", "&lt;")


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")


def _slug(name: str) -> str:
    return "value-" + re.sub(r"[^a-z0-9]+", "-", name.lower())
