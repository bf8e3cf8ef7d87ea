"""Whether two places of a folder tell of the same run: the values that both logged decide, never a name alone.

A value counts as evidence only where it could not be equal by chance: it is no whole number and stands once. Every
preference run begins at the same loss, and all seeds of one recipe share their learning rates; so what differs weighs
more than what agrees. One exception: an attempt that was killed and resumed from a checkpoint did its last steps twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dpo_report.core.agreement import agree, same_value, shared
from dpo_report.core.counting import counted_otherwise
from dpo_report.core.model import Problem, Series, Witness

ENOUGH = 3
"""Different telling values that must agree."""
FEW = 0.02
"""Share of values that may differ in one run: an evaluation that was repeated, a log line that was written twice."""
SETTINGS = 20
"""Settings that must be shared, and all agree, where no values are."""


@dataclass(slots=True)
class Evidence:
    """What was compared."""

    agreed: set[float] = field(default_factory=set)
    """Telling values that both places have, at the same step."""
    good: list[float] = field(default_factory=list)
    """Steps at which all agreed."""
    bad: list[float] = field(default_factory=list)
    """Steps at which something differed."""
    compared: int = 0
    """Values that both places have."""
    differing: int = 0
    """How many of them differ."""
    why: str = ""
    """The verdict in words."""
    by_nothing: bool = False
    """Whether the second place tells nothing that could be compared."""
    by_settings: bool = False
    """Whether nothing but settings was compared, which several attempts with one recipe share."""
    recount: dict[float, float] | None = None
    """The first place's step for each of the second's, where they count otherwise."""
    until: float | None = None
    """The step after which the second place's values were done again and do not count; None where all count."""

    @property
    def weight(self) -> int:
        """The more, the surer."""
        return len(self.agreed)


def related(host: Sequence[Witness], guest: Sequence[Witness]) -> Evidence | None:
    """What shows that two places tell of one run; None where nothing does, or where something speaks against it."""
    if _planned_otherwise(host, guest):
        return None
    found = Evidence()
    steps: dict[float, bool] = {}
    for one in _series(host):
        for other in _series(guest):
            if (one.name, one.split) == (other.name, other.split):
                _compare_series(one, other, steps, found)
    _compare_summaries(host, guest, found)
    found.good = sorted(step for step, same in steps.items() if same)
    found.bad = sorted(step for step, same in steps.items() if not same)
    verdict = _judged(host, guest, found) if found.compared else None
    if verdict is None and has_metrics(host) and has_metrics(guest):
        found.recount = counted_otherwise(host, guest)
        found.why = "the same values in the same order, counted otherwise"
        return found if found.recount else None
    return verdict or _without_values(host, guest, found)


def alike(host: Sequence[Witness], guest: Sequence[Witness]) -> bool:
    """Whether two places that do not lie in each other were given the same settings: enough, and none differs.

    The last parts of paths count here: two runs of one recipe differ in their output folders, if in nothing else.
    """
    mine, theirs = _settings(host), _settings(guest)
    common = mine.keys() & theirs.keys()
    return len(common) >= SETTINGS and all(
        same_value(mine[key], theirs[key]) and _last_part(mine[key]) == _last_part(theirs[key]) for key in common
    )


def _settings(group: Sequence[Witness]) -> dict[str, Any]:
    return {key: one.value for witness in group for key, one in witness.settings.items()}


def _last_part(value: Any) -> str:
    """The last part of a path; empty for anything else."""
    return value.replace("\\", "/").rstrip("/").rpartition("/")[2] if isinstance(value, str) and "/" in value else ""


def without_tail(witness: Witness, until: float, said: str) -> Witness:
    """A witness with its series up to a step; the rest was done again elsewhere."""
    kept = tuple(one.where(one.steps <= until) for one in witness.series)
    problem = Problem(witness.files[0] if witness.files else ".", said)
    return replace(
        witness,
        series=tuple(one for one in kept if len(one)),
        problems=(*witness.problems, problem),
        global_step=None if witness.global_step is None else min(witness.global_step, int(until)),
    )


