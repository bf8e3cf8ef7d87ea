"""Groups G and H as far as they describe: optimiser, precision, β, reference, seed. Describes, never grades."""

from __future__ import annotations

import re

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run, Severity
from dpo_report.core.text import Ask, Code, Slot, Text, join, listing, say
from dpo_report.plugins import reading

SMOKE = Threshold("H3.smoke", 100, "training rows below which a run is of smoke-test scale")
SMALL = Threshold("H3.small", 1000, "training rows below which their number is a caution")
MODEST = Threshold("H3.modest", 5000, "training rows below which it is told")
MANY_EPOCHS = Threshold("H2.epochs", 3.0, "epochs above which their number is a caution")
LOW_BETA = Threshold(
    "H1.low", 0.001, "value of β in the sigmoid loss below which it is a caution: a tenth of published ones"
)
HIGH_BETA = Threshold("H1.high", 5.0, "value of β in the sigmoid loss above which it is one: ten times published ones")
TOLD_DEFAULTS = (
    "learning_rate", "lr_scheduler_type", "warmup_steps", "beta", "loss_type", "max_length", "optim", "weight_decay",
    "max_grad_norm", "num_train_epochs", "per_device_train_batch_size", "seed", "bf16",
)  # fmt: skip
"""Settings whose library default is worth a sentence when nobody changed it (rule H8)."""
LOSS_WORKS = {
    "ipo": "azar2024ipo", "exo_pair": "ji2024exo", "nca_pair": "chen2024nca", "robust": "chowdhury2024robust",
    "bco_pair": "jung2024bco", "sppo_hard": "wu2024sppo", "aot": "melnyk2024aot", "aot_pair": "melnyk2024aot",
    "aot_unpaired": "melnyk2024aot", "apo_zero": "doosterlinck2024apo", "apo_down": "doosterlinck2024apo",
    "discopop": "lu2024discopop", "hinge": "zhao2023slic", "sft": "pang2024rpo",
}  # fmt: skip
"""Work to cite, by DPO loss type (the papers of each loss); the sigmoid loss is the method's own."""


def starting_model(run: Run, values: Values) -> Finding:
    """H5, descriptive part: what was trained and from where."""
    base = run.answers.get("base-model") or reading.setting(run, *reading.BASE_MODEL)
    value = values.get("model.parameters")
    size = f" ({_parameters(float(value.value))})" if value else ""
    name: Slot = Code(_portable(str(base))) if base else Ask("base-model", "name and revision of the starting model")
    text = say("Training started from {name}{size}.", name=name, size=size)
    named = _named_size(str(base or ""))
    apart = named is not None and value is not None and not 0.5 < float(value.value) / named < 2
    if apart and named:
        text += say(" The name tells of {size}; one of the two is wrong.", size=_parameters(named))
    rank = reading.setting(run, "lora.r")
    if rank is not None:
        text += say(
            " Only LoRA adapters of rank {rank} were trained (α = {alpha}).",
            rank=numbers.setting(rank),
            alpha=numbers.setting(reading.setting(run, "lora.lora_alpha")),
        )
        if _reference_adapter(run):
            text += " The model came to the trainer with adapters on it; whether these were trained before is not told."
    return found(text, "caution" if apart else "info", evidence=("model.parameters",) if value else ())


def _named_size(name: str) -> float | None:
    """Parameters that a model's name tells of: ``zephyr-7b-sft`` 7 × 10⁹; None for none, or experts (``8x7B``)."""
    sizes = re.findall(r"(?<![\w.])(\d+(?:\.\d+)?)[bB](?![a-zA-Z0-9])", _portable(name))
    return float(sizes[0]) * 1e9 if len(sizes) == 1 and float(sizes[0]) else None


def _reference_adapter(run: Run) -> bool:
    """Whether the policy had adapters before: TRL's DPOTrainer then copies them to an adapter named ``ref``."""
    return run.method == "dpo" and any(f"/{file.path}".endswith("/ref/adapter_config.json") for file in run.files)


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


