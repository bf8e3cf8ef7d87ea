"""From logged points to series: keys named as everywhere, equal steps joined, the closing summary set apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dpo_report.core.model import Datum, Problem, RunStatus, Series, Setting, Source, Witness
from dpo_report.plugins.readers import method
from dpo_report.plugins.readers.hf import status
from dpo_report.plugins.readers.hf.columns import TIMING
from dpo_report.plugins.readers.keys import Key, mapping
from dpo_report.plugins.readers.numbers import whole

Namer = Callable[[Iterable[str]], Mapping[str, Key]]
Method = tuple[str, str, float]
"""The method, what tells it, and how sure that is, from 0 to 1."""
TRAINERS_OWN = "per_device_train_batch_size"
"""A setting by which the arguments of Transformers' Trainer are known."""
MAX_KEYS = 10_000
"""Different quantities that are kept; a real log has some dozen."""


@dataclass(slots=True)
class _Points:
    """One logged quantity, in the order of its file."""

    steps: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """The first point of each source."""


@dataclass(slots=True)
class Told:
    """What a log tells."""

    series: tuple[Series, ...] = ()
    summary: dict[str, Datum] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def last_step(self) -> int | None:
        """The highest step of any series, where steps are whole numbers."""
        end = max((float(one.steps[-1]) for one in self.series if len(one)), default=None)
        last = whole(end)
        return last if last == end else None

    def last(self, name: str, split: str = "train") -> float | None:
        """The last finite value of a series, or None."""
        found = next((one for one in self.series if (one.name, one.split) == (name, split)), None)
        if found is None:
            return None
        finite = found.values[np.isfinite(found.values)]
        return float(finite[-1]) if len(finite) else None


class Log:
    """Collects points by the trainer's own keys."""

    def __init__(self) -> None:
        self._keys: dict[str, _Points] = {}
        self.dropped = 0
        """Points of more keys than ``MAX_KEYS``."""

    def __len__(self) -> int:
        return sum(len(points.steps) for points in self._keys.values())

    @property
    def keys(self) -> list[str]:
        """The keys seen so far, in the order of their first points."""
        return list(self._keys)

    def add(self, key: str, step: float, value: float, row: int, source: Source) -> None:
        """One point; ``source.where`` holds ``{row}`` where the row's number belongs."""
        points = self._keys.get(key)
        if points is None:
            if len(self._keys) >= MAX_KEYS:
                self.dropped += 1
                return
            points = self._keys[key] = _Points()
        if not points.sources or (points.sources[-1] is not source and points.sources[-1] != source):
            points.sources.append(source)
            points.starts.append(len(points.steps))
        points.steps.append(step)
        points.values.append(value)
        points.rows.append(row)

    def extend(
        self, key: str, steps: Iterable[float], values: Iterable[float], rows: Iterable[int], source: Source
    ) -> None:
        """All points of a key that has none yet."""
        if len(self._keys) >= MAX_KEYS:
            self.dropped += len(list(steps))
            return
        self._keys[key] = _Points(list(steps), list(values), list(rows), [source], [0])

    def told(self, namer: Namer = mapping) -> Told:
        """Series by canonical name, and the summary; ``namer`` says what each key means."""
        told = Told()
        series: dict[tuple[str, str], Series] = {}
        twice: dict[str, set[float]] = {}
        for key, known in namer(self._keys).items():
            points = self._keys[key]
            if known.role == "summary":
                place = points.sources[-1]
                where = place.where.replace("{row}", str(points.rows[-1]))
                told.summary[known.name] = Datum(points.values[-1], Source(place.file, where))
            elif known.role == "series" and (known.name, known.split) not in series:
                one = _series(known, points, twice)
                if len(one):
                    series[known.name, known.split] = one
        order = sorted(series.items(), key=lambda item: (item[0][1] != "train", item[0][1]))
        told.series = tuple(one for _, one in order)
        file = next((points.sources[0].file for points in self._keys.values()), ".")
        for split, steps in twice.items():
            where = ", ".join(f"{step:g}" for step in sorted(steps)[:3]) + (", ..." if len(steps) > 3 else "")
            told.problems.append(
                Problem(file, f"{split} rows with different values stand twice at step {where}; the last was kept")
            )
        if self.dropped:
            told.problems.append(
                Problem(file, f"more than {MAX_KEYS:,} different keys; {self.dropped:,} points left out")
            )
        return told


