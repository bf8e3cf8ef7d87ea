"""Group I: wall-clock time, throughput, tokens, floating-point operations and the project's whole compute."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run, Severity
from dpo_report.core.text import Ask, say
from dpo_report.plugins import reading

SHORT_STEPS = Threshold("B10.steps", 50, "steps below which fixed costs weigh heavily in a time or a rate")
SHORT_SECONDS = Threshold("I2.seconds", 60, "runtime below which fixed costs weigh heavily in a rate", "s")


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
    short = runtime < SHORT_SECONDS.of(run) or (reading.total_steps(run) or 0) < SHORT_STEPS.of(run)
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


def scaling(run: Run, values: Values) -> Finding:
    """I3: one run has one size, so a statement on scaling is never licensed by it."""
    return passed("one run has one size: no statement on scaling is possible")


def token_rate(run: Run, values: Values) -> Finding:
    """I4."""
    tokens, runtime = values["tokens.seen"], values["runtime.train"]
    if reading.resumed_from(run):
        raise NotApplicable("the run was resumed: tokens and runtime cover different steps")
    if float(runtime.value) <= 0:
        raise NotApplicable("the runtime is zero")
    kind = "non-padding tokens/s" if "without padding" in tokens.note else "tokens/s"
    tail = "; the reference pass is not counted" if run.method in reading.IMPLICIT_REWARD else ""
    return found(
        say(
            "The trained model processed {x} {kind}{tail}.",
            x=numbers.number(float(tokens.value) / float(runtime.value)),
            kind=kind,
            tail=tail,
        ),
        evidence=("tokens.seen", "runtime.train"),
    )


def operations(run: Run, values: Values) -> Finding:
    """I5: 6·P·D for the policy, 2·P·D more for the reference model's forward pass (Kaplan et al. 2020)."""
    tokens, size = float(values["tokens.seen"].value), float(values["model.parameters"].value)
    if reading.setting(run, "lora.r") is not None:
        raise NotApplicable("with adapters the count of trained operations is not 6·P·D")
    factor = 6 if reading.setting(run, "precompute_ref_log_probs") else 8
    return found(
        say(
            "Training took about {x} floating-point operations, estimated as {factor} × parameters × tokens "
            "[@kaplan2020].",
            x=numbers.scientific(factor * size * tokens, 2),
            factor=factor,
        ),
        evidence=("tokens.seen", "model.parameters"),
    )


def whole_project(run: Run, values: Values) -> Finding:
    """I8."""
    told = run.answers.get("compute")
    if told:
        return found(say("The whole project used {told}.", told=told))
    ask = Ask("compute", "compute of the whole project, failed and tuning runs included")
    return found(say("Total project compute: {ask}.", ask=ask), "caution")


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
    Check(
        "I3",
        "Scaling",
        scaling,
        section="limitations",
        source="arithmetic; Lipton & Steinhardt 2019",
        forbids="“scalable” without three sizes and a fitted exponent",
    ),
    Check(
        "I4",
        "Tokens per second",
        token_rate,
        needs=("value:tokens.seen", "value:runtime.train"),
        section="results",
        order=73,
        source="TRL and transformers token counters",
        forbids="padded and unpadded counts mixed",
    ),
    Check(
        "I5",
        "Floating-point operations",
        operations,
        needs=("method:dpo", "value:tokens.seen", "value:model.parameters"),
        section="reproducibility",
        order=20,
        source="Kaplan et al. 2020",
        forbids="“measured”",
    ),
    Check(
        "I8",
        "Total compute",
        whole_project,
        section="limitations",
        order=20,
        source="NeurIPS checklist; Dodge et al. 2019",
        forbids="this run as the total",
    ),
)
