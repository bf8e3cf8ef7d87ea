"""Group A: where the values come from, which versions wrote them, whether the run was resumed or cut short."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Values, found, passed
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import Ask, Cite, Code, Text, join, listing, say
from dpo_report.plugins import reading
from dpo_report.plugins.reading.programs import program

METHODS = {
    "dpo": ("Direct Preference Optimization", "rafailov2023dpo"),
    "kto": ("Kahneman–Tversky Optimization", "ethayarajh2024"),
    "orpo": ("Odds Ratio Preference Optimization", "hong2024"),
    "cpo": ("Contrastive Preference Optimization", "xu2024cpo"),
    "simpo": ("SimPO", "meng2024simpo"),
    "grpo": ("Group Relative Policy Optimization", "shao2024"),
    "rloo": ("REINFORCE Leave-One-Out", "ahmadian2024"),
    "sft": ("supervised fine-tuning", ""),
    "reward": ("reward modelling", ""),
    "ppo": ("Proximal Policy Optimization", ""),
    "online_dpo": ("online DPO", ""),
    "classification": ("supervised classification", ""),
}
"""Name in a sentence and the work to cite, by method."""
_CPO_SIMPO = ("CPO-SimPO", ("meng2024simpo", "xu2024cpo"))

_LIBRARIES = (
    ("trl", "TRL", "vonwerra2020trl"),
    ("transformers", "Transformers", "wolf2020transformers"),
    ("torch", "PyTorch", ""),
)
_TRAINER = ("trl", "transformers")


def method_text(run: Run) -> Text:
    """The method's name with its citation."""
    untold = _algorithm(run) or "a method that the run does not tell"
    name, key = METHODS.get(run.method or "", (run.method or untold, ""))
    keys: tuple[str, ...] = (key,) if key else ()
    if reading.with_likelihood_term(run):
        name, keys = _CPO_SIMPO
    parts: tuple[str | Cite, ...] = (name,)
    if keys:
        parts += (" ", Cite(keys))
    return Text(parts)


def _algorithm(run: Run) -> str:
    """The algorithm that a trainer is named after (``stable_baselines3.PPO``), if it is."""
    library, _, name = (run.trainer or "").rpartition(".")
    return name if library == "stable_baselines3" else ""


def merged_sources(run: Run, values: Values) -> Finding:
    """A1."""
    states = [w for w in run.witnesses if w.series or w.summary]
    if not states:
        raise NotApplicable("no file of the run holds metrics")
    files = listing([Code(name) for name in dict.fromkeys(w.files[0] for w in states if w.files)][:4])
    if "train_loss" in run.summary or "train_runtime" in run.summary or run.status == "running":
        return passed(say("values were read from {files}", files=files))
    if run.method in reading.POLICY_GRADIENT:
        lost = "runtime is unavailable"
    else:
        lost = "runtime and mean loss are unavailable"
    return found(
        say(
            "Values were read from {files}; no end-of-training summary was saved, so {lost}.",
            files=files,
            lost=lost,
        ),
        "caution",
    )


def row_kinds(run: Run, values: Values) -> Finding:
    """A2."""
    if run.series and any(split == "train" for _, split in run.series):
        return passed("training rows were logged")
    if run.status == "no-metrics":
        raise NotApplicable("the run holds no metrics at all")
    if unread := reading.unread_log(run):
        why = say("{file}: {message}", file=Code(unread.where), message=unread.message)
        return found(say("No log could be read, so nothing is known of single steps ({why}).", why=why), "warning")
    every, total = reading.whole(reading.setting(run, "logging_steps")), reading.total_steps(run)
    if every and total and every > total:
        text = say(
            "No per-step loss was logged: the logging interval, {every} steps, exceeds the {total} of the run.",
            every=every,
            total=total,
        )
    else:
        text = say("No per-step loss was logged.")
    return found(text, "caution")


def no_metrics(run: Run, values: Values) -> Finding:
    """A2, where nothing at all was logged."""
    if run.status != "no-metrics":
        return passed("the run holds metrics")
    return found(
        say(
            "The directory holds no training metrics: no log, no state and no results file. Its "
            "settings and files are "
            "listed; nothing can be said about how training went."
        ),
        "warning",
    )


def versions(run: Run, values: Values) -> Finding:
    """A3."""
    method = method_text(run)
    subject = join(["The policy was trained with", method])
    told = [
        Text((f"{name} {run.versions[key]}", *((" ", Cite((cite,))) if cite else ())))
        for key, name, cite in _LIBRARIES
        if key in run.versions
    ]
    if run.method in ("sft", "reward", "classification", None):
        subject = join(["The model was trained by", method])
    own = program(run)
    if own and own[0] not in _TRAINER:
        told[:0] = [Text((f"{own[1]} {run.versions[key]}",)) for key in dict.fromkeys(own) if key in run.versions]
    if told:
        return found(say("{subject}, using {told}.", subject=subject, told=listing(told)))
    ask = Ask("versions", _asked(run))
    doubtful = reading.resumed_from(run) is not None
    return found(say("{subject}, using {ask}.", subject=subject, ask=ask), "caution" if doubtful else "info")