def _series(known: Key, points: _Points, twice: dict[str, set[float]]) -> Series:
    """Points by rising step; of equal steps the last one is kept."""
    steps = np.asarray(points.steps, dtype=np.float64)
    values = np.asarray(points.values, dtype=np.float64)
    rows = np.asarray(points.rows, dtype=np.int64)
    if len(points.sources) == 1 and np.isfinite(steps[-1:]).all() and (steps[1:] > steps[:-1]).all():
        return Series(known.name, known.split, steps, values, tuple(points.sources), rows)  # most are in order
    which = np.repeat(np.arange(len(points.sources)), np.diff([*points.starts, len(points.steps)]))
    good = np.isfinite(steps)
    order = np.argsort(steps[good], kind="stable")
    steps, values, rows, which = steps[good][order], values[good][order], rows[good][order], which[good][order]
    same = steps[1:] == steps[:-1]
    if same.any():
        differs = same & ~((values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1])))
        if differs.any() and known.name not in TIMING and known.name != "epoch":
            twice.setdefault(known.split, set()).update(steps[1:][differs].tolist())
        kept = np.append(~same, True)
        steps, values, rows, which = steps[kept], values[kept], rows[kept], which[kept]
    several = len(points.sources) > 1
    return Series(known.name, known.split, steps, values, tuple(points.sources), rows, which if several else None)


def as_logged(told: Told, settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Method, trainer, versions and plan of a run as a tracker's keys and arguments tell them, for :func:`witness`.

    A configuration tells the version of Transformers that saved a model; that it also trained, only the arguments or
    the closing row of its Trainer tell.
    """
    train = {one.name for one in told.series if one.split == "train"}
    found = method.tell(train, settings)
    by_trainer = TRAINERS_OWN in settings or {"train_loss", "train_runtime"} & told.summary.keys()
    version = settings.get("transformers_version") if by_trainer else None
    return {
        "method": found.said,
        "trainer": found.trainer,
        "versions": {"transformers": str(version.value)} if version and version.value else {},
        "planned": status.planned_steps(settings) if "num_train_epochs" in settings else None,
    }


def epochs_done(told: Told) -> float | None:
    """The epoch of the closing summary, or the last logged one; whole numbers from 0 tell only which one it was in."""
    closing = told.summary.get("epoch")
    if closing is not None and isinstance(closing.value, float):
        return closing.value
    epochs = next((one.values for one in told.series if (one.name, one.split) == ("epoch", "train")), None)
    if epochs is not None and len(epochs) and epochs[0] == 0 and np.all(epochs == np.round(epochs)):
        return None
    return told.last("epoch")


def _from_zero(told: Told) -> bool:
    """Whether something was measured in training at step 0; a learning rate may be told before."""
    return any(
        one.split == "train" and one.name not in ("epoch", "learning_rate") and len(one) and one.steps[0] == 0
        for one in told.series
    )


def witness(
    reader: str,
    told: Told,
    files: Iterable[str],
    *,
    identity: str = "",
    folder: str = "",
    name: str = "",
    trainer: str | None = None,
    method: Method | None = None,
    settings: Mapping[str, Setting] | None = None,
    versions: Mapping[str, str] | None = None,
    problems: Iterable[Problem] = (),
    step: int | None = None,
    planned: int | None = None,
    epoch: float | None = None,
    ended: RunStatus = "unknown",
    precision: int = 5,
) -> Witness:
    """A witness from what a log told.

    ``ended`` is how the run ended where the files say so themselves, which numbers that are none overrule.
    """
    state = status.status(step, planned, told.series, told.summary, status.planned_epochs(settings or {}))
    if ended == state == "unknown" and "train_runtime" in told.summary:
        ended = "completed"  # the Trainer's closing row
    files = tuple(dict.fromkeys(files))
    if step is not None and step == told.last_step() and _from_zero(told):
        said = f"counts steps from 0: its last one, {step:,}, may be update {step + 1:,}"
        problems = [*problems, Problem(files[0] if files else ".", said)]
    if state == "unknown" or (ended != "unknown" and state != "diverged"):
        state = ended
    return Witness(
        reader,
        identity,
        files,
        name=name,
        trainer=trainer,
        method=method[0] if method else None,
        method_why=method[1] if method else "",
        method_sure=method[2] if method else 1.0,
        status=state,
        global_step=step,
        max_steps=planned,
        epoch=epoch if epoch is not None else epochs_done(told),
        versions=dict(versions or {}),
        settings=dict(settings or {}),
        summary=told.summary,
        series=told.series,
        problems=tuple(dict.fromkeys((*told.problems, *problems))),
        precision=precision,
        folder=folder,
    )