def _series(group: Sequence[Witness]) -> list[Series]:
    return [one for witness in group for one in witness.series if len(one)]


def _planned_otherwise(host: Sequence[Witness], guest: Sequence[Witness]) -> bool:
    mine = {witness.max_steps for witness in host} - {None}
    theirs = {witness.max_steps for witness in guest} - {None}
    return bool(mine and theirs and not mine & theirs)


def _compare_series(one: Series, other: Series, steps: dict[float, bool], found: Evidence) -> None:
    mine, theirs = shared(one, other)
    if not len(mine):
        return
    a, b = one.values[mine], other.values[theirs]
    same = agree(a, b)
    found.compared += len(same)
    found.differing += int((~same).sum())
    for step, fits in zip(one.steps[mine].tolist(), same.tolist(), strict=True):
        steps[step] = steps.get(step, True) and fits
    telling = same & np.isfinite(a) & (a != np.round(a))
    found.agreed.update(float(f"{value:.5g}") for value in a[telling][:: max(1, len(a) // 200)].tolist())


def _compare_summaries(host: Sequence[Witness], guest: Sequence[Witness], found: Evidence) -> None:
    """Closing values of both, and the last points of one against the closing values of the other."""
    ours, theirs = (_closing(group) for group in (host, guest))
    for key in ours.keys() & theirs.keys():
        if not same_value(ours[key], theirs[key]):
            continue  # a summary written after another evaluation contradicts nothing
        found.compared += 1
        if ours[key] != round(ours[key]):
            found.agreed.add(float(f"{ours[key]:.5g}"))


def _closing(group: Sequence[Witness]) -> dict[str, float]:
    """Numbers of the summary, and the last value of each held-out series under the trainer's own key."""
    found: dict[str, float] = {}
    for witness in group:
        for one in witness.series:
            if len(one) and one.split != "train":
                found.setdefault(f"{one.split.replace(':', '_')}_{one.name}", float(one.values[-1]))
        found |= {
            key: float(datum.value) for key, datum in witness.summary.items() if isinstance(datum.value, int | float)
        }
    return {key: value for key, value in found.items() if np.isfinite(value)}


def _judged(host: Sequence[Witness], guest: Sequence[Witness], found: Evidence) -> Evidence | None:
    covered = sum(map(len, _series(guest))) <= found.compared and not found.differing  # then nothing could be mixed
    if found.weight < (1 if covered else ENOUGH):
        return None
    if found.differing <= FEW * found.compared:
        found.why = f"{found.compared - found.differing:,} of {found.compared:,} shared values agree"
        return found
    ended = max((float(one.steps[-1]) for one in _series(guest)), default=0.0)
    went_on = max((float(one.steps[-1]) for one in _series(host)), default=0.0)
    resumed = found.good and found.bad[0] > found.good[-1] and len(found.bad) < len(found.good) and went_on > ended
    if not resumed:
        return None
    found.until = found.good[-1]
    found.why = f"the same up to step {found.until:g}; what follows was done again after a resumption"
    return found


def _without_values(host: Sequence[Witness], guest: Sequence[Witness], found: Evidence) -> Evidence | None:
    """Where one place logged nothing that the other has: its settings must be those of the other, or it has none."""
    mine, theirs = _settings(host), _settings(guest)
    common = mine.keys() & theirs.keys()
    differing = [key for key in common if not same_value(mine[key], theirs[key])]
    if not theirs and not _series(guest) and not any(witness.summary for witness in guest):
        found.by_nothing = True
        found.why = "it tells nothing of its own"
        return found
    if has_metrics(host) and has_metrics(guest):
        return None
    if len(common) >= SETTINGS and not differing:
        found.by_settings = True
        found.why = f"all {len(common):,} shared settings agree, and only one of the two logged values"
        return found
    return None


def has_metrics(group: Sequence[Witness]) -> bool:
    """Whether anything was logged."""
    return any(witness.series or witness.summary for witness in group)
