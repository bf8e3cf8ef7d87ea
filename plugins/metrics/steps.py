"""Steps, epochs, batch and the number of dataset rows (rules A5, B1 to B4)."""

from __future__ import annotations

from collections.abc import Iterator

from dpo_report.core.contract import Metric, NotApplicable
from dpo_report.core.model import Run, Source, Value
from dpo_report.plugins import reading
from dpo_report.plugins.reading.programs import counts_updates

_STEPS = "transformers Trainer.set_initial_training_values; TRL trainers inherit it"


def _told_at(run: Run, member: str) -> tuple[Source, ...]:
    """Where a count of the run stands: a setting, the trainer's state beside its rows, or else the last logged row."""
    wanted = getattr(run, member)
    for witness in run.witnesses:
        if getattr(witness, member) != wanted or not witness.files:
            continue
        setting = witness.settings.get(member)
        if setting is not None and setting.value == wanted:
            return (setting.source,)
        rows = [one for one in witness.series if len(one)]
        last = max(rows, key=lambda one: float(one.steps[-1])).source_at(-1) if rows else None
        if last is None or last.where.startswith("log_history["):
            return (Source(witness.files[0], member),)
        return (last,)
    return ()


def _steps(run: Run) -> Iterator[Value]:
    total = reading.total_steps(run)
    if total is None or not counts_updates(run):
        raise NotApplicable("no count of optimizer steps was logged")
    yield Value("steps.done", total, _told_at(run, "global_step"), kind="count")
    if run.max_steps:
        yield Value(
            "steps.planned",
            run.max_steps,
            _told_at(run, "max_steps"),
            label="planned optimizer steps",
            kind="count",
        )


def _logged(run: Run) -> Iterator[Value]:
    if run.global_step is None or counts_updates(run):
        raise NotApplicable("no step was logged, or the steps are optimizer steps")
    yield Value("steps.logged", run.global_step, _told_at(run, "global_step"), kind="count")


def _epochs(run: Run) -> Iterator[Value]:
    if run.epoch is None:
        raise NotApplicable("no epoch was logged")
    where = run.summary["epoch"].source if "epoch" in run.summary else None
    yield Value("epochs.done", run.epoch, (where,) if where else _told_at(run, "epoch"), kind="number")


def _batch(run: Run) -> Iterator[Value]:
    size = reading.per_device_batch(run)
    if size is None:
        raise NotApplicable("the run does not tell its batch size")
    steps, count = reading.accumulation(run), reading.devices(run)
    sources = reading.setting_source(run, "per_device_train_batch_size", "gradient_accumulation_steps")
    word = reading.batch_word(run)
    if count:
        rates = ("train_samples_per_second", "train_steps_per_second")
        yield Value(
            "batch.effective",
            size * steps * count,
            sources + tuple(run.summary[key].source for key in rates if key in run.summary),
            unit=f"{word}s",
            kind="count",
            formula=f"{size} per device × {steps} accumulation × {count} device{'s' if count > 1 else ''}",
            note="" if count == 1 else f"{count} devices inferred from samples/s ÷ steps/s",
        )
    yield Value(
        "batch.per_device",
        size,
        reading.setting_source(run, "per_device_train_batch_size"),
        label="batch per device and forward pass",
        unit=f"{word}s",
        kind="count",
    )


def _rows(run: Run) -> Iterator[Value]:
    word = reading.sample_word(run)
    told = reading.whole(reading.fact(run, "train_pairs", "train_rows"))
    band = reading.implied_rows(run) or reading.rows_from_steps(run)
    if told is not None:
        source = next(run.facts[key].source for key in ("train_pairs", "train_rows") if key in run.facts)
        rows, formula, note = told, "as told in dpo-report.toml", ""
        sources: tuple[Source, ...] = (source,)
    elif band is not None and band.value is not None:
        rows, formula, note = band.value, f"{band.formula} = {band.value:,}", "implied"
        sources = band.sources
    elif band is not None:
        yield Value(
            "data.rows",
            f"{band.low:,} to {band.high:,}",
            band.sources,
            label=f"training {word}s",
            unit=f"{word}s",
            kind="text",
            low=band.low,
            high=band.high,
            formula=band.formula,
            note="implied",
        )
        return
    else:
        raise NotApplicable("neither the data set's size nor a throughput that implies it was saved")
    yield Value(
        "data.rows",
        rows,
        sources,
        label=f"training {word}s",
        unit=f"{word}s",
        kind="count",
        formula=formula,
        note=note,
    )
    epochs = reading.planned_epochs(run)
    if epochs and run.status == "completed":
        yield Value(
            "data.presentations",
            rows * epochs,
            sources + reading.setting_source(run, "num_train_epochs"),
            label=f"{word} presentations",
            kind="count",
            formula=f"{rows:,} × {epochs:g} epochs",
            note="repeats counted",
        )


METRICS = (
    Metric(
        "steps.done",
        "optimizer steps",
        _steps,
        keys=("global_step", "max_steps"),
        meaning=(
            "Updates of the parameters. One step uses `gradient_accumulation_steps` micro-batches on every device."
        ),
        paper="{value} optimizer steps.",
        context="Not micro-batches and not samples. `checkpoint-N` is named after this number.",
        compare="The planned number: an equal one says that training ran to its end, nothing about quality.",
        source=_STEPS,
    ),
    Metric(
        "steps.logged",
        "last logged step",
        _logged,
        keys=("step",),
        meaning="The highest step of the log. Nothing says what it counts: updates, batches or calls of the logger.",
        context="No number of optimizer steps: those may be fewer, by the accumulation of gradients, or more.",
        compare="The training script: what it passes as the step.",
        source="the log",
    ),
    Metric(
        "epochs.done",
        "epochs",
        _epochs,
        keys=("epoch", "num_train_epochs"),
        meaning="Passes over the training set, with the fraction of the last one.",
        paper="{value} epochs.",
        context="From the second epoch on every row has been seen before, so training metrics describe memory as "
        "well as fit.",
        compare="Published preference tuning uses 1 to 3 epochs.",
        source="transformers Trainer",
    ),
    Metric(
        "batch.effective",
        "effective batch size",
        _batch,
        keys=("per_device_train_batch_size", "gradient_accumulation_steps"),
        meaning="Rows per optimizer step: per-device batch × accumulation steps × data-parallel devices.",
        paper="an effective batch of {value}.",
        context="`per_device_train_batch_size` alone is not the batch size.",
        compare="The ratio samples/s ÷ steps/s, which must agree with it.",
        source=_STEPS,
    ),
    Metric(
        "data.rows",
        "training rows",
        _rows,
        meaning="Rows of the training set. Where the run does not state it, the nominal throughput implies it: "
        "samples/s × runtime / epochs.",
        paper="{value}.",
        context=(
            "Implied after any filtering by the trainer; not the number of rows processed when a run stopped early."
        ),
        compare="The size of the data set that you think you trained on: a difference means filtered rows.",
        source="transformers trainer_utils.speed_metrics",
    ),
)
