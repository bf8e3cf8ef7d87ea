"""``dpo-report explain``: what a number, a rule or a file means; with a run, its value and where every part stands."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from dpo_report.core import numbers
from dpo_report.core.contract import Check, Claim, FileKind, Metric
from dpo_report.core.errors import ReportError
from dpo_report.core.model import Analysis, Series, Setting, Value
from dpo_report.core.settings import FILE
from dpo_report.core.terminal import printable
from dpo_report.core.thresholds import Limit, limits, shown

if TYPE_CHECKING:
    from dpo_report.core.manager import Host

_SHOWN_SOURCES = 12
"""Sources of one value that are listed; the rest is counted."""


def run(args: argparse.Namespace, host: Host) -> int:
    """Explain one name, or list all of them with ``--all``."""
    if args.all:
        lines = list(_everything(host))
    elif args.name is None:
        raise ReportError(
            "nothing to explain", "give a metric, a rule or a file; `dpo-report explain --all` lists them"
        )
    else:
        analysis = None
        if args.run is not None:
            from dpo_report.core.analysis import analyse
            from dpo_report.core.loader import load

            analysis = analyse(load(args.run, host=host), host)
        lines = list(explain(args.name, host, analysis))
    sys.stdout.write("\n".join(map(printable, lines)) + "\n")
    return 0


def explain(name: str, host: Host, analysis: Analysis | None = None) -> Iterator[str]:
    """The lines about one name.

    Raises:
        ReportError: nothing of that name is known.
    """
    metrics = [
        p.item for p in host.metrics if name == p.item.name or name in p.item.keys or _computed(name, p.item, analysis)
    ]
    checks = [p.item for p in host.checks if p.item.code.casefold() == name.casefold()]
    drawn = [one for one in _limits(host) if one.name.casefold() == name.casefold()]
    claims = [p.item for p in host.claims if p.item.code.casefold() == name.casefold()]
    files = [
        kind for p in host.readers for kind in p.item.files if fnmatchcase(name, kind.pattern) or name == kind.pattern
    ]
    series = (
        [s for (key, split), s in analysis.run.series.items() if name in (key, f"{split}_{key}")] if analysis else []
    )
    setting = analysis.run.settings.get(name) if analysis else None
    if not (metrics or checks or drawn or claims or files or series or setting):
        known = sorted(_names(host))
        near = get_close_matches(name, known, 3, 0.5)
        hint = (
            f"did you mean {' or '.join(near)}?" if near else "`dpo-report explain --all` lists what can be explained"
        )
        if analysis is None:
            hint += "; a setting is known with its run: dpo-report explain NAME RUN"
        raise ReportError(f"nothing is known of {printable(name)!r}", hint)
    for metric in metrics:
        yield from _metric(metric)
        yield from _values(metric, name, analysis)
    if analysis and setting:
        yield from _setting(setting, analysis)
    elif series and not metrics:
        yield f"{name}: logged, and not explained here"
    for one in series:
        yield from _series(one)
    for check in checks:
        yield from _check(check, host, analysis)
    for line in drawn:
        yield f"Threshold {_limit(line)}"
        yield from _wrapped("rules", ", ".join(line.rules))
        yield from _wrapped("rests on", line.source)
    for claim in claims:
        yield from _claim(claim, host)
    for kind in files[:1]:
        yield from _file(kind, analysis)


def _computed(name: str, metric: Metric, analysis: Analysis | None) -> bool:
    value = analysis.values.get(name) if analysis else None
    return value is not None and value.metric == metric.name


def _names(host: Host) -> set[str]:
    metrics = {p.item.name for p in host.metrics} | {key for p in host.metrics for key in p.item.keys}
    rules = {p.item.code for p in host.checks} | {p.item.code for p in host.claims}
    rules |= {one.name for one in _limits(host)}
    return metrics | rules | {kind.pattern for p in host.readers for kind in p.item.files}


def _everything(host: Host) -> Iterator[str]:
    yield "Numbers (value name: trainer's keys)"
    for p in host.metrics:
        keys = f" ({', '.join(p.item.keys)})" if p.item.keys else ""
        yield f"  {p.item.name}: {p.item.label}{keys}"
    yield "Rules"
    for check in host.checks:
        yield f"  {check.item.code}: {check.item.title}"
    yield "Thresholds (name = value: what it is for; the rules)"
    for one in _limits(host):
        yield f"  {_limit(one)}; {', '.join(one.rules)}"
    yield "Phrases that need evidence"
    for claim in host.claims:
        if claim.item.patterns:
            yield f"  {claim.item.code}: {claim.item.text}"
    yield "Files"
    for reader in host.readers:
        for kind in reader.item.files:
            yield f"  {kind.pattern}: {kind.meaning}"


def _wrapped(label: str, text: str) -> Iterator[str]:
    if text:
        yield from textwrap.wrap(text, 96, initial_indent=f"  {label}: ", subsequent_indent="    ")


def _metric(metric: Metric) -> Iterator[str]:
    keys = f"  (logged as {', '.join(metric.keys)})" if metric.keys else ""
    yield f"{metric.name}: {metric.label}{keys}"
    yield from _wrapped("meaning", metric.meaning)
    yield from _wrapped("for your paper", metric.paper.replace("{value}", "…"))
    yield from _wrapped("context", metric.context)
    yield from _wrapped("compare with", metric.compare)
    yield from _wrapped("source", metric.source)


def _values(metric: Metric, name: str, analysis: Analysis | None) -> Iterator[str]:
    if analysis is None:
        return
    mine = [v for v in analysis.values.values() if v.metric == metric.name]
    exact = [v for v in mine if v.name == name]
    if not mine:
        yield f"  in {analysis.run.name}: not available"
    for value in exact or mine:
        yield from _value(value, analysis)


def _value(value: Value, analysis: Analysis) -> Iterator[str]:
    interval = numbers.display_interval(value, table=True)
    shown = numbers.display(value, table=True) + (f" {interval}" if interval else "")
    yield f"  in {analysis.run.name}: {value.name} = {shown}"
    yield from _wrapped("  stored as", repr(value.value))
    yield from _wrapped("  remark", value.note)
    yield from _wrapped("  formula", value.formula)
    for source in value.sources[:_SHOWN_SOURCES]:
        yield f"    from {source.file}" + (f", {source.where}" if source.where else "")
    if len(value.sources) > _SHOWN_SOURCES:
        yield f"    and {len(value.sources) - _SHOWN_SOURCES} more places"


def _setting(setting: Setting, analysis: Analysis) -> Iterator[str]:
    default = " (the library's default)" if setting.is_default else ""
    yield f"{setting.name}: a setting of the run"
    yield f"  in {analysis.run.name}: {numbers.setting(setting.value)}{default}"
    yield f"    from {setting.source.file}" + (f", {setting.source.where}" if setting.source.where else "")


def _series(series: Series) -> Iterator[str]:
    yield f"  logged as {series.name} ({series.split}), {numbers.plural(len(series), 'point')}:"
    for index in dict.fromkeys((0, len(series) - 1)) if len(series) else ():
        source = series.source_at(index)
        yield f"    step {series.steps[index]:g}: {float(series.values[index])!r} from {source.file}, {source.where}"


def _limits(host: Host) -> list[Limit]:
    """Every threshold with the value that counts here."""
    return limits([provided.item for provided in host.checks], host.limits)


def _limit(one: Limit) -> str:
    default = f" (set in {FILE}; default {shown(one.default, one.unit)})" if one.changed else ""
    return f"{one.name} = {shown(one.value, one.unit)}{default}: {one.meaning}"


def _check(check: Check, host: Host, analysis: Analysis | None) -> Iterator[str]:
    yield f"Rule {check.code}: {check.title}"
    doc = " ".join((check.explain.__doc__ or "").split())
    yield from _wrapped("needs", ", ".join(check.needs))
    yield from _wrapped("rests on", check.source)
    yield from _wrapped("forbids", check.forbids)
    yield from _wrapped("note", doc if len(doc) > 8 else "")
    for one in _limits(host):
        if check.code in one.rules:
            yield from _wrapped("threshold", _limit(one))
    if analysis:
        finding = next(f for f in analysis.findings if f.code == check.code)
        text = finding.text if isinstance(finding.text, str) else finding.text.plain(analysis.works)
        yield from _wrapped(
            f"in {analysis.run.name}", f"{finding.status.replace('_', ' ')}: {text or 'nothing to say'}"
        )
        for name in finding.evidence:
            if name in analysis.values:
                yield from _value(analysis.values[name], analysis)


def _claim(claim: Claim, host: Host) -> Iterator[str]:
    yield f"Claim ({claim.code}, level {claim.level}): {claim.text}"
    yield from _wrapped("phrases", ", ".join(claim.patterns))
    yield from _wrapped("needs", ", ".join(claim.needs))
    yield from _wrapped("would be licensed by", claim.licensed(host.limits))


def _file(kind: FileKind, analysis: Analysis | None) -> Iterator[str]:
    yield f"{kind.pattern}: {kind.meaning}"
    yield f"  role: {kind.role}"
    if analysis:
        for file in analysis.run.files:
            if fnmatchcase(file.path.rpartition("/")[2], kind.pattern):
                yield f"    {file.path}, {numbers.count(file.bytes)} bytes"
