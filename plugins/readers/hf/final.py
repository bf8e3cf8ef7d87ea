"""The evaluation after training: made once the state is saved, so that of all files only those of results tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dpo_report.core.agreement import agree
from dpo_report.core.model import Datum, Problem, Series, Setting
from dpo_report.plugins.readers.hf.checkpoints import step_of
from dpo_report.plugins.readers.hf.columns import CHANGING, eval_names, places
from dpo_report.plugins.readers.hf.identity import extended
from dpo_report.plugins.readers.hf.results import PREFIX

EPOCHS_APART = 0.011
"""Two tellings of one epoch, one of them rounded to two decimals, lie no further apart."""
_ADDED = frozenset({"eval_samples"})
"""What scripts add to an evaluation and no log holds."""


def evaluation(told: Sequence[Mapping[str, Datum]]) -> Mapping[str, Datum]:
    """The first results file that tells an evaluation; empty where none does."""
    return next((one for one in told if any(key.startswith(PREFIX) for key in one)), {})


def quantities(keys: Sequence[str], splits: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Name and split of the curve that each key of an evaluation would continue; ``splits`` are those of the log.

    >>> quantities(["eval_loss", "eval_dev_f1", "eval_samples", "epoch"], ["train", "eval:dev"])
    {'eval_loss': ('loss', 'eval'), 'eval_dev_f1': ('f1', 'eval:dev')}
    """
    wanted = tuple(key for key in keys if key.startswith(PREFIX) and key not in _ADDED)
    known = {split.partition(":")[2] for split in splits if split.startswith("eval:")}
    names = sorted(known | set(eval_names(wanted)), key=len, reverse=True)
    return {key: place for key, (place, _) in places(wanted, names).items()}


def continued(
    series: Sequence[Series],
    evaluated: Mapping[str, Datum],
    weights: int | None,
    last: int | None,
    problems: list[Problem],
) -> list[Series]:
    """The curves with the evaluation after training as their last points.

    ``weights`` is the step whose weights were evaluated, None where that is not known; ``last`` is that of the end.
    Where the log has an evaluation of the same weights, both must tell the same: a difference is a problem, and the log
    stays as it is. Weights that were loaded from an earlier step have no place after the last one.
    """
    found = {(one.name, one.split): one for one in series}
    if weights is None:
        return list(series)
    new: list[Series] = []
    differing: list[str] = []
    for key, place in quantities(list(evaluated), [one.split for one in series]).items():
        datum, have = evaluated[key], found.get(place)
        if not isinstance(datum.value, float):
            continue
        if have is None or weights not in have.steps:
            new.append(_point(place, weights, datum))
            continue
        at = int(np.searchsorted(have.steps, weights))
        if place[0] not in CHANGING and not agree(np.array([datum.value]), have.values[at : at + 1])[0]:
            logged = have.source_at(at).file
            differing.append(f"{key} is {datum.value:.6g} here and {have.values[at]:.6g} in {logged}")
    if differing:
        more = f", and {len(differing) - 1} more of its values differ" if differing[1:] else ""
        said = f"{differing[0]} at step {weights:,}{more}: another evaluation, of other weights or data"
        problems.append(Problem(next(iter(evaluated.values())).source.file, said))
        return list(series)
    if weights == last:
        for one in new:
            have = found.get((one.name, one.split))
            found[one.name, one.split] = one if have is None else extended(have, one)
    return list(found.values())


def _point(place: tuple[str, str], step: int, datum: Datum) -> Series:
    steps, values = np.array([float(step)]), np.array([datum.value], np.float64)
    return Series(*place, steps, values, (datum.source,), np.zeros(1, np.int64))


def weights_of(
    evaluated: Mapping[str, Datum],
    step: int | None,
    epoch: Any,
    summary: Mapping[str, Datum],
    settings: Mapping[str, Setting],
) -> int | None:
    """The step whose weights were evaluated after training; None where that cannot be told.

    The trainer writes the epoch beside what it evaluates when it has just trained, and only then; ``epoch`` is that of
    the state at ``step``.
    """
    theirs = evaluated.get("epoch")
    if step is None or theirs is None or not isinstance(theirs.value, float):
        return None
    if isinstance(epoch, int | float) and not abs(epoch - theirs.value) <= EPOCHS_APART:
        return None
    best, loaded = _best(summary), settings.get("load_best_model_at_end")
    if loaded is None:
        return step if best in (None, step) else None
    return best if loaded.value is True else step


def _best(summary: Mapping[str, Datum]) -> int | None:
    """The step of the checkpoint that the trainer noted as best."""
    step, folder = summary.get("best_global_step"), summary.get("best_model_checkpoint")
    if step is not None and isinstance(step.value, float) and step.value.is_integer():
        return int(step.value)
    return step_of(str(folder.value)) if folder is not None else None
