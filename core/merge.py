"""Witnesses of one run become one run: by step and split, the more precise one winning, contradictions told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dpo_report.core.model import Datum, Problem, Run, RunStatus, Series, Setting, Source, Witness

ROUNDING = 2e-3
"""Relative difference up to which two logs of one value are the same value, rounded differently."""
_MATTER: tuple[RunStatus, ...] = ("diverged", "completed", "running", "incomplete", "no-metrics", "unknown")


def merge(group: Sequence[Witness], directory: Path, name: str) -> Run:
    """One run from its witnesses, the weightiest first."""
    first = group[0]
    problems = [problem for witness in group for problem in witness.problems]
    series: dict[tuple[str, str], Series] = {}
    settings: dict[str, Setting] = {}
    summary: dict[str, Datum] = {}
    versions: dict[str, str] = {}
    for witness in group:
        for one in witness.series:
            place = (one.name, one.split)
            series[place] = _joined(series[place], one, problems) if place in series else one
        for key, setting in witness.settings.items():
            kept = settings.setdefault(key, setting)
            _compare(key, kept.value, setting.value, kept.source.file, setting.source.file, problems)
        for key, datum in witness.summary.items():
            told = summary.setdefault(key, datum)
            _compare(key, told.value, datum.value, told.source.file, datum.source.file, problems)
        for package, version in witness.versions.items():
            versions.setdefault(package, version)
    method = next((witness for witness in group if witness.method), first)
    return Run(
        directory=directory,
        name=name,
        reader=first.reader,
        trainer=_known(witness.trainer for witness in group),
        method=method.method,
        method_why=method.method_why,
        status=min((witness.status for witness in group), key=_MATTER.index),
        global_step=_known(witness.global_step for witness in group),
        max_steps=_known(witness.max_steps for witness in group),
        epoch=_known(witness.epoch for witness in group),
        versions=versions,
        settings=settings,
        summary=summary,
        series=series,
        files=(),
        facts={},
        answers={},
        problems=tuple(dict.fromkeys(problems)),
        witnesses=tuple(group),
    )


def _known(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def _compare(key: str, kept: Any, other: Any, file: str, other_file: str, problems: list[Problem]) -> None:
    """Tell where two witnesses differ by more than rounding."""
    if file == other_file or kept == other:
        return
    if isinstance(kept, int | float) and isinstance(other, int | float):
        same = abs(kept - other) <= ROUNDING * max(abs(kept), abs(other)) or (kept != kept and other != other)
    else:
        same = str(kept) == str(other)
    if not same:
        said = f"{key} is {other!s:.80} here and {kept!s:.80} in {file}; the latter is used"
        problems.append(Problem(other_file, said))


def _joined(have: Series, extra: Series, problems: list[Problem]) -> Series:
    """The first series with the points of the second at steps that it lacks."""
    import numpy as np

    _, mine, theirs = np.intersect1d(have.steps, extra.steps, return_indices=True)
    a, b = have.values[mine], extra.values[theirs]
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= ROUNDING * np.maximum(np.abs(a), np.abs(b))
    differs = ~(near | (a == b) | (np.isnan(a) & np.isnan(b)))
    if differs.any():
        step = float(have.steps[mine][differs][0])
        problems.append(
            Problem(
                extra.sources[0].file,
                f"{have.split} {have.name} differs from {have.sources[0].file} at {int(differs.sum()):,} steps, "
                f"first at step {step:g}; the latter is used",
            )
        )
    new = ~np.isin(extra.steps, have.steps)
    if not new.any():
        return have
    count = len(have.sources)
    own = np.zeros(len(have), dtype=np.int64) if have.which is None else have.which
    others = np.zeros(len(extra), dtype=np.int64) if extra.which is None else extra.which
    order = np.argsort(np.concatenate([have.steps, extra.steps[new]]), kind="stable")
    return replace(
        have,
        steps=np.concatenate([have.steps, extra.steps[new]])[order],
        values=np.concatenate([have.values, extra.values[new]])[order],
        rows=np.concatenate([have.rows, extra.rows[new]])[order],
        which=np.concatenate([own, others[new] + count])[order],
        sources=(*have.sources, *extra.sources),
    )


def moved(witness: Witness, folder: str) -> Witness:
    """A witness whose files are named from elsewhere: each path with a folder before it."""

    def there(source: Source) -> Source:
        return Source(f"{folder}/{source.file}", source.where)

    return replace(
        witness,
        files=tuple(f"{folder}/{file}" for file in witness.files),
        settings={name: replace(one, source=there(one.source)) for name, one in witness.settings.items()},
        summary={name: replace(one, source=there(one.source)) for name, one in witness.summary.items()},
        series=tuple(replace(one, sources=tuple(there(s) for s in one.sources)) for one in witness.series),
        problems=tuple(replace(one, where=f"{folder}/{one.where}") for one in witness.problems),
    )