def data_size(run: Run, values: Values) -> Finding:
    """H3."""
    value = values["data.rows"]
    rows, word = int(value.high if value.high is not None else float(value.value)), reading.sample_word(run)
    if rows >= MODEST.of(run):
        return passed(f"{rows:,} training {word}s")
    severity: Severity = "warning" if rows < SMOKE.of(run) else "caution" if rows < SMALL.of(run) else "info"
    scale = "is of smoke-test scale" if rows < SMOKE.of(run) else "is small"
    context = ""
    if run.method == "dpo":
        context = (
            "; published recipes use about 61,000 (Zephyr) to 270,000 (Tülu 3 8B) "
            "[@tunstall2023zephyr; @lambert2024tulu3]"
        )
    size = f"{value.value} {word}s" if isinstance(value.value, str) else numbers.plural(rows, word)
    text = "A training set of {size} {scale}" + context + "."
    return found(say(text, size=size, scale=scale), severity, evidence=("data.rows",))


def epoch_count(run: Run, values: Values) -> Finding:
    """H2."""
    epochs = reading.planned_epochs(run) or run.epoch
    if epochs is None:
        raise NotApplicable("the number of epochs is not known")
    if epochs <= MANY_EPOCHS.of(run):
        return passed(f"{epochs:.3g} epochs")
    return found(
        say(
            "Training took {e} epochs; published recipes of preference tuning use 1 to 3, and degradation within one "
            "epoch is documented [@rafailov2024scaling].",
            e=f"{epochs:.3g}",
        ),
        "caution",
        evidence=("epochs.done",),
    )


def kept_defaults(run: Run, values: Values) -> Finding:
    """H8."""
    kept = [name for name in TOLD_DEFAULTS if name in run.settings and run.settings[name].is_default]
    if not any(one.is_default is not None for one in run.settings.values()):
        raise NotApplicable("the library's defaults are not known for this version")
    if not kept:
        return passed("no setting that matters was left at its default")
    return found(
        say("Library defaults were kept for {names}.", names=listing([Code(name) for name in kept])),
    )


def determinism(run: Run, values: Values) -> Finding:
    """H9."""
    seed = reading.setting(run, "seed")
    if seed is None:
        return found(say("Seed: {ask}.", ask=Ask("seed", "seed of the run")), "caution")
    data = reading.setting(run, "data_seed")
    exact = reading.setting(run, "full_determinism")
    tail = "" if exact is None else f"; deterministic algorithms were {'' if exact else 'not '}enforced"
    order = f", data seed {data}" if data is not None else ""
    return found(say("Seed {seed}{order}{tail}.", seed=str(seed), order=order, tail=tail))


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
    text = join(parts, " with ")
    if reading.pure_sigmoid(run) and not LOW_BETA.of(run) < known.value < HIGH_BETA.of(run):
        text += say("; published DPO work uses 0.01 to 0.5 [@rafailov2023dpo; @tunstall2023zephyr]")
        return found(text + ".", "caution")
    return found(text + ".")


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
    if not run.answers.get("reference") and _reference_adapter(run):
        text = "The reference model was a frozen copy of the policy as training began, adapters included"
        return found(say(text + " (TRL kept it as the adapter {name}).", name=Code("ref")))
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
        "H3",
        "Size of the training set",
        data_size,
        needs=("value:data.rows",),
        section="limitations",
        order=3,
        source="published recipes; boundaries are conventions",
        forbids="“sufficient”",
        thresholds=(SMOKE, SMALL, MODEST),
    ),
    Check(
        "H2",
        "Epochs",
        epoch_count,
        needs=("method:dpo,online_dpo,cpo,simpo",),
        section="limitations",
        order=3.5,
        source="published recipes; Rafailov et al. 2024",
        forbids="“over-trained” without held-out data",
        thresholds=(MANY_EPOCHS,),
    ),
    Check(
        "H8",
        "Defaults kept",
        kept_defaults,
        section="reproducibility",
        order=10,
        source="Dodge et al. 2019; Pineau et al. 2021",
        forbids="defaults presented as choices",
    ),
    Check(
        "H9",
        "Determinism",
        determinism,
        section="reproducibility",
        order=11,
        source="NeurIPS checklist",
        forbids="“reproducible” without a repeat",
    ),
    Check(
        "H5",
        "Starting model",
        starting_model,
        section="methodology",
        order=11,
        source="model card, configuration",
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
        thresholds=(LOW_BETA, HIGH_BETA),
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
