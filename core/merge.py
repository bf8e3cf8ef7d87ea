"""Witnesses of one run become one run: by step and split, the more precise one winning, contradictions told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from dpo_report.core.agreement import agree, finer, same_value, shared
from dpo_report.core.methods import contradicted, surest
from dpo_report.core.model import Datum, Problem, Run, RunStatus, Series, Setting, Source, Witness

_MATTER: tuple[RunStatus, ...] = ("diverged", "completed", "running", "incomplete", "no-metrics", "unknown")
SAVED_LAST = "what was saved last"
"""How a checkpoint is named that a log has gone beyond: nothing to be told while training goes on."""
_LISTED = 3
"""Contradictions between two files that are named one by one."""
_LAST_STEP = 1e15
"""No training takes more steps; beyond, floats do not tell neighbours apart."""
_LARGEST = 10**100
"""The largest whole number of a setting that stays one; few programs read larger ones, and a float ends at 10³⁰⁸."""


@dataclass(slots=True)
class _Contradictions:
    """What one file tells otherwise than another, told in one line for each pair of files and kind."""

    series: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    values: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def compare(self, key: str, kept: Any, other: Any, kept_in: str, other_in: str) -> None:
        """Note two settings or closing values that differ by more than rounding."""
        if kept_in != other_in and not same_value(kept, other):
            said = f"{key} is {other!s:.80} here and {kept!s:.80} in {kept_in}"
            self.values.setdefault((other_in, kept_in), []).append(said)

    def differs(self, series: Series, other_in: str, steps: list[float]) -> None:
        """Note the steps at which another file tells other values."""
        kept_in = series.source_at(int(np.searchsorted(series.steps, steps[0]))).file
        where = f"at step {steps[0]:g}" if len(steps) == 1 else f"at {len(steps):,} steps, first at step {steps[0]:g}"
        said = f"{series.split} {series.name} differs from {kept_in} {where}"
        self.series.setdefault((other_in, kept_in), []).append(said)

    def problems(self) -> list[Problem]:
        """One line for each; the fourth and later ones of two files together."""
        found = []
        for told in (self.series, self.values):
            for (file, _), lines in told.items():
                found += [Problem(file, f"{line}; the latter is used") for line in lines[:_LISTED]]
                if len(lines) > _LISTED:
                    found[-1] = Problem(
                        file, f"{lines[_LISTED - 1]}, and {len(lines) - _LISTED} more; the latter are used"
                    )
        return found


def merge(group: Sequence[Witness], directory: Path, name: str) -> Run:
    """One run from its witnesses, the weightiest first."""
    group = [_counting(witness) for witness in group]
    first = group[0]
    contradictions = _Contradictions()
    problems = [problem for witness in group for problem in witness.problems]
    ended, step, planned, said, leading = _end(group)
    series: dict[tuple[str, str], Series] = {}
    settings: dict[str, Setting] = {}
    summary: dict[str, Datum] = {}
    versions: dict[str, str] = {}
    for witness in group:
        for one in _counted(witness, problems):
            place = (one.name, one.split)
            series[place] = _joined(series[place], one, contradictions) if place in series else one
        for key, setting in witness.settings.items():
            value = bounded(setting.value)
            held = setting if value is setting.value else replace(setting, value=value)
            kept = settings.setdefault(key, held)
            if kept is not held:
                contradictions.compare(key, kept.value, held.value, kept.source.file, held.source.file)
        for package, version in witness.versions.items():
            versions.setdefault(package, version)
    for witness in (leading, *group):  # closing values are of the end, so whoever saw it comes first
        for key, datum in witness.summary.items():
            told = summary.setdefault(key, datum)
            if witness.global_step in (None, leading.global_step):
                contradictions.compare(key, told.value, datum.value, told.source.file, datum.source.file)
    method = surest(group)
    problems += contradicted(method, group)
    return Run(
        directory=directory,
        name=name,
        reader=first.reader,
        trainer=_known(one.trainer for one in (method, *group) if one.method in (None, method.method)),
        method=method.method,
        method_why=method.method_why,
        status=ended,
        global_step=step,
        max_steps=planned,
        epoch=_epoch(group, leading, step, series.get(("epoch", "train"))),
        versions=versions,
        settings=settings,
        summary=summary,
        series=series,
        files=(),
        facts={},
        answers={},
        problems=tuple(dict.fromkeys((*said, *problems, *contradictions.problems()))),
        witnesses=tuple(group),
        method_sure=method.method_sure,
    )


def _end(group: Sequence[Witness]) -> tuple[RunStatus, int | None, int | None, list[Problem], Witness]:
    """How the run ended, its last and its planned step, what must be said of that, and who saw the end.

    The most precise witness that counts steps is the authority on them, of equal ones that which went furthest; how the
    run ended any may tell, and one that shows the end, the planned one or the trainer's closing words, counts for the
    step too.
    """
    planned: int | None = _known(witness.max_steps for witness in group)
    counting = [witness for witness in group if witness.global_step is not None]
    equal = [witness for witness in counting if witness.precision == counting[0].precision]
    authority = max(equal, key=lambda witness: witness.global_step or 0, default=None)
    logged = any(witness.series or witness.summary for witness in group)
    told = [witness.status for witness in group if not (logged and witness.status == "no-metrics")]
    status: RunStatus = min(told or ["unknown"], key=_MATTER.index)
    if authority is None or authority.global_step is None:
        return status, None, planned, [], group[0]
    step = authority.global_step
    further = max(group, key=lambda witness: -1 if witness.global_step is None else witness.global_step)
    reached = further.global_step
    if reached is None or reached <= step or (planned is not None and reached > planned):
        if status in ("unknown", "completed") and planned is not None:
            status = "completed" if step >= planned else "incomplete"
        return status, step, planned, [], authority
    mine, theirs = (witness.files[0] if witness.files else "." for witness in (authority, further))
    if reached == planned or further.status == "completed":
        if status != "diverged":
            status = "completed" if planned is None or reached == planned else "incomplete"
        said = f"stands at step {step:,}; {theirs} goes on to the end, step {reached:,}"
        return status, reached, planned, [Problem(mine, said)], further
    said = f"goes on to step {reached:,}; {mine}, {SAVED_LAST}, stands at step {step:,}"
    if status == "completed" and planned is not None:
        status = "incomplete"  # training ended by itself, before its plan
    return status, step, planned, [Problem(theirs, said)], further


def _epoch(group: Sequence[Witness], leading: Witness, step: int | None, logged: Series | None) -> float | None:
    """The epoch at the run's step: told there, logged there, or told by a witness that counts no steps."""
    ordered = (leading, *group)
    there = [witness for witness in ordered if step is None or witness.global_step == step]
    told: float | None = _known(witness.epoch for witness in there)
    if told is None and step is not None:
        counted = any(witness.epoch is not None for witness in group)  # else the log tells which one it was in, from 0
        if counted and logged is not None and step in logged.steps:
            return float(logged.values[np.searchsorted(logged.steps, step)])
        told = _known(witness.epoch for witness in ordered if witness.global_step is None)
    return told


