"""What a run logged or saved beside its loss, where no other metric reads it: scores, errors, parts of a loss.

Nothing is interpreted: whether a higher value is better is not known of a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from dpo_report.core.contract import Metric, NotApplicable
from dpo_report.core.model import Run, Series, Value
from dpo_report.core.slugs import slug
from dpo_report.plugins.metrics.rewards import where
from dpo_report.plugins.readers.hf.columns import TIMING
from dpo_report.plugins.reading import logged_once
from dpo_report.plugins.reading.told import OF_THE_MACHINE

_TOLD_ELSEWHERE = frozenset({"loss", "epoch", "learning_rate", "grad_norm", "num_tokens", "total_flos"}) | TIMING
_METHODS = (None, "classification")
"""Those of which no other metric reads more than the loss."""
_KINDS = {"train": "training", "eval": "held-out", "test": "test"}
_SAVED = re.compile(r"(?:test|predict)_(.+)")
FEW = 3
"""Evaluations from which on the lowest and the highest are told too."""
MOST = 40
"""Quantities that are told; report.json holds the curves of all."""


def quantities(run: Run) -> list[Series]:
    """The series that no other metric reads, by name, training first; none for methods that have their own metrics."""
    if run.method not in _METHODS:
        return []
    return [
        series
        for (name, split), series in sorted(run.series.items(), key=lambda item: (item[0][0], item[0][1] != "train"))
        if len(series) and (kind := split.partition(":")[0]) in _KINDS
        if (name not in _TOLD_ELSEWHERE or (name, kind) == ("loss", "test")) and not OF_THE_MACHINE.search(name.lower())
    ]


def _logged(run: Run) -> Iterator[Value]:
    names: dict[str, str] = {}
    for series in quantities(run):
        if own := _own(series.name, names):
            yield from _values(run, series, own)
    if not names:
        raise NotApplicable("nothing was logged that is not told by other metrics")


def _own(name: str, taken: dict[str, str]) -> str:
    """The name as a part of a value's name; empty where there are too many."""
    plain = slug(name) or "unnamed"
    for own in (plain, *(f"{plain}_{number}" for number in range(2, MOST))):
        if taken.get(own, name) == name:
            if own not in taken and len(taken) >= MOST:
                return ""
            taken[own] = name
            return own
    return ""


def _values(run: Run, series: Series, own: str) -> Iterator[Value]:
    kind, _, extra = series.split.partition(":")
    tag = slug(extra)
    split = f"{kind}.{tag}" if tag else kind
    who = _KINDS[kind] + (f" ({extra})" if extra else "")
    rows = {"last": len(series) - 1}
    known = np.where(np.isfinite(series.values), series.values, np.nan)
    if kind != "train" and np.isfinite(known).sum() >= FEW and np.nanmin(known) < np.nanmax(known):
        rows |= {"lowest": int(np.nanargmin(known)), "highest": int(np.nanargmax(known))}
    for which, row in rows.items():
        yield Value(
            f"logged.{own}.{split}.{which}",
            float(series.values[row]),
            (series.source_at(row),),
            label=f"{who} “{series.name}”, {which}",
            note=where(run, series, row),
        )


def _saved(run: Run) -> Iterator[Value]:
    names: dict[str, str] = {}
    for key, datum in run.summary.items():
        match = _SAVED.fullmatch(key)
        if match is None or not isinstance(datum.value, float) or match[1] in TIMING:
            continue
        if (match[1], "test") not in run.series and (own := _own(match[1], names)):
            yield Value(f"saved.{own}.test.result", datum.value, (datum.source,), label=f"test “{match[1]}”")
    for key, datum in logged_once(run).items():
        if own := _own(key, names):
            yield Value(
                f"saved.{own}.once.result",
                datum.value,
                (datum.source,),
                label=f"“{key}”",
                note="logged once; on which data is not told",
            )
    if not names:
        raise NotApplicable("no results of a test or a prediction were saved")


METRICS = (
    Metric(
        "logged",
        "other logged quantities",
        _logged,
        meaning="What the run logged under names of its own: the last value, and of held-out data the lowest and the "
        "highest.",
        paper="{value} at the last evaluation; name the quantity, the data and the step.",
        context="The lowest or highest of several evaluations is chosen by looking at the same data, hence optimistic.",
        compare="The same quantity of a baseline on the same data.",
        source="the run's own log",
    ),
    Metric(
        "saved",
        "saved results",
        _saved,
        meaning="What was saved as the result of a test or a prediction (`test_*`, `predict_*`), or logged once by a "
        "run without curves, which does not tell on which data.",
        paper="{value}; name the quantity, the data set and the number of examples.",
        context="Their number of examples is seldom saved, so no interval can be given.",
        compare="The same quantity of a baseline on the same data.",
        source="transformers Trainer.predict and save_metrics",
    ),
)