def _asked(run: Run) -> str:
    """Which versions the author is asked for: those of the program that trained, where the run tells which it was."""
    own = program(run)
    if own is None:
        return "name and version of the program that trained, and of its libraries"
    return (
        "versions of TRL, Transformers and PyTorch" if own[0] in _TRAINER else f"versions of {own[1]} and its libraries"
    )


def resumed(run: Run, values: Values) -> Finding:
    """A4."""
    after, total = reading.resumed_from(run), reading.total_steps(run)
    if not after or not total:
        return passed("no sign of a resumption")
    text = say(
        "The run was resumed at step {after}; runtime and mean loss cover {span} only.",
        after=after,
        span=f"steps {after + 1:,} to {total:,}",
    )
    known = reading.version(run, "transformers")
    if "train_loss" in run.summary and known is None:
        text += say(
            " Up to Transformers 5.18 the reported mean divides by all {total} steps and is too low by {ratio}; the "
            "version is not known, so the reported value is not corrected.",
            total=total,
            ratio=f"a factor of {numbers.number((total - after) / total)}",
        )
    return found(text, "caution")


def complete(run: Run, values: Values) -> Finding:
    """A5."""
    done, planned = run.global_step, run.max_steps
    if not done or not planned:
        raise NotApplicable("the planned number of steps is not known")
    if done >= planned:
        text = say("All {planned} planned optimizer steps were taken.", planned=planned)
        return found(text, evidence=("steps.done", "steps.planned"), grants=("complete",))
    epochs = reading.numeric(reading.setting(run, "num_train_epochs"))
    at = ""
    if run.epoch is not None:
        at = f" (epoch {run.epoch:.3g}" + (f" of {epochs:g})" if epochs and epochs > run.epoch else ")")
    if run.status == "running":
        going = "Training is under way: these are the numbers of step {done} of {planned}{at}."
        return found(say(going, done=done, planned=planned, at=at), "caution", evidence=("steps.done", "steps.planned"))
    last = reading.last_step(run)
    told = (
        "Training stopped at step {done} of {planned}{at}."
        if reading.ended(run)
        else "The last saved state is that of step {done} of {planned}{at}; the log ends at step {last}."
        if last > done
        else "The last saved state is that of step {done} of {planned}{at}; what came after it is not told."
    )
    return found(
        say(told, done=done, planned=planned, at=at, last=last),
        "warning",
        evidence=("steps.done", "steps.planned"),
    )


def hardware(run: Run, values: Values) -> Finding:
    """A7."""
    told = run.answers.get("hardware") or reading.fact(run, "hardware", "device")
    if told:
        return found(say("The run used {told}.", told=str(told)))
    return found(
        say("Hardware: {ask}.", ask=Ask("hardware", "device model, count, memory, operating system")),
        "caution",
    )


def digits(run: Run, values: Values) -> Finding:
    """A6: carried by :mod:`dpo_report.core.numbers`, through which every printed number goes."""
    raw = [name for name, value in values.items() if value.kind == "text" and isinstance(value.value, float)]
    return passed("numbers are rounded to what their noise supports", evidence=tuple(raw))


CHECKS = (
    Check(
        "A1",
        "Where the values were read",
        merged_sources,
        section="limitations",
        order=10,
        source="Trainer code",
        forbids="a field printed as 0 because its file is absent",
    ),
    Check(
        "A2",
        "Kinds of log rows",
        row_kinds,
        section="results",
        order=30,
        source="Trainer code",
        forbids="the summary value as a point of a curve",
    ),
    Check("A2.none", "No metrics at all", no_metrics, section="results", order=1, source="Trainer code"),
    Check(
        "A3",
        "Versions",
        versions,
        section="methodology",
        order=10,
        source="model card, configuration",
        forbids="versions guessed from today's installation",
    ),
    Check(
        "A4",
        "Resumed",
        resumed,
        section="results",
        order=12,
        source="Trainer code",
        forbids="a total training time for a resumed run",
    ),
    Check(
        "A5",
        "Complete",
        complete,
        section="results",
        order=10,
        source="Trainer code",
        forbids="“completed successfully” as a word on quality",
    ),
    Check("A6", "Digits", digits, section="appendix", source="a convention of ours", forbids="raw floats"),
    Check(
        "A7",
        "Hardware",
        hardware,
        section="methodology",
        order=40,
        source="NeurIPS checklist; Pineau et al. 2021",
        forbids="a guessed device",
    ),
)