def _counting(witness: Witness) -> Witness:
    """A witness without counts that are none."""
    step, planned, epoch = witness.global_step, witness.max_steps, witness.epoch
    return replace(
        witness,
        global_step=step if step is not None and 0 <= step <= _LAST_STEP else None,
        max_steps=planned if planned is not None and planned <= _LAST_STEP else None,
        epoch=epoch if epoch is not None and 0 <= epoch <= _LAST_STEP else None,
    )


def _counted(witness: Witness, problems: list[Problem]) -> Iterator[Series]:
    """The series of a witness without points at steps that are none; those are told."""
    lost = 0
    looked_at: dict[int, tuple[Any, bool]] = {}  # curves of one row have the same steps, often the very same array
    for series in witness.series:
        if id(series.steps) not in looked_at:
            near = np.abs(series.steps) <= _LAST_STEP
            looked_at[id(series.steps)] = near, bool(near.all())
        keep, whole = looked_at[id(series.steps)]
        if whole:
            yield series
            continue
        lost += int(np.count_nonzero(~keep))
        if keep.any():
            yield series.where(keep)
    if lost:
        points = "1 point stands at a step" if lost == 1 else f"{lost:,} points stand at steps"
        said = f"{points} that no training reaches, left out"
        problems.append(Problem(witness.files[0] if witness.files else ".", said))


def _known(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def _joined(have: Series, extra: Series, contradictions: _Contradictions) -> Series:
    """Both series by step; where both have one, the value that was not rounded, else that of the first."""
    mine, theirs = shared(have, extra)
    same = agree(have.values[mine], extra.values[theirs])
    if len(mine) and same.all() and finer(extra.values[theirs], have.values[mine]):
        have, extra, mine, theirs = extra, have, theirs, mine
    if not same.all():
        contradictions.differs(have, extra.sources[0].file, have.steps[mine][~same].tolist())
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


def bounded(value: Any) -> Any:
    """A setting that every format can hold: whole numbers beyond all use become words.

    >>> bounded([7, 10**400])
    [7, '1.000000e+400']
    """
    if isinstance(value, int) and abs(value) > _LARGEST:
        return f"{Decimal(value):.6e}"
    if isinstance(value, list | tuple):
        return [bounded(item) for item in value]
    if isinstance(value, dict):
        return {key: bounded(item) for key, item in value.items()}
    return value


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
