"""Wall-clock time and nominal throughput (rules B10, I1, I2; transformers ``speed_metrics``)."""

from __future__ import annotations

from collections.abc import Iterator

from dpo_report.core.contract import Metric
from dpo_report.core.model import Run, Value
from dpo_report.plugins import reading

_SOURCE = "transformers Trainer.train and trainer_utils.speed_metrics"


def _runtime(run: Run) -> Value:
    datum = run.summary["train_runtime"]
    return Value("runtime.train", float(datum.value), (datum.source,), kind="seconds", formula="as logged")


def _samples_rate(run: Run) -> Value:
    datum = run.summary["train_samples_per_second"]
    return Value(
        "throughput.samples",
        float(datum.value),
        (datum.source,),
        kind="rate",
        unit=f"{reading.sample_word(run)}s/s",
        formula="dataset rows × epochs / train_runtime, as logged",
    )


def _steps_rate(run: Run) -> Value:
    datum = run.summary["train_steps_per_second"]
    return Value("throughput.steps", float(datum.value), (datum.source,), kind="rate", formula="as logged")


def _each(run: Run) -> Iterator[Value]:
    runtime = run.summary["train_runtime"]
    seconds = float(runtime.value)
    steps = reading.total_steps(run)
    before = reading.resumed_from(run) or 0
    if steps and steps > before:
        done = steps - before
        yield Value(
            "time.per_step",
            seconds / done,
            (runtime.source,),
            kind="seconds",
            formula=f"{seconds:g} s / {done:,} steps",
            note="everything included: data loading, evaluation, checkpoints",
        )
    rows, epochs = reading.dataset_rows(run), reading.planned_epochs(run)
    if rows and epochs and not before and run.status == "completed":
        word = reading.sample_word(run)
        yield Value(
            "time.per_presentation",
            seconds / (rows * epochs),
            (runtime.source,),
            label=f"wall time per {word} presentation",
            kind="seconds",
            formula=f"{seconds:g} s / ({rows:,} × {epochs:g})",
        )


METRICS = (
    Metric(
        "runtime.train",
        "wall-clock time of the training loop",
        _runtime,
        needs=("summary:train_runtime",),
        unit="s",
        keys=("train_runtime",),
        meaning="Seconds from the start of the training loop to its end, on the wall clock. Evaluations, checkpoint "
        "writing, data loading, logging and the warm-up of the first step are included; model loading, tokenisation "
        "and reference log-probabilities computed beforehand are not.",
        paper="Training took {value} of wall-clock time (training loop, evaluations and checkpoints included) on "
        "[your hardware].",
        context="A time says something about a machine only with the machine's name beside it, and nothing about "
        "scaling: that needs several sizes.",
        compare="The same run repeated on the same machine; other machines only with both named.",
        source=_SOURCE,
    ),
    Metric(
        "throughput.samples",
        "nominal throughput",
        _samples_rate,
        needs=("summary:train_samples_per_second",),
        better="higher",
        keys=("train_samples_per_second",),
        meaning="Dataset rows × epochs divided by `train_runtime`. In preference tuning one row is one pair, that is "
        "two sequences through the policy and two through the reference model.",
        paper="{value} (nominal: dataset rows × epochs over wall time).",
        context="It is computed from the planned work, not counted: up to transformers 5.18 it overstates the speed "
        "of runs that stopped early or were resumed. Below about a minute, start-up dominates it.",
        compare="Runs with the same model, sequence lengths and machine.",
        source=_SOURCE,
    ),
    Metric(
        "throughput.steps",
        "optimizer steps per second",
        _steps_rate,
        needs=("summary:train_steps_per_second",),
        unit="steps/s",
        better="higher",
        keys=("train_steps_per_second",),
        meaning="Planned optimizer steps divided by `train_runtime`. One step uses the whole effective batch.",
        paper="{value}; give the effective batch beside it.",
        context="Doubling gradient accumulation halves this number without any change in speed.",
        compare="Only runs with the same effective batch.",
        source=_SOURCE,
    ),
    Metric(
        "time.per_step",
        "wall time per optimizer step",
        _each,
        needs=("summary:train_runtime",),
        unit="s",
        better="lower",
        meaning="`train_runtime` divided by the number of optimizer steps of this call of train().",
        paper="{value} per optimizer step, including data loading, checkpointing and evaluation.",
        context="With fewer than 50 steps, fixed costs dominate: it is no estimate of pure compute time.",
        compare="Runs with the same effective batch, model and machine.",
        source="derived here: train_runtime / steps",
    ),
)
