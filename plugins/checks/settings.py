"""Groups G and H as far as they describe: optimiser, precision, β, reference, seed. Describes, never grades."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Values, found
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import Ask, Code, Slot, Text, join, say
from dpo_report.plugins import reading

LOSS_WORKS = {
    "ipo": "azar2024ipo", "exo_pair": "ji2024exo", "nca_pair": "chen2024nca", "robust": "chowdhury2024robust",
    "bco_pair": "jung2024bco", "sppo_hard": "wu2024sppo", "aot": "melnyk2024aot", "aot_pair": "melnyk2024aot",
    "aot_unpaired": "melnyk2024aot", "apo_zero": "doosterlinck2024apo", "apo_down": "doosterlinck2024apo",
    "discopop": "lu2024discopop", "hinge": "zhao2023slic", "sft": "pang2024rpo",
}  # fmt: skip
"""Work to cite, by DPO loss type (the papers of each loss); the sigmoid loss is the method's own."""


def starting_model(run: Run, values: Values) -> Finding:
    """H5, descriptive part: what was trained and from where."""
    base = run.answers.get("base-model") or reading.setting(run, "base_model", "model_name_or_path")
    value = values.get("model.parameters")
    size = f" ({_parameters(float(value.value))})" if value else ""
    name: Slot = Code(_portable(str(base))) if base else Ask("base-model", "name and revision of the starting model")
    text = say("Training started from {name}{size}.", name=name, size=size)
    rank = reading.setting(run, "lora.r")
    if rank is not None:
        text += say(
            " Only LoRA adapters of rank {rank} were trained (α = {alpha}).",
            rank=numbers.setting(rank),
            alpha=numbers.setting(reading.setting(run, "lora.lora_alpha")),
        )
    return found(text, evidence=("model.parameters",) if value else ())


def _portable(name: str) -> str:
    """A model's name; of a path on somebody's machine only the last part."""
    local = name.startswith(("/", "~", ".")) or "\\" in name or name[1:2] == ":"
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2] if local else name


def _parameters(count: float) -> str:
    """``135 million parameters``."""
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if count >= size:
            return f"{numbers.number(count / size)} {word} parameters"
    return f"{numbers.count(count)} parameters"


def optimisation(run: Run, values: Values) -> Finding:
    """G4, descriptive part: the stated schedule."""
    rate = reading.numeric(reading.setting(run, "learning_rate"))
    if rate is None:
        return found(
            say("Learning rate: {ask}.", ask=Ask("optimiser", "peak rate, schedule, warm-up, optimizer")),
            "caution",
        )
    schedule, optimizer = reading.setting(run, "lr_scheduler_type"), reading.setting(run, "optim")
    parts = [say("The learning rate was {rate}", rate=numbers.scientific(rate, 12))]
    if schedule:
        parts.append(say("with a {schedule} schedule", schedule=str(schedule).replace("_", " ")))
    warm = reading.warmup_steps(run)
    if warm is not None:
        parts.append(Text(("and no warm-up",)) if warm == 0 else say("and {n}", n=numbers.plural(warm, "warm-up step")))
    text = join(parts)
    if optimizer:
        text += say(" (optimizer {name})", name=Code(str(optimizer)))
    return found(text + ".")


def beta(run: Run, values: Values) -> Finding:
    """H1, descriptive part: the loss and its β."""
    kinds, known = reading.loss_types(run), reading.beta(run)
    parts = []
    if kinds:
        cited = [LOSS_WORKS[k] for k in kinds if k in LOSS_WORKS]
        mark = " [@" + "; @".join(dict.fromkeys(cited)) + "]" if cited else ""
        word = "loss" if len(kinds) == 1 else "losses"
        names = ", ".join(kinds)
        parts.append(say("The preference {word} was {names}" + mark, word=word, names=Code(names)))
    if known is None:
        raise NotApplicable("this method has no β that the run tells")
    if known.assumed:
        ask = Ask("beta", "β; the library's default is 0.1")
        parts.append(say("β is not told by the run: {ask}", ask=ask))
        return found(join(parts, "; ") + ".", "caution")
    parts.append(say("β = {value}" if parts else "β was {value}", value=numbers.setting(known.value)))
    return found(join(parts, " with ") + ".")


def reference(run: Run, values: Values) -> Finding:
    """H7."""
    if reading.setting(run, "sync_ref_model"):
        return found(
            say(
                "The reference model was synchronised with the policy during training, so rewards "
                "are relative to a moving "
                "reference [@gorbatovski2024trdpo]."
            )
        )
    if reading.setting(run, "reference_free"):
        return found(say("The loss ignored the reference model, while the logged rewards are still relative to it."))
    if reading.setting(run, "lora.r") is not None:
        text = (
            "The reference model was the starting model with the adapters switched off, unless "
            "another was given: {ask}."
        )
    else:
        text = "The reference model was {ask}."
    ask = Ask("reference", "a frozen copy of the starting model, or which other")
    told = run.answers.get("reference")
    return found(say("The reference model was {told}.", told=told) if told else say(text, ask=ask))


def precision(run: Run, values: Values) -> Finding:
    """G9."""
    half = [name for name in ("bf16", "fp16") if reading.setting(run, name) is True]
    known = [name for name in ("bf16", "fp16") if name in run.settings]
    if not known:
        raise NotApplicable("the run does not tell its precision")
    seed, length = (
        reading.setting(run, "seed"),
        reading.whole(reading.setting(run, "max_length", "max_seq_length")),
    )
    kind = (
        {"bf16": "bfloat16 mixed precision", "fp16": "float16 mixed precision"}[half[0]]
        if half
        else ("no mixed precision")
    )
    parts = [f"Training used {kind}"]
    if length:
        parts.append(f"sequences of at most {numbers.plural(length, 'token')}")
    if seed is not None:
        parts.append(f"seed {seed}")
    return found(Text((", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] + ".",)))


CHECKS = (
    Check(
        "H5",
        "Starting model",
        starting_model,
        section="methodology",
        order=11,
        source="model card, configuration",
    ),
    Check(
        "G4",
        "Learning rate",
        optimisation,
        section="methodology",
        order=30,
        source="training arguments",
        forbids="the first or last logged rate as “the learning rate”",
    ),
    Check(
        "H1",
        "β and the loss",
        beta,
        needs=("method:dpo,kto,cpo,orpo,simpo,online_dpo",),
        section="methodology",
        order=31,
        source="training arguments; the papers of each loss",
        forbids="“optimal β”",
    ),
    Check(
        "H7",
        "Reference model",
        reference,
        needs=("method:dpo,kto,online_dpo",),
        section="methodology",
        order=32,
        source="training arguments",
        forbids="its omission",
    ),
    Check(
        "G9",
        "Precision and seed",
        precision,
        section="methodology",
        order=33,
        source="training arguments",
        forbids="fp32 assumed",
    ),
)
