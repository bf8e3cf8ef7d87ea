"""The training loss: its mean over the run, its logged windows, its analytic start, its reduction (rules C1 to C6)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from dpo_report.core.contract import Metric, NotApplicable
from dpo_report.core.model import Run, Value
from dpo_report.plugins import baselines, conventions, finiteness, reading, statistics


def measures_progress(run: Run) -> bool:
    """Whether the loss of this method falls when training works: not so for reinforcement learning (rule L4)."""
    return run.method not in reading.POLICY_GRADIENT and not any(map(run.get, reading.EPISODE_REWARDS))


def _mean(run: Run) -> Value:
    datum = run.summary["train_loss"]
    if isinstance(datum.value, str):
        raise NotApplicable("train_loss is no number")
    total, before = reading.total_steps(run), reading.resumed_from(run)
    value, formula = datum.value, "as logged: mean over the run of the step losses"
    note = f"mean over all {total:,} steps" if total else "mean over the run"
    if before and total:
        note = f"mean over steps {before + 1:,} to {total:,}: the run was resumed"
        known = reading.version(run, "transformers")
        if known is not None and known < (5, 19):
            value *= total / (total - before)
            formula = f"{datum.value:.6g} × {total:,}/({total:,} − {before:,}): up to transformers 5.18 the sum over "
            formula += "the resumed steps is divided by all steps"
    return Value("loss.train.mean", value, (datum.source,), kind="loss", formula=formula, note=note)


def _rows(run: Run) -> Iterator[Value]:
    series = run.get("loss")
    if series is None or not len(series) or not measures_progress(run):
        raise NotApplicable("no training loss that measures progress was logged")
    for name, index, label in (("first", 0, "first logged window"), ("last", -1, "last logged window")):
        at = range(len(series))[index]
        if len(series) == 1 and name == "first":
            continue
        yield Value(
            f"loss.train.{name}",
            float(series.values[at]),
            (series.source_at(at),),
            label=f"training loss, {label}",
            kind="loss",
            formula="as logged: mean over the window",
            note=reading.window_text(run, series, at),
        )


def _start(run: Run) -> Value:
    baseline = baselines.of(run)
    if baseline.value is None:
        raise NotApplicable(f"the starting loss is not known in advance: {baseline.why}")
    return Value(
        "loss.start",
        baseline.value,
        reading.setting_source(run, "loss_type", "beta", "label_smoothing"),
        label="loss while both responses score alike" if run.method == "reward" else "",
        kind="loss",
        formula=baseline.why,
        note="; ".join(
            (
                "analytic: policy = reference" if baseline.exact else "about: no score has been learned",
                *baseline.assumes,
            )
        ),
    )


def _reduction(run: Run) -> Iterator[Value]:
    series = run.get("loss")
    _, values = reading.finite(series)
    finiteness.need_sound(run)
    windows = conventions.windows(run, values)
    if series is None or not measures_progress(run) or windows is None:
        fewest = 2 * int(conventions.LEAST.of(run))
        raise NotApplicable(
            f"medians of the first and last rows need {fewest} rows with a loss; there are {len(values)}"
        )
    first, last, width = windows.first, windows.last, windows.size
    rows = np.flatnonzero(np.isfinite(series.values))
    head, tail = series.sources_at(rows[:width]), series.sources_at(rows[-width:])
    span = f"{width} rows each"
    starts = reading.window_text(run, series, int(rows[0]), int(rows[width - 1]))
    ends = reading.window_text(run, series, int(rows[-width]), int(rows[-1]))
    yield Value(
        "loss.train.median_first",
        first,
        head,
        label="median logged loss, first rows",
        kind="loss",
        note=starts,
    )
    yield Value("loss.train.median_last", last, tail, label="median logged loss, last rows", kind="loss", note=ends)
    low, high = conventions.fall_interval(run, values) or (None, None)
    yield Value(
        "loss.train.reduction",
        first - last,
        head + tail,
        label="fall of the median logged loss",
        kind="loss",
        low=low,
        high=high,
        level=0.95 if low is not None else None,
        n=len(values),
        formula=f"median of the first minus median of the last rows ({span})",
        note=f"{starts} against {ends}",
    )


def _trend(run: Run) -> Iterator[Value]:
    series = run.get("loss")
    steps, values = reading.finite(series)
    finiteness.need_sound(run)
    fewest = int(conventions.TREND_ROWS.of(run))
    if series is None or not measures_progress(run) or len(values) < fewest:
        raise NotApplicable(f"a trend needs {fewest} rows with a loss; there are {len(values)}")
    if not conventions.inference_allowed(run):
        raise NotApplicable("the run is too small for inference (K2)")
    trend = statistics.trend(steps, values)
    worth = f"autocorrelation {trend.rho:.2f}: as good as {trend.n_eff:.0f} independent rows"
    yield Value(
        "loss.train.slope",
        trend.slope * 100,
        tuple(series.origins),
        label="trend of the training loss per 100 steps",
        kind="number",
        low=trend.low * 100,
        high=trend.high * 100,
        level=0.95,
        n=len(values),
        formula="Theil–Sen slope × 100" + (f", over {trend.blocks:,} block medians" if trend.blocks else ""),
        note=worth if trend.n_eff < trend.n else "",
    )
    yield Value(
        "loss.train.trend_p",
        trend.p,
        tuple(series.origins),
        label="Mann–Kendall p of the loss trend",
        kind="p",
        n=len(values),
    )


def _rest(run: Run) -> Value:
    """Rule C5: mean of the steps after the untrained ones, from the mean of all and the analytic start."""
    finiteness.need_sound(run)
    mean, total = run.number("train_loss"), reading.total_steps(run)
    baseline = baselines.of(run)
    if mean is None or not total or baseline.value is None or not baseline.exact or not math.isfinite(mean):
        raise NotApplicable("the mean over the run, the step count and an analytic start are needed")
    if reading.resumed_from(run):
        raise NotApplicable("the run was resumed: its mean does not contain the first step")
    untrained = reading.untrained_steps(run)
    if total <= untrained:
        raise NotApplicable("no step was taken after the untrained ones")
    rest = (total * mean - untrained * baseline.value) / (total - untrained)
    part = f"{untrained} × {baseline.value:.4f}" if untrained > 1 else f"{baseline.value:.4f}"
    return Value(
        "loss.train.rest",
        rest,
        (run.summary["train_loss"].source,),
        kind="loss",
        formula=f"({total:,} × {mean:.4f} − {part}) / {total - untrained:,}",
        note=(
            f"steps {untrained + 1} to {total:,}, if the first "
            f"{'step' if untrained == 1 else 'steps'} had the analytic loss"
        ),
    )


METRICS = (
    Metric(
        "loss.train.mean",
        "mean training loss over the run",
        _mean,
        needs=("summary:train_loss",),
        keys=("train_loss",),
        meaning="The mean of the loss of every optimizer step, the untrained first one included. One "
        "value for a call "
        "of train().",
        paper="The training loss averaged {value} over the run.",
        context="It is not the final loss, not the loss of the saved model and not an evaluation. "
        "For a falling curve "
        "it is larger than where training ended. It has no absolute scale: β, loss type and data set it.",
        compare="The analytic starting value of the same loss; the same run's last logged window.",
        source="transformers Trainer._finalize_training",
    ),
    Metric(
        "loss.train.last",
        "training loss, last logged window",
        _rows,
        needs=("loss",),
        better="lower",
        keys=("loss",),
        meaning=(
            "Mean loss over the steps since the previous log row, each row scored before the update that uses it."
        ),
        paper="Over the last logged window the training loss was {value}; name the steps.",
        context="An average over an interval at changing parameters. A loss of exactly 0 together "
        "with NaN elsewhere is "
        "an alarm: the trainer replaces non-finite losses by default.",
        compare="The first logged window of the same run; its analytic start.",
        source="transformers Trainer._maybe_log_save_evaluate",
    ),
    Metric(
        "loss.start",
        "loss while policy = reference",
        _start,
        meaning="The value that the loss takes before the first update, when policy and reference "
        "are the same model: "
        "ln 2 for the sigmoid DPO loss.",
        paper="The analytic starting value of this loss is {value}.",
        context="A first logged loss equal to it shows a right set-up, nothing about the model.",
        compare="The first logged window, when it holds only step 1.",
        source="TRL DPOTrainer loss definitions",
    ),
    Metric(
        "loss.train.reduction",
        "fall of the median logged loss",
        _reduction,
        needs=("loss",),
        meaning="Median of the first tenth of the log rows (at least 3) minus the median of the last tenth.",
        paper="The median logged loss fell by {value}; give both medians and their steps.",
        context="Computed from rows with `loss`, never from `train_loss`, which is one number. "
        "Relative changes only for "
        "losses whose floor is zero.",
        compare="The step-to-step variation of the same curve.",
        source="a convention of this tool",
    ),
    Metric(
        "loss.train.slope",
        "trend of the training loss per 100 steps",
        _trend,
        needs=("loss",),
        meaning="Median of all pairwise slopes of the logged loss (Theil–Sen), with the Mann–Kendall test.",
        paper="{value} per 100 steps.",
        context="Log rows follow one another closely: their autocorrelation is taken into account from 20 rows on.",
        compare="Zero.",
        source="Sen 1968; Mann 1945",
    ),
    Metric(
        "loss.train.rest",
        "mean loss after the untrained first step",
        _rest,
        needs=("summary:train_loss",),
        meaning="What the remaining steps averaged if the first step had the analytic starting loss: "
        "(T × `train_loss` − start) / (T − 1).",
        paper="If the first step had the analytic loss, the remaining steps averaged {value}.",
        context="An average, from an assumption: not a final loss, not a slope.",
        compare="The analytic start.",
        source="derived here (rule C5)",
    ),
)
