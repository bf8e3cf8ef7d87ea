"""Group B: do batch, steps, throughput and rows agree with one another?"""

from __future__ import annotations

import math

import numpy as np

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Values, found, passed
from dpo_report.core.model import Finding, Run, Severity
from dpo_report.core.text import Text, say
from dpo_report.plugins import baselines, reading

MEAN_TOLERANCE = 0.01
"""Relative difference between the mean of the rows and train_loss that raises a warning (rule B5)."""
REWARD_TOLERANCE = 1e-3
"""Difference between margins and chosen − rejected, relative to their scale (rule B8)."""
JENSEN_TOLERANCE = 1e-3
"""How far a loss may stand below the bound of its margin (rule B6)."""
ORPO_TOLERANCE = 0.01
"""Relative distance of ORPO's loss from its parts (rule B7)."""
SCALE_TOLERANCE = 0.02
"""How close to a multiple of the accumulation the first loss must be (rule B9)."""
SHORT_RUN_STEPS = 50
"""Below this many steps fixed costs dominate a time per step (rule B10)."""


def effective_batch(run: Run, values: Values) -> Finding:
    """B1."""
    size, steps, count = reading.per_device_batch(run), reading.accumulation(run), reading.devices(run)
    if size is None:
        raise NotApplicable("the run does not tell its batch size")
    word = reading.batch_word(run)
    if count is None:
        return found(
            say(
                "The batch was {size} {word} per device × {steps}; the number of devices is not told.",
                size=size,
                word=word if size == 1 else word + "s",
                steps=numbers.plural(steps, "accumulation step"),
            )
        )
    text = say(
        "The effective batch size was {total} ({size} per device × {steps} × {count}).",
        total=numbers.plural(size * steps * count, word),
        size=size,
        steps=numbers.plural(steps, "accumulation step"),
        count=numbers.plural(count, "device"),
    )
    if count > 1 and reading.fact(run, "world_size") is None and not reading.setting(run, "world_size"):
        text += Text((f" The device count is inferred from the logged rates: likely {count}.",))
        return found(text, "caution", evidence=("batch.effective",))
    return found(text, evidence=("batch.effective",))


def step_count(run: Run, values: Values) -> Finding:
    """B2."""
    total, epochs = reading.total_steps(run), reading.planned_epochs(run)
    if not total:
        raise NotApplicable("no step count was logged")
    rows, size, count = reading.dataset_rows(run), reading.per_device_batch(run), reading.devices(run)
    if run.status != "completed" or not epochs:
        return found(
            say("Training took {total}.", total=numbers.plural(total, "optimizer step")),
            evidence=("steps.done",),
        )
    each, taken = total / epochs, numbers.plural(total, "optimizer step")
    if each == int(each) and epochs == int(epochs):
        times = numbers.plural(int(epochs), "epoch")
        text = say("Training took {taken} ({each} per epoch × {times}).", taken=taken, each=int(each), times=times)
    else:
        text = say("Training took {taken} over {epochs} epochs.", taken=taken, epochs=f"{epochs:g}")
    expected = _expected_steps(run, rows, size, count, epochs)
    if expected is None or total in expected:
        return found(text, evidence=("steps.done",))
    wanted = " or ".join(f"{e:,}" for e in sorted(expected))
    text += (
        f" From {rows:,} rows and this batch, {wanted} were to be expected; dropped last batches, packing, filtered "
        "rows or another device count would explain the difference."
    )
    return found(text, "warning", evidence=("steps.done",))


def _expected_steps(run: Run, rows: int | None, size: int | None, count: int | None, epochs: float) -> set[int] | None:
    """⌈E × updates per epoch⌉, with the ceiling over accumulation windows (4.53 and newer) or the floor (to 4.50)."""
    if not rows or not size or not count or reading.setting(run, "packing"):
        return None
    batches = rows / (size * count)
    length = math.floor(batches) if reading.setting(run, "dataloader_drop_last") else math.ceil(batches)
    windows = length / reading.accumulation(run)
    newer = reading.at_least(run, "transformers", 4, 53, 3)
    updates = {max(1, math.ceil(windows))} if newer is not False else set()
    if newer is not True:
        updates.add(max(1, math.floor(windows)))
    return {math.ceil(epochs * each) for each in updates}


def implied_rows(run: Run, values: Values) -> Finding:
    """B3."""
    band = reading.implied_rows(run)
    told = reading.whole(reading.fact(run, "train_pairs", "train_rows"))
    word = reading.pair_word(run)
    if band is None:
        value = values.get("data.rows")
        if told is not None:
            return found(say("The training set held {n}.", n=numbers.plural(told, word)), evidence=("data.rows",))
        if value is not None and value.low is not None and value.high is not None:
            band_text = "Steps and batch imply between {low} and {high} training {word}s."
            return found(say(band_text, low=int(value.low), high=int(value.high), word=word), evidence=("data.rows",))
        raise NotApplicable("no rate from which the number of rows follows")
    if told is not None:
        if band.low <= told <= band.high:
            agreed = "The training set held {n}, which agrees with the logged throughput."
            return found(say(agreed, n=numbers.plural(told, word)), evidence=("data.rows",))
        return found(
            say(
                "The training set is said to hold {told}, but the logged throughput implies {band}: filtered rows, "
                "a bounded number of steps, or another file.",
                told=numbers.plural(told, word),
                band=_band_text(band),
            ),
            "warning",
            evidence=("data.rows",),
        )
    if band.value is not None:
        text = say("The logged throughput implies {n}.", n=numbers.plural(band.value, f"training {word}"))
    else:
        text = say("The logged throughput implies {band} training {word}s.", band=_band_text(band), word=word)
    return found(text, evidence=("data.rows",))


