"""Held-out results saved after training that are no point of a curve: of other weights, or of no known step."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from dpo_report.core.agreement import agree
from dpo_report.core.contract import Metric, NotApplicable
from dpo_report.core.model import Better, Datum, Run, Value
from dpo_report.core.slugs import slug
from dpo_report.plugins import reading
from dpo_report.plugins.readers.hf.columns import CHANGING
from dpo_report.plugins.readers.hf.final import quantities
from dpo_report.plugins.readers.hf.results import NAMES

_STEMS: dict[str, tuple[str, str, str, Better]] = {
    "loss": ("loss", "loss", "loss", "none"),
    "rewards/accuracies": ("accuracy", "accuracy", "share", "higher"),
    "rewards/margins": ("margin", "reward margin", "number", "higher"),
    "rewards/chosen": ("reward.chosen", "reward, chosen", "number", "none"),
    "rewards/rejected": ("reward.rejected", "reward, rejected", "number", "none"),
    "perplexity": ("perplexity", "perplexity", "number", "none"),
}
"""By the trainer's name: part of the value's name, label, kind, direction."""
_UNTOLD = re.compile(r"logits/|logps/|entropy$")
"""What reports tell of no other evaluation either."""


def _after(run: Run) -> Iterator[Value]:
    saved = {
        key: datum
        for key, datum in run.summary.items()
        if isinstance(datum.value, float) and datum.source.file.rpartition("/")[2] in NAMES
    }
    splits = [split for _, split in run.series]
    told = quantities(list(saved), splits)
    if "perplexity" in saved and told:
        told["perplexity"] = "perplexity", "eval"
    told = {key: place for key, place in told.items() if place[0] not in CHANGING and not _UNTOLD.match(place[0])}
    new = {key: place for key, place in told.items() if not _logged(run, place, saved[key])}
    if not new:
        raise NotApplicable("no held-out results were saved that differ from the last evaluation of the log")
    for key, (name, split) in new.items():
        extra = split.partition(":")[2]
        stem, label, kind, better = _STEMS.get(name, (f"saved.{slug(name)}", name, "number", "none"))
        tag = slug(extra)
        yield Value(
            f"{stem}.eval.{tag}.after" if tag else f"{stem}.eval.after",
            float(saved[key].value),
            (saved[key].source,),
            label=f"held-out{f' ({extra})' if extra else ''} {label}, after training",
            kind=kind,
            better=better,
            formula="as saved",
            note=_note(run, name, split, saved[key]),
        )


def _logged(run: Run, place: tuple[str, str], datum: Datum) -> bool:
    """Whether the last point of its curve tells the same."""
    series = run.series.get(place)
    return series is not None and len(series) > 0 and bool(agree(series.values[-1:], np.array([datum.value]))[0])


def _note(run: Run, name: str, split: str, datum: Datum) -> str:
    """Which weights it is of, as far as that is known."""
    said = f"told by {datum.source.file}"
    series = run.series.get((name, split))
    if name == "perplexity":
        return f"{said}: the exponential of the held-out loss"
    if run.setting("load_best_model_at_end") is True:
        best = run.number("best_global_step")
        at = np.flatnonzero(series.steps == best) if series is not None and best is not None else ()
        if series is not None and len(at) and agree(series.values[at], np.array([datum.value]))[0]:
            return f"of the best weights, loaded at the end: those of {reading.place_text(run, float(best or 0))}"
        return f"{said}, of the best weights, loaded at the end"
    if series is not None and len(series) and series.steps[-1] == run.global_step:
        return f"{said}; the log tells another value of the last step"
    return f"{said}; its step is not known"


METRICS = (
    Metric(
        "loss.eval.after",
        "held-out results saved after training",
        _after,
        keys=("perplexity",),
        meaning="What an evaluation after training gave (`eval_*` of `eval_results.json`), where no curve holds it: of "
        "weights that were loaded again, of a run without a log, or of other data than the log's.",
        paper="After training the held-out loss was {value}; say of which weights.",
        context="The log does not confirm it. Of the best of several checkpoints it is optimistic, as the same data "
        "chose the checkpoint.",
        compare="The logged evaluation of the same weights.",
        source="transformers Trainer.evaluate and save_metrics",
    ),
)
