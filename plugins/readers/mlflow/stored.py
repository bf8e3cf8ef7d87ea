"""A run of an MLflow store becomes a witness.

Values that were all logged once, without a step, are a closing summary, not curves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dpo_report.core.model import Datum, Problem, RunStatus, Setting, Source, Witness
from dpo_report.core.slugs import path_part
from dpo_report.plugins.readers.collect import Log, Told, as_logged, witness
from dpo_report.plugins.readers.settings import flatten, from_text

NAME = "mlflow"
_STATUS: dict[str, RunStatus] = {"3": "completed", "FINISHED": "completed", "4": "incomplete", "FAILED": "incomplete"}
_STATUS |= {"5": "incomplete", "KILLED": "incomplete"}
_RUNNING = frozenset({"1", "2", "RUNNING", "SCHEDULED"})


@dataclass(slots=True)
class StoredRun:
    """What a store holds of one run."""

    id: str
    name: str
    state: str
    """MLflow's own word or number for how it ended."""
    file: str
    log: Log = field(default_factory=Log)
    params: dict[str, tuple[str, Source]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    """What the file store keeps of it."""

    @property
    def identity(self) -> str:
        """What tells it from the other runs of a database."""
        name = path_part(self.name)
        return f"{name}-{self.id[:8]}" if name else self.id


def witness_of(run: StoredRun, home: str, identity: str) -> Witness:
    told = _without_steps(run.log.told(), len(run.log), run.problems)
    settings = flatten({key: from_text(text) for key, (text, _) in run.params.items()}, run.file)
    settings = {key: Setting(key, one.value, _place(run.params, key, one.source)) for key, one in settings.items()}
    if run.state in _RUNNING:
        run.problems.append(
            Problem(run.file, "MLflow never recorded that this run ended: it was killed, or still runs")
        )
    return witness(
        NAME,
        told,
        [run.file, *(source.file for series in told.series for source in series.sources)],
        identity=identity,
        folder=home,
        name=run.name,
        **as_logged(told, settings),
        settings=settings,
        problems=run.problems,
        step=told.last_step(),
        ended=_STATUS.get(run.state, "unknown"),
        precision=8,
    )


def _place(params: Mapping[str, tuple[str, Source]], key: str, otherwise: Source) -> Source:
    """Where a parameter stands; a part of a nested one stands where the whole does."""
    known = params.get(key) or params.get(key.partition(".")[0])
    return known[1] if known else otherwise


def _without_steps(told: Told, points: int, problems: list[Problem]) -> Told:
    """Where every quantity stands at step 0 alone, the log is a summary: of the last of its ``points``."""
    if told.series and all(len(one) == 1 and one.steps[0] == 0 for one in told.series):
        for one in told.series:
            key = one.name if one.split == "train" else f"{one.split}_{one.name}"
            told.summary.setdefault(key, Datum(float(one.values[0]), one.source_at(0)))
        kept = "" if points == len(told.series) else "; of each the last value is used"
        said = "every metric was logged once, without a step" if not kept else "the metrics were logged without steps"
        problems.append(Problem(told.series[0].source.file, f"{said}: no curves{kept}"))
        told.series, told.problems = (), []
    return told