def _band_text(band: reading.Band) -> str:
    return f"{band.low:,}" if band.value is not None else f"between {band.low:,} and {band.high:,}"


def presentations(run: Run, values: Values) -> Finding:
    """B4."""
    value, rows = values.get("data.presentations"), reading.dataset_rows(run)
    epochs = reading.planned_epochs(run)
    if value is None or not rows or not epochs:
        raise NotApplicable("the number of rows or epochs is not known")
    word = reading.sample_word(run)
    times = {1: "once", 2: "twice"}.get(int(epochs) if epochs == int(epochs) else 0, f"{epochs:g} times")
    text = say(
        "Each {word} was seen {times} ({n}).",
        word=word,
        times=times,
        n=numbers.plural(round(float(value.value)), f"{word} presentation"),
    )
    return found(text, evidence=("data.presentations",))


def row_average(run: Run, values: Values) -> Finding:
    """B5."""
    series, mean, total = run.get("loss"), run.number("train_loss"), reading.total_steps(run)
    if series is None or mean is None or not total or not len(series) or not math.isfinite(mean):
        raise NotApplicable("rows with a loss and a mean over the run are both needed")
    if int(series.steps[-1]) != total or reading.resumed_from(run):
        raise NotApplicable("the rows do not cover every step of the run")
    weights = np.diff(series.steps, prepend=0.0)
    if not np.isfinite(series.values).all():
        raise NotApplicable("the rows hold non-finite losses")
    average = float((weights * series.values).sum() / weights.sum())
    if abs(average - mean) <= MEAN_TOLERANCE * abs(mean) + 5e-5:
        return passed(f"the logged rows average to {numbers.loss(average)}, the reported mean")
    if (reading.devices(run) or 1) > 1:
        return passed("several devices: the unlogged tail of the mean is local to one of them")
    return found(
        say(
            "The logged rows do not average to the reported mean ({average} against {mean}); the "
            "directory may mix runs.",
            average=numbers.loss(average),
            mean=numbers.loss(mean),
        ),
        "warning",
        evidence=("loss.train.mean",),
    )


def jensen(run: Run, values: Values) -> Finding:
    """B6: −ln σ is convex, so a row's mean loss is at least −ln σ of its mean margin."""
    loss, margin = run.get("loss"), run.get("rewards/margins")
    if loss is None or margin is None or not baselines.of(run).is_sigmoid or setting_excludes(run):
        raise NotApplicable("the plain sigmoid loss with its margins is needed")
    shared, at, other = np.intersect1d(loss.steps, margin.steps, return_indices=True)
    if not len(shared):
        raise NotApplicable("no row has both a loss and a margin")
    with np.errstate(invalid="ignore"):
        least = np.logaddexp(0.0, -margin.values[other])
    gap = least - loss.values[at]
    # A short last window is divided otherwise in some versions: the last row of a run is left out.
    broken = np.isfinite(gap) & (gap > JENSEN_TOLERANCE) & (shared < loss.steps[-1])
    if not broken.any():
        return passed("loss and margin agree in every row")
    return found(
        say(
            "Loss and margin rows are inconsistent in {n}: they come from different runs, β differs, or another loss "
            "term is active.",
            n=numbers.plural(int(broken.sum()), "row"),
        ),
        "warning",
    )


def setting_excludes(run: Run) -> bool:
    """Whether rows need not obey Jensen's bound: metrics of rank 0 only (TRL up to 0.13 on several devices)."""
    return reading.at_least(run, "trl", 0, 14) is not True and reading.devices(run) != 1


def orpo_identity(run: Run, values: Values) -> Finding:
    """B7: loss = nll_loss − β · log_odds_ratio in every row."""
    columns = [run.get(name) for name in ("loss", "nll_loss", "log_odds_ratio")]
    rows = [dict(zip(c.steps, c.values, strict=True)) for c in columns if c is not None]
    if len(rows) < 3:
        raise NotApplicable("loss, nll_loss and log_odds_ratio are not all logged")
    steps = sorted(set(rows[0]) & set(rows[1]) & set(rows[2]))
    data = np.array([[row[step] for row in rows] for step in steps]).reshape(-1, 3)
    data = data[np.isfinite(data).all(axis=1) & (data[:, 2] != 0)] if len(data) else data
    if not len(data):
        raise NotApplicable("no row has all three finite")
    inferred = float(np.median((data[:, 1] - data[:, 0]) / data[:, 2]))
    told = reading.numeric(reading.setting(run, "beta"))
    if told is not None:
        off = np.abs(data[:, 0] - (data[:, 1] - told * data[:, 2])) > ORPO_TOLERANCE * np.abs(data[:, 0])
        if not off.any():
            return passed("loss = nll_loss − β · log_odds_ratio in every row")
    return found(say("β inferred from the rows: {b}.", b=numbers.number(inferred)), "caution")


