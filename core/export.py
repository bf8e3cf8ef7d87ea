"""Analysis -> report.json: everything that was read and found, in a stable form (schema version 1)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dpo_report.core.model import Analysis, Finding, Problem, Series, Source, Value
from dpo_report.core.portable import portable
from dpo_report.core.text import Text

SCHEMA = 1


def dumps(document: Mapping[str, Any]) -> bytes:
    """Strict JSON in UTF-8: no NaN literal, no lone surrogate."""
    return (json.dumps(strict(document), ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def report(
    analyses: Sequence[Analysis],
    version: str,
    figures: Mapping[str, Sequence[str]] | None = None,
    written: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The document of some runs.

    Args:
        analyses: of each run.
        version: ours.
        figures: the files of each figure by its name.
        written: the other files of its folder, so that the next report tells them from those of somebody else.
    """
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "generator": {"name": "dpo-report", "version": version},  # first: a report is recognised by it
        "runs": [_run(analysis, figures or {}) for analysis in analyses],
    }
    return document if written is None else document | {"written": list(written)}


def strict(value: Any) -> Any:
    """Any value as JSON may hold it; non-finite numbers as the strings ``NaN``, ``Infinity``, ``-Infinity``.

    >>> strict({"a": float("nan"), 1: (float("-inf"), 2)}), strict({3, 1})
    ({'a': 'NaN', '1': ['-Infinity', 2]}, [1, 3])
    """
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {strict(str(key)): strict(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return [strict(item) for item in sorted(value, key=repr)]
    if isinstance(value, Sequence):
        return [strict(item) for item in value]
    return strict(str(value))


def _run(analysis: Analysis, figures: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    run = analysis.run
    return {
        "directory": run.directory.name,
        "name": run.name,
        "reader": run.reader,
        "trainer": run.trainer,
        "method": run.method,
        "method_why": run.method_why,
        "method_sure": run.method_sure if run.method else None,
        "status": run.status,
        "global_step": run.global_step,
        "max_steps": run.max_steps,
        "epoch": run.epoch,
        "versions": dict(run.versions),
        "settings": {
            name: {"value": portable(s.value), "source": _source(s.source), "is_default": s.is_default}
            for name, s in run.settings.items()
        },
        "facts": {
            name: {"value": portable(s.value), "source": _source(s.source)} for name, s in run.facts.items()
        },
        "summary": {key: {"value": d.value, "source": _source(d.source)} for key, d in run.summary.items()},
        "series": [_series(series) for series in run.series.values()],
        "files": [
            {"path": file.path, "bytes": file.bytes, "role": file.role, "meaning": file.meaning}
            for file in run.files
        ],
        "values": [_value(value) for value in analysis.values.values()],
        "findings": [_finding(finding, analysis) for finding in analysis.findings],
        "claims": {
            "level": analysis.level,
            "unjudged": analysis.unjudged,
            "allowed": [v.text for v in analysis.verdicts if v.allowed],
            "blocked": [
                {"text": v.text, "level": v.level, "because": v.because, "missing": v.missing, "licence": v.licence,
                 "patterns": v.patterns}
                for v in analysis.verdicts
                if not v.allowed
            ],
        },
        "thresholds": [
            {"name": one.name, "value": one.value, "default": one.default, "unit": one.unit, "meaning": one.meaning,
             "source": one.source, "rules": one.rules}
            for one in analysis.limits
        ],
        "questions": [
            {"id": q.id, "text": q.text, "why": q.why, "standards": q.standards, "answer": q.answer}
            for q in analysis.questions
        ],
        "figures": [
            {
                "name": figure.name,
                "title": figure.title,
                "caption": figure.caption.plain(analysis.works),
                "files": figures.get(figure.name, ()),
            }
            for figure in analysis.figures
        ],
        "problems": [_problem(problem) for problem in analysis.problems],
    }  # fmt: skip


def _source(source: Source) -> dict[str, str]:
    return {"file": source.file, "where": source.where}


def _series(series: Series) -> dict[str, Any]:
    import numpy as np

    finite = np.flatnonzero(np.isfinite(series.values))

    def point(index: int) -> dict[str, Any]:
        step = float(series.steps[index])
        return {"step": int(step) if step.is_integer() else step, "value": float(series.values[index])}

    return {
        "name": series.name,
        "split": series.split,
        "points": len(series),
        "nonfinite": len(series) - len(finite),
        "first": point(0) if len(series) else None,
        "last": point(-1) if len(series) else None,
        "min": point(int(finite[series.values[finite].argmin()])) if len(finite) else None,
        "max": point(int(finite[series.values[finite].argmax()])) if len(finite) else None,
        "source": _source(series.source),
        "sources": [{**_source(source), "points": count} for source, count in series.origins.items()],
    }


def _value(value: Value) -> dict[str, Any]:
    return {
        "name": value.name,
        "label": value.label,
        "value": value.value,
        "unit": value.unit,
        "low": value.low,
        "high": value.high,
        "level": value.level,
        "n": value.n,
        "better": value.better,
        "formula": value.formula,
        "note": value.note,
        "sources": [_source(source) for source in value.sources],
    }


def _finding(finding: Finding, analysis: Analysis) -> dict[str, Any]:
    text = finding.text if isinstance(finding.text, Text) else Text((finding.text,))
    return {
        "code": finding.code,
        "title": finding.title,
        "status": finding.status,
        "severity": finding.severity,
        "section": finding.section,
        "text": text.plain(analysis.works),
        "evidence": finding.evidence,
        "cites": text.cites,
    }


def _problem(problem: Problem) -> dict[str, str]:
    return {"where": problem.where, "message": problem.message, "hint": problem.hint}
