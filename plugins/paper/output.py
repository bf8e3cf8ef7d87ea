"""The outcome for people, for programs and for the code scanning of a forge."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from dpo_report import __version__
from dpo_report.core import numbers
from dpo_report.core.terminal import printable
from dpo_report.plugins.paper.check import Outcome
from dpo_report.plugins.paper.verdicts import Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def text(outcome: Outcome, quiet: bool = False) -> str:
    """A line for each fault with what may stand there; at the end a summary, unless ``quiet``."""
    lines = [line for verdict in outcome.faults for line in _told(verdict)]
    if not quiet:
        lines.append(summary(outcome))
    return "".join(f"{line}\n" for line in lines)


def _told(verdict: Verdict) -> Iterator[str]:
    rule = f"{verdict.rule} " if verdict.rule else ""
    yield printable(f"{verdict.file}:{verdict.line}: {rule}{verdict.state}: “{verdict.words}”")
    yield printable(f"    {verdict.message}")
    if verdict.rewrite:
        yield printable(f"    write: {verdict.rewrite}")
    elif verdict.state == "forbidden":
        yield "    leave it out"
    if verdict.licence:
        yield printable(f"    or: {verdict.licence}")


def summary(outcome: Outcome) -> str:
    """``12 numbers of the run: 10 right, 1 stale, 1 wrongly named; 2 sentences that it does not carry``"""
    states = Counter[str](verdict.state for verdict in outcome.verdicts)
    forbidden = states.pop("forbidden", 0)
    total = sum(states.values())
    order = ("right", "stale", "wrongly rounded", "wrongly named", "unsupported")
    parts = ", ".join(f"{states[state]:,} {state}" for state in order if states[state])
    said = f"{numbers.plural(total, 'number')} of the run" + (f": {parts}" if parts else "")
    carried = (
        f"{numbers.plural(forbidden, 'sentence')} that it does not carry" if forbidden else "no sentence beyond it"
    )
    return f"{said}; {carried} ({numbers.plural(outcome.sentences, 'sentence')} read)"


def as_json(outcome: Outcome) -> str:
    """Everything, right numbers included. ``schema`` is raised when a key changes its meaning."""
    states = Counter(verdict.state for verdict in outcome.verdicts)
    document = {
        "schema": 1,
        "generator": {"name": "dpo-report", "version": __version__},
        "clean": not outcome.faults,
        "sentences": outcome.sentences,
        "counts": dict(sorted(states.items())),
        "verdicts": [asdict(verdict) for verdict in outcome.verdicts],
        "notes": list(outcome.notes),
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def as_sarif(outcome: Outcome) -> str:
    """SARIF 2.1.0 (OASIS), one result a fault; the rule of a plain wrong number is ``number``."""
    faults = outcome.faults
    rules = sorted({_rule(verdict) for verdict in faults})
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "dpo-report",
                        "version": __version__,
                        "rules": [{"id": rule, "shortDescription": {"text": _about(rule)}} for rule in rules],
                    }
                },
                "results": [_result(verdict, rules) for verdict in faults],
                "columnKind": "unicodeCodePoints",
            }
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _rule(verdict: Verdict) -> str:
    return verdict.rule or "number"


def _about(rule: str) -> str:
    return "A number that is not the run's" if rule == "number" else f"Rule {rule} (dpo-report explain {rule})"


def _result(verdict: Verdict, rules: list[str]) -> dict[str, Any]:
    message = f"{verdict.state}: “{verdict.words}”: {verdict.message}."
    if verdict.rewrite:
        message += f" Write: {verdict.rewrite}"
    return {
        "ruleId": _rule(verdict),
        "ruleIndex": rules.index(_rule(verdict)),
        "level": "warning" if verdict.state in ("wrongly rounded", "forbidden") else "error",
        "message": {"text": printable(message)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": verdict.file.replace("\\", "/")},
                    "region": {"startLine": verdict.line},
                }
            }
        ],
    }
