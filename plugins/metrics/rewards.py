"""Implicit rewards of preference runs: margins, drifts and accuracies, training beside held-out (D1 to D5, E1, E2).

TRL logs ``rewards/chosen`` = mean β·(log π − log π_ref) of the chosen responses, likewise for the rejected ones;
divided by β they are nats of log-ratio, which can be compared between runs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dpo_report.core.contract import Metric, NotApplicable
from dpo_report.core.model import Run, Series, Source, Value
from dpo_report.core.slugs import slug
from dpo_report.plugins import reading, statistics
from dpo_report.plugins.reading.rows import after_training

_TRL = "TRL DPOTrainer.get_batch_loss_metrics / _compute_loss"
_PARTS = (("chosen", "rewards/chosen"), ("rejected", "rewards/rejected"))


def splits(run: Run, name: str) -> Iterator[tuple[str, str, Series]]:
    """Value-name part, word for people, and series: training first, then every held-out split."""
    train = run.get(name)
    if train is not None and len(train):
        yield "train", "training", train
    for series in reading.held_out(run, name):
        extra = series.split.partition(":")[2]
        tag = slug(extra)
        yield ("eval." + tag if tag else "eval"), (f"held-out ({extra})" if extra else "held-out"), series


def where(run: Run, series: Series, index: int) -> str:
    """The window of a training row, or the place of an evaluation."""
    if series.split == "train":
        return reading.window_text(run, series, index)
    place, results = reading.place_text(run, float(series.steps[index])), after_training(series, index)
    return f"evaluation at {place}" + (f"; made after training, told by {results}" if results else "")


def last_finite(series: Series) -> int | None:
    """Index of the last row if it is finite; a run that ends in NaN has no last value worth printing."""
    return len(series) - 1 if len(series) and np.isfinite(series.values[-1]) else None


def first_trained(series: Series) -> int:
    """Index of the first evaluation after training began: at step 0 policy and reference tie on every pair."""
    return int(np.argmax(series.steps > 0)) if series.split != "train" and len(series) else 0


def _margin(run: Run) -> Iterator[Value]:
    scale = reading.beta(run) if run.method in reading.IMPLICIT_REWARD else None
    for tag, word, series in splits(run, "rewards/margins"):
        yield from _ends(run, series, f"margin.{tag}", f"{word} reward margin", "higher")
        at = last_finite(series)
        if scale and at is not None:
            yield _nats(
                f"margin.{tag}.last_nats",
                f"{word} margin in nats (margin/β)",
                run,
                series,
                at,
                scale,
                "higher",
            )


def _drift(run: Run) -> Iterator[Value]:
    scale = reading.beta(run) if run.method in reading.IMPLICIT_REWARD else None
    for part, key in _PARTS:
        for tag, word, series in splits(run, key):
            yield from _ends(run, series, f"reward.{part}.{tag}", f"{word} reward, {part}", "none")
            at = last_finite(series)
            if scale and at is not None:
                label = f"{word} log-probability of {part} responses against the reference"
                yield _nats(f"drift.{part}.{tag}.last", label, run, series, at, scale, "none")


def _ends(run: Run, series: Series, name: str, label: str, better: str) -> Iterator[Value]:
    for end, index in (("first", 0), ("last", len(series) - 1)):
        if end == "first" and len(series) == 1:
            continue
        yield Value(
            f"{name}.{end}",
            float(series.values[index]),
            (series.source_at(index),),
            label=f"{label}, {end} {'window' if series.split == 'train' else 'evaluation'}",
            kind="number",
            better="higher" if better == "higher" else "none",
            formula="as logged",
            note=where(run, series, index),
        )


def _nats(name: str, label: str, run: Run, series: Series, at: int, scale: reading.Beta, better: str) -> Value:
    value = float(series.values[at])
    return Value(
        name,
        value / scale.value,
        (series.source_at(at), *scale.sources),
        label=label,
        unit="nats",
        kind="number",
        better="higher" if better == "higher" else "none",
        formula=f"{value:.4g} / β, β = {scale.value:g}",
        note="; ".join(filter(None, (where(run, series, at), scale.note))),
    )


def _accuracy(run: Run) -> Iterator[Value]:
    for key in ("rewards/accuracies", "accuracy"):
        if key == "accuracy" and run.method != "reward":
            continue
        for tag, word, series in splits(run, key):
            at = last_finite(series)
            logged = series.values[np.isfinite(series.values)]
            if at is None or logged.min() < 0 or logged.max() > 1 + 1e-6:
                continue  # no share of pairs is outside 0 to 1
            begin = first_trained(series)
            if begin < at:
                yield _share(run, f"accuracy.{tag}.first", f"{word} accuracy, first", series, begin)
            yield _share(run, f"accuracy.{tag}.last", f"{word} accuracy, last", series, at)
            if series.split != "train" and begin < at:
                best = begin + int(np.nanargmax(series.values[begin:]))
                label = f"{word} accuracy, best of {len(series) - begin}"
                yield _share(run, f"accuracy.{tag}.best", label, series, best)
    datum = run.summary.get("rewards/accuracies")
    if datum is not None and isinstance(datum.value, float):
        yield _flushed(run, "accuracy.train.unlogged", "training accuracy", datum.value, datum.source, "share")
        margin = run.summary.get("rewards/margins")
        if margin is not None and isinstance(margin.value, float):
            yield _flushed(run, "margin.train.unlogged", "training margin", margin.value, margin.source, "number")


def _flushed(run: Run, name: str, label: str, value: float, source: Source, kind: str) -> Value:
    """A metric that TRL 0.29 and newer put into the summary row: the mean over all steps not logged before."""
    steps, total = reading.row_steps(run), reading.total_steps(run)
    first = int(steps[-1]) + 1 if len(steps) else (reading.resumed_from(run) or 0) + 1
    return Value(
        name,
        value,
        (source,),
        label=f"{label}, mean over the steps that have no row",
        kind=kind,
        formula="as logged in the closing summary",
        note=f"steps {first:,} to {total:,}" if total else "",
    )


def _share(run: Run, name: str, label: str, series: Series, index: int) -> Value:
    value = float(series.values[index])
    low = high = None
    n = reading.window_pairs(run, series, index) if series.split == "train" else None
    formula = "as logged"
    if series.split != "train":
        band = reading.implied_eval_rows(run, series.split)
        n = band.value if band else None
        if n and 0 <= value <= 1 and abs(value * n - round(value * n)) < 0.02:
            low, high = statistics.wilson(round(value * n), n)
            formula = f"{round(value * n)} of {n} pairs; Wilson interval"
    return Value(
        name,
        value,
        (series.source_at(index),),
        label=label,
        kind="share",
        low=low,
        high=high,
        level=0.95 if low is not None else None,
        n=n,
        better="higher",
        formula=formula,
        note=where(run, series, index) + _tie(run, series, index),
    )


def _tie(run: Run, series: Series, index: int) -> str:
    """A remark on rows that only cover untrained steps, where every pair ties and counts as incorrect."""
    untrained = series.split == "train" and reading.window(run, series, index)[1] <= reading.untrained_steps(run)
    return ": a tie, policy = reference" if untrained and run.method == "dpo" else ""


def _held_out_loss(run: Run) -> Iterator[Value]:
    for tag, word, series in splits(run, "loss"):
        if tag == "train":
            continue
        yield from _ends(run, series, f"loss.{tag}", f"{word} loss", "none")
        if len(series) > 1 and np.isfinite(series.values).any():
            best = int(np.nanargmin(series.values))
            yield Value(
                f"loss.{tag}.lowest",
                float(series.values[best]),
                (series.source_at(best),),
                label=f"{word} loss, lowest of {len(series)}",
                kind="loss",
                formula="smallest evaluation",
                note=where(run, series, best),
            )


def _held_out_rows(run: Run) -> Iterator[Value]:
    for split in sorted({split for _, split in run.series if split.split(":")[0] == "eval"}):
        band = reading.implied_eval_rows(run, split)
        if band and band.value:
            tag = slug(split.partition(":")[2])
            word = reading.sample_word(run)
            yield Value(
                "data.eval_rows" + (f".{tag}" if tag else ""),
                band.value,
                band.sources,
                label=f"held-out {word}s" + (f" ({split.partition(':')[2]})" if tag else ""),
                unit=f"{word}s",
                kind="count",
                formula=f"{band.formula}: the only whole number that every evaluation allows",
                note="implied",
            )
    if not run.series:
        raise NotApplicable("nothing was logged")


METRICS = (
    Metric(
        "loss.eval.last",
        "held-out loss",
        _held_out_loss,
        needs=("eval:loss",),
        better="lower",
        keys=("eval_loss",),
        meaning="Mean loss over the held-out set at one step, with frozen parameters.",
        paper="The held-out loss was {value} at the step named.",
        context="It can rise while held-out accuracy still rises (the margins grow on the wrongly "
        "ranked pairs too), and "
        "says nothing alone about generated text.",
        compare="The analytic start; other evaluations of the same run on the same set.",
        source="transformers Trainer.evaluation_loop",
    ),
    Metric(
        "data.eval_rows",
        "held-out rows",
        _held_out_rows,
        needs=("eval:runtime",),
        keys=("eval_samples_per_second", "eval_runtime"),
        meaning="Rows of the held-out set, implied by its speed: eval samples/s × eval runtime.",
        paper="{value} held out.",
        context="The trainer does not state it; rounding allows one number only when every evaluation agrees.",
        compare="The size you meant to hold out.",
        source="transformers trainer_utils.speed_metrics",
    ),
    Metric(
        "accuracy.eval.last",
        "implicit-reward accuracy",
        _accuracy,
        better="higher",
        keys=("rewards/accuracies", "eval_rewards/accuracies", "accuracy"),
        meaning="Share of pairs whose chosen response has the strictly larger reward: the implicit one, "
        "β·(log π − log π_ref), β·log π in methods without a reference, or a reward model's score.",
        paper="Held-out accuracy was {value}; give n and the interval, and say that it is the implicit reward's.",
        context="An implicit reward is relative to the reference: not the share of pairs that the policy itself finds "
        "likelier, not a win rate. Ties count as wrong, so an untrained policy has 0, not 0.5, against its reference.",
        compare="Chance, 0.5, by the interval; the same set at another step.",
        source=_TRL,
    ),
    Metric(
        "margin.train.last",
        "implicit-reward margin",
        _margin,
        needs=(),
        better="higher",
        keys=("rewards/margins", "eval_rewards/margins"),
        meaning="Mean of β·(Δchosen − Δrejected), Δ the log-ratio of policy to reference summed over the response.",
        paper="The margin was {value} in the last logged window; in nats, margin/β.",
        context="It scales with β and with length. Growth shows that the objective is being "
        "optimised, not that answers "
        "are better.",
        compare="Other runs only in nats; the held-out margin of the same run.",
        source=_TRL,
    ),
    Metric(
        "drift.chosen.train.last",
        "drift of chosen and rejected responses",
        _drift,
        keys=("rewards/chosen", "rewards/rejected", "eval_rewards/chosen", "eval_rewards/rejected"),
        meaning="`rewards/chosen` divided by β: by how many nats the chosen responses became more (or "
        "less) likely than "
        "under the reference, on average.",
        paper="Chosen responses moved by {value} per response relative to the reference.",
        context="Negative while the margin grows means that preferred responses became less likely too (likelihood "
        "displacement).",
        compare="Zero, the reference.",
        source=_TRL,
    ),
)