def reward_columns(run: Run, values: Values) -> Finding:
    """B8."""
    columns = [run.get(f"rewards/{part}") for part in ("margins", "chosen", "rejected")]
    if run.method == "kto" or any(c is None or not len(c) for c in columns):
        raise NotApplicable("margins, chosen and rejected rewards are not all logged for pairs")
    margins, chosen, rejected = (dict(zip(c.steps, c.values, strict=True)) for c in columns if c is not None)
    steps = sorted(set(margins) & set(chosen) & set(rejected))
    gap = np.array([margins[s] - (chosen[s] - rejected[s]) for s in steps])
    scale = np.array([max(1.0, abs(margins[s]), abs(chosen[s]), abs(rejected[s])) for s in steps])
    off = np.isfinite(gap) & (np.abs(gap) > REWARD_TOLERANCE * scale)
    if not off.any():
        return passed("margins equal chosen minus rejected in every row")
    return found(
        say(
            "Reward columns are inconsistent: margins differ from chosen − rejected in {n}.",
            n=numbers.plural(int(off.sum()), "row"),
        ),
        "warning",
    )


def scaled_loss(run: Run, values: Values) -> Finding:
    """B9."""
    series, steps, known = run.get("loss"), reading.accumulation(run), baselines.of(run)
    if steps < 2 or series is None or not len(series) or not known.value:
        raise NotApplicable("gradient accumulation, a first loss and an analytic start are needed")
    first = reading.window(run, series, 0)
    if first != (1, 1):
        raise NotApplicable("the first row averages over more than the first step")
    ratio = float(series.values[0]) / known.value
    if not abs(ratio - steps) <= SCALE_TOLERANCE * steps:
        return passed("the first loss is not scaled by the accumulation")
    return found(
        say(
            "The first logged loss is {ratio}× the analytic value, matching a known "
            "gradient-accumulation scaling fault "
            "that also scales gradients [@tf_35856; @trl_2615].",
            ratio=numbers.number(ratio),
        ),
        "warning",
        evidence=("loss.train.first", "loss.start"),
    )


def step_time(run: Run, values: Values) -> Finding:
    """B10."""
    each, total = values.get("time.per_step"), reading.total_steps(run)
    if each is None or not total:
        raise NotApplicable("no runtime was saved")
    short = total < SHORT_RUN_STEPS
    over = f" over only {numbers.plural(total, 'step')}" if short else ""
    text = "One optimizer step took {t} on average{over}, everything included."
    severity: Severity = "caution" if short else "info"
    return found(say(text, t=numbers.display(each), over=over), severity, evidence=("time.per_step",))


CHECKS = (
    Check(
        "B6",
        "Loss and margin agree",
        jensen,
        needs=("method:dpo",),
        section="results",
        order=47,
        source="Jensen's inequality",
        forbids="the contradiction explained as a property of the model",
    ),
    Check(
        "B7",
        "ORPO's loss and its parts",
        orpo_identity,
        needs=("method:orpo",),
        section="results",
        order=47,
        source="TRL ORPOTrainer",
        forbids="the default β used silently",
    ),
    Check(
        "B1",
        "Effective batch",
        effective_batch,
        section="methodology",
        order=21,
        source="Trainer code",
        forbids="the per-device batch alone as the batch size",
    ),
    Check(
        "B2",
        "Steps",
        step_count,
        section="methodology",
        order=22,
        source="Trainer code",
        forbids="micro-batches or samples called steps",
    ),
    Check(
        "B3",
        "Implied rows",
        implied_rows,
        section="methodology",
        order=15,
        source="speed_metrics",
        forbids="the implied number called processed rows after an early stop",
    ),
    Check(
        "B4",
        "Presentations",
        presentations,
        section="methodology",
        order=23,
        source="arithmetic",
        forbids="presentations called training samples",
    ),
    Check(
        "B5",
        "Rows average to the mean",
        row_average,
        section="results",
        order=29,
        source="Trainer code",
        forbids="choosing one of two contradicting values silently",
    ),
    Check(
        "B8",
        "Reward columns agree",
        reward_columns,
        section="results",
        order=48,
        source="TRL code",
        forbids="margins recomputed silently",
    ),
    Check(
        "B9",
        "Scaled loss",
        scaled_loss,
        section="discussion",
        order=3,
        source="transformers #35856; TRL #2615",
        forbids="such losses compared with other runs",
    ),
    Check(
        "B10",
        "Time per step",
        step_time,
        needs=("summary:train_runtime",),
        section="results",
        order=71,
        source="speed_metrics",
        forbids="this as pure compute time",
    ),
)
