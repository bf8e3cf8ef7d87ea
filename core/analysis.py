"""Run -> Analysis: values, figures, findings, claims and questions. Pure: no template, no drawing, no file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from dpo_report.core import claims, thresholds
from dpo_report.core.contract import Check, Curve, Metric, NotApplicable, Question, Values
from dpo_report.core.fixed import fixed
from dpo_report.core.model import Analysis, Finding, OpenQuestion, Problem, Run, Value, Verdict

if TYPE_CHECKING:
    from dpo_report.core.manager import Host
    from dpo_report.core.plot import Figure

_NEAR = 0.905
"""How alike a word and a slip of it are, of 1."""


def analyse(run: Run, host: Host | None = None) -> Analysis:
    """Ask every plugin what it has to say about a run.

    An object that raises costs only itself and becomes a problem (and, for a check, a finding of status ``failed``).
    """
    if host is None:
        from dpo_report.core.manager import default_host

        host = default_host()
    with np.errstate(all="ignore"):  # a run may hold any number; what comes out as none is told as such
        return _analysed(fixed(_limited(run, host.limits)), host)


def _limited(run: Run, limits: Mapping[str, float]) -> Run:
    """The run, and the runs beside it, with the thresholds that the user set."""
    if not limits:
        return run
    return replace(run, limits=limits, siblings=tuple(replace(one, limits=limits) for one in run.siblings))


def _analysed(run: Run, host: Host) -> Analysis:
    problems: list[Problem] = [*run.problems, *host.problems, *thresholds.contradictions(host.checks)]
    values = _values(run, host, problems)
    findings = _findings(run, values, host, problems)
    unjudged = _unjudged(host)
    verdicts = () if unjudged else _judged(run, findings, host)
    figures = tuple(_figures(run, values, host, problems))
    questions = tuple(_questions(run, host, problems))
    problems += _misspelt(run, questions)
    return Analysis(
        run=run,
        values=values,
        figures=figures,
        findings=findings,
        level=claims.reached(verdicts),
        verdicts=verdicts,
        questions=questions,
        problems=tuple(problems),
        works={item.item.key: item.item for item in host.works},
        unjudged=unjudged,
        limits=thresholds.applied(run, [provided.item for provided in host.checks], findings),
    )


def _judged(run: Run, findings: Iterable[Finding], host: Host) -> tuple[Verdict, ...]:
    return claims.judge([provided.item for provided in host.claims], findings, run.method, run.limits)


def _unjudged(host: Host) -> str:
    """Why there is no rule at all: the plugin that was to bring them failed, or is switched off."""
    if host.checks:
        return ""
    failed = [
        problem for plugin in host.plugins if plugin.status in ("failed", "partial") for problem in plugin.problems
    ]
    off = [plugin.name for plugin in host.plugins if plugin.status == "disabled"]
    if failed:
        return "; ".join(f"{problem.where}: {problem.message}" for problem in failed)
    return f"left out: {', '.join(off)}" if off else "no plugin brings any"


def missing(needs: Iterable[str], run: Run, values: Values) -> str:
    """The first unmet need as a sentence, or an empty string; the words are those of :mod:`.contract`."""
    for need in needs:
        kind, _, name = need.rpartition(":")
        if kind == "method":
            if run.method not in name.split(","):
                return (
                    f"this concerns {name.replace(',', ', ')} runs; this one is {run.method or 'of an unknown method'}"
                )
        elif kind == "setting":
            if name not in run.settings:
                return f"the run does not tell the setting {name}"
        elif kind == "summary":
            if name not in run.summary:
                return f"no end-of-training summary with {name} was saved"
        elif kind == "value":
            if name not in values:
                return f"{name} could not be computed"
        elif kind == "eval":
            if not any(
                key == name and split.split(":")[0] == "eval" and len(s) for (key, split), s in run.series.items()
            ):
                return f"no held-out {name} was logged"
        else:
            series = run.get(name, kind or "train")
            if series is None or not len(series):
                return f"no {name} was logged during training"
    return ""


def _values(run: Run, host: Host, problems: list[Problem]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for provided in host.metrics:
        metric: Metric = provided.item
        if missing(metric.needs, run, values):
            continue
        try:
            outcome = host.guard(provided, metric.compute, run)
        except NotApplicable:
            continue
        if isinstance(outcome, Problem):
            problems.append(outcome)
            continue
        for value in [outcome] if isinstance(outcome, Value) else outcome:
            if value.name in values:
                problems.append(
                    Problem(provided.plugin, f"metric {metric.name} gives {value.name}, which exists already")
                )
                continue
            values[value.name] = replace(
                value,
                label=value.label or metric.label,
                unit=value.unit or metric.unit,
                better=metric.better if value.better == "none" else value.better,
                metric=metric.name,
            )
    return values


def _findings(run: Run, values: Values, host: Host, problems: list[Problem]) -> tuple[Finding, ...]:
    findings = []
    for provided in host.checks:
        check: Check = provided.item
        reason = missing(check.needs, run, values)
        if reason:
            finding = Finding("not_applicable", text=reason)
        else:
            try:
                outcome = host.guard(provided, check.explain, run, values)
            except NotApplicable as answer:
                outcome = Finding("not_applicable", text=answer.reason)
            if isinstance(outcome, Problem):
                problems.append(outcome)
                outcome = Finding("failed", text=outcome.message)
            finding = outcome
        findings.append(
            replace(
                finding,
                code=check.code,
                title=check.title,
                section=finding.section or check.section,
                order=finding.order or check.order,
                source=check.source,
            )
        )
    return tuple(findings)


def _figures(run: Run, values: Mapping[str, Value], host: Host, problems: list[Problem]) -> Iterable[Figure]:
    for provided in host.curves:
        curve: Curve = provided.item
        if missing(curve.needs, run, values):
            continue
        try:
            outcome = host.guard(provided, curve.build, run, values)
        except NotApplicable:
            continue
        if isinstance(outcome, Problem):
            problems.append(outcome)
        else:
            yield outcome


def _questions(run: Run, host: Host, problems: list[Problem]) -> Iterable[OpenQuestion]:
    for provided in host.questions:
        question: Question = provided.item
        known = host.guard(provided, question.known, run)
        if isinstance(known, Problem):
            problems.append(known)
            known = None
        answer = run.answers.get(question.id) or known
        yield OpenQuestion(question.id, question.text, question.why, question.standards, answer)


def _misspelt(run: Run, questions: Iterable[OpenQuestion]) -> Iterable[Problem]:
    """Answers under names that nearly are a question's; any other name may be one that a template prints."""
    ids = [question.id for question in questions]
    for name in run.answers:
        near = get_close_matches(name.replace("_", "-"), ids, 1, _NEAR)
        if name not in ids and near:
            yield Problem(f"[answers] {name}", "answers no question", f"did you mean {near[0]}?")
