"""Scale, cost and seeds: groups G, H, I, J as far as they limit what a run of this size can show, and rule K2."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Values, found, passed
from dpo_report.core.model import Finding, Run, Severity
from dpo_report.core.text import Ask, say
from dpo_report.plugins import reading
from dpo_report.plugins.metrics.loss import measures_progress

WARN_STEPS, CAUTION_STEPS = 20, 100
"""Optimizer steps below which a run is a warning, and a caution (rule G8; conventions)."""
SMOKE, SMALL, MODEST = 100, 1000, 5000
"""Training rows below which a run is of smoke-test scale, small, and below published scale (rule H3; conventions)."""
INFERENCE_ROWS = 30
"""Rows below which nothing is inferred (rule K2)."""
SHORT_STEPS, SHORT_SECONDS = 50, 60
"""Below these a throughput is dominated by start-up (rule I2; conventions)."""


def few_steps(run: Run, values: Values) -> Finding:
    """G8."""
    total = reading.total_steps(run)
    if total is None:
        raise NotApplicable("no step count was logged")
    if total >= CAUTION_STEPS:
        return passed(f"{total:,} steps")
    if total < WARN_STEPS:
        text = say(
            "Training comprised only {total}; curves and rates are not estimable.",
            total=numbers.plural(total, "optimizer update"),
        )
        return found(text, "warning", evidence=("steps.done",))
    text = say("Training comprised only {total} optimizer updates; trends rest on few points.", total=total)
    return found(text, "caution", evidence=("steps.done",))


def data_size(run: Run, values: Values) -> Finding:
    """H3."""
    value = values["data.rows"]
    rows, word = int(value.high or float(value.value)), reading.sample_word(run)
    if rows >= MODEST:
        return passed(f"{rows:,} training {word}s")
    severity: Severity = "warning" if rows < SMOKE else "caution" if rows < SMALL else "info"
    scale = " is a smoke test" if rows < SMOKE else " is small"
    context = ""
    if run.method == "dpo":
        context = (
            "; published recipes use about 61,000 (Zephyr) to 270,000 (Tülu 3 8B) "
            "[@tunstall2023zephyr; @lambert2024tulu3]"
        )
    text = "A training set of {n}{scale}" + context + "."
    return found(say(text, n=numbers.plural(rows, word), scale=scale), severity, evidence=("data.rows",))


def wall_clock(run: Run, values: Values) -> Finding:
    """I1."""
    runtime = values["runtime.train"]
    counts = []
    evaluations = {float(s) for (_, split), x in run.series.items() if split.startswith("eval") for s in x.steps}
    if evaluations:
        counts.append(numbers.plural(len(evaluations), "evaluation"))
    saves = {f.path.split("/")[0] for f in run.files if f.path.startswith("checkpoint-")}
    if saves:
        counts.append(f"at least {numbers.plural(len(saves), 'checkpoint write')}")
    includes = f"includes {' and '.join(counts)} and " if counts else ""
    device = run.answers.get("hardware") or reading.fact(run, "hardware", "device")
    return found(
        say(
            "Wall-clock time of the training loop: {t} ({device}); it {includes}excludes model "
            "loading and preprocessing.",
            t=numbers.display(runtime),
            device=str(device) if device else Ask("hardware", "device"),
            includes=includes,
        ),
        evidence=("runtime.train",),
    )


def throughput(run: Run, values: Values) -> Finding:
    """I2."""
    rate, runtime = values["throughput.samples"], run.number("train_runtime") or 0.0
    short = (reading.total_steps(run) or 0) < SHORT_STEPS or runtime < SHORT_SECONDS
    tail = "; over so short a run it is dominated by start-up" if short else ""
    if reading.resumed_from(run) and reading.at_least(run, "transformers", 5, 19) is not True:
        tail += "; it counts the planned work although the run was resumed, so it overstates the speed"
        short = True
    word = reading.sample_word(run)
    return found(
        say(
            "The nominal throughput was {x} (dataset rows × epochs over wall time; one row is one {word}){tail}.",
            x=numbers.display(rate),
            word=word,
            tail=tail,
        ),
        "caution" if short else "info",
        evidence=("throughput.samples",),
    )


def scaling(run: Run, values: Values) -> Finding:
    """I3: one run has one size, so a statement on scaling is never licensed by it."""
    return passed("one run has one size: no statement on scaling is possible")


def one_seed(run: Run, values: Values) -> Finding:
    """J1."""
    if run.status == "no-metrics":
        raise NotApplicable("the run holds no metrics at all")
    seed = reading.setting(run, "seed")
    which = f" (seed {seed})" if seed is not None else ""
    return found(
        say("All values come from a single run{which}; variation over seeds was not measured.", which=which),
        "caution",
    )


def too_small(run: Run, values: Values) -> Finding:
    """K2."""
    rows, total = reading.dataset_rows(run), reading.total_steps(run)
    if not ((rows is not None and rows < INFERENCE_ROWS) or (total is not None and total < WARN_STEPS)):
        return passed("large enough for intervals and trends")
    parts = []
    if rows is not None and rows < INFERENCE_ROWS:
        parts.append(numbers.plural(rows, reading.sample_word(run)))
    if total is not None and total < WARN_STEPS:
        parts.append(numbers.plural(total, "update"))
    return found(
        say(
            "With {what} the run is too small for inference: no percentage, p-value or trend is given.",
            what=" and ".join(parts),
        ),
        "warning",
    )


def policy_loss(run: Run, values: Values) -> Finding:
    """L4."""
    if measures_progress(run):
        raise NotApplicable("this concerns policy-gradient runs")
    first, last = values.get("policy.reward.first"), values.get("policy.reward.last")
    text = say("The policy-gradient loss is not a progress measure and is not interpreted")
    if first is None or last is None:
        return found(text + "; no mean reward was logged.")
    few = " (one row)" if first.note == "one row" else f" ({first.note} at either end)"
    text += say(
        "; the mean training reward went from {a} to {b}{few}. It is the optimised quantity, on training prompts.",
        a=numbers.display(first),
        b=numbers.display(last),
        few=few,
    )
    return found(text, evidence=("policy.reward.first", "policy.reward.last"))


CHECKS = (
    Check(
        "G8",
        "Few steps",
        few_steps,
        section="limitations",
        order=4,
        source="a convention of ours",
        forbids="trends and percentages below 20 steps",
    ),
    Check(
        "H3",
        "Size of the training set",
        data_size,
        needs=("value:data.rows",),
        section="limitations",
        order=3,
        source="published recipes; boundaries are conventions",
        forbids="“sufficient”",
    ),
    Check(
        "I1",
        "Wall-clock time",
        wall_clock,
        needs=("value:runtime.train",),
        section="results",
        order=13,
        source="Trainer.train",
        forbids="set-up included in “training took”",
    ),
    Check(
        "I2",
        "Throughput",
        throughput,
        needs=("value:throughput.samples",),
        section="results",
        order=15,
        source="speed_metrics",
        forbids="“fast”, “efficient”, “scalable”",
    ),
    Check(
        "I3",
        "Scaling",
        scaling,
        section="limitations",
        source="arithmetic; Lipton & Steinhardt 2019",
        forbids="“scalable” without three sizes and a fitted exponent",
    ),
    Check(
        "J1",
        "One seed",
        one_seed,
        section="limitations",
        order=6,
        source="Henderson et al. 2018; Bouthillier et al. 2021; Agarwal et al. 2021",
        forbids="any ± from one run",
    ),
    Check(
        "K2",
        "Too small for inference",
        too_small,
        section="limitations",
        order=5,
        source="Bowyer et al. 2025; a convention of ours",
        forbids="percentages, p-values, “trend”",
    ),
    Check(
        "L4",
        "Policy-gradient loss",
        policy_loss,
        section="results",
        order=20,
        source="TRL #3452; Shao et al. 2024; Ahmadian et al. 2024",
        forbids="“the loss decreased”",
    ),
)
