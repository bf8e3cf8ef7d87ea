"""Group B, sizes: batch, steps, rows and presentations follow from one another."""

from __future__ import annotations

import math

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Values, found
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import Text, say
from dpo_report.plugins import reading
from dpo_report.plugins.reading.programs import counts_updates


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
    if not counts_updates(run):
        text = say("The log goes up to step {total}; what a step counts is not told.", total=total)
        return found(text, evidence=("steps.logged",))
    rows, size, count = reading.dataset_rows(run), reading.per_device_batch(run), reading.devices(run)
    if run.status != "completed" or not epochs:
        cut = reading.cut_short(run)
        steps = numbers.plural(reading.last_step(run) if cut else total, "optimizer step")
        return found(
            say("Training took {least}{steps}.", least="at least " if cut else "", steps=steps),
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


CHECKS = (
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
)
