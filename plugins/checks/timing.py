"""Group I, time: wall-clock time, time per step, throughput, and when a run is too short for them."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found
from dpo_report.core.model import Finding, Run, Severity
from dpo_report.core.text import Ask, say
from dpo_report.plugins import reading
from dpo_report.plugins.reading.rows import after_training

SHORT_STEPS = Threshold("B10.steps", 50, "steps below which fixed costs weigh heavily in a time or a rate")
SHORT_SECONDS = Threshold("I2.seconds", 60, "runtime below which fixed costs weigh heavily in a rate", "s")


def device(run: Run) -> str | None:
    """The machine, as the author or the facts of the run name it."""
    told = run.answers.get("hardware") or reading.fact(run, "hardware", "device")
    return str(told) if told else None


def is_short(run: Run) -> bool:
    """Whether fixed costs weigh heavily in the times of a run."""
    runtime = run.number("train_runtime") or 0.0
    return runtime < SHORT_SECONDS.of(run) or (reading.total_steps(run) or 0) < SHORT_STEPS.of(run)


def step_time(run: Run, values: Values) -> Finding:
    """B10."""
    each, total = values.get("time.per_step"), reading.total_steps(run)
    if each is None or not total:
        raise NotApplicable("no runtime was saved")
    steps = total - (reading.resumed_from(run) or 0)
    short = steps < SHORT_STEPS.of(run)
    over = f" over only {numbers.plural(steps, 'step')}" if short else ""
    text = "One optimizer step took {t} on average{over}, everything included."
    severity: Severity = "caution" if short else "info"
    return found(say(text, t=numbers.display(each), over=over), severity, evidence=("time.per_step",))


def wall_clock(run: Run, values: Values) -> Finding:
    """I1."""
    runtime = values["runtime.train"]
    counts = []
    held_out = [series for (_, split), series in run.series.items() if split.startswith("eval")]
    evaluations = {float(step) for x in held_out for at, step in enumerate(x.steps) if not after_training(x, at)}
    if evaluations:
        counts.append(numbers.plural(len(evaluations), "evaluation"))
    saves = {f.path.split("/")[0] for f in run.files if f.path.startswith("checkpoint-")}
    if saves:
        counts.append(f"at least {numbers.plural(len(saves), 'checkpoint write')}")
    includes = f"includes {' and '.join(counts)} and " if counts else ""
    return found(
        say(
            "Wall-clock time of the training loop: {t} ({device}); it {includes}excludes model "
            "loading and preprocessing.",
            t=numbers.display(runtime),
            device=device(run) or Ask("hardware", "device"),
            includes=includes,
        ),
        evidence=("runtime.train",),
    )


def throughput(run: Run, values: Values) -> Finding:
    """I2."""
    rate, runtime = values["throughput.samples"], run.number("train_runtime") or 0.0
    short = is_short(run)
    brief = "short a run, start-up" if runtime < SHORT_SECONDS.of(run) else "few steps"
    tail = f"; over so {brief}, evaluations and checkpoints weigh heavily in it" if short else ""
    if reading.resumed_from(run) and reading.at_least(run, "transformers", 5, 19) is not True:
        tail += "; it counts the planned work although the run was resumed, so it overstates the speed"
        short = True
    word = reading.sample_word(run)
    return found(
        say(
            "The nominal throughput was {x} (training {word}s × epochs over wall time){tail}.",
            x=numbers.display(rate),
            word=word,
            tail=tail,
        ),
        "caution" if short else "info",
        evidence=("throughput.samples",),
    )


CHECKS = (
    Check(
        "B10",
        "Time per step",
        step_time,
        needs=("summary:train_runtime",),
        section="results",
        order=71,
        source="speed_metrics",
        forbids="this as pure compute time",
        thresholds=(SHORT_STEPS,),
    ),
    Check(
        "I1",
        "Wall-clock time",
        wall_clock,
        needs=("value:runtime.train",),
        section="results",
        order=70,
        source="Trainer.train",
        forbids="set-up included in “training took”",
    ),
    Check(
        "I2",
        "Throughput",
        throughput,
        needs=("value:throughput.samples",),
        section="results",
        order=72,
        source="speed_metrics",
        forbids="“fast”, “efficient”, “scalable”",
        thresholds=(SHORT_STEPS, SHORT_SECONDS),
    ),
)
