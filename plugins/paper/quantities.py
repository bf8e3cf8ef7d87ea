"""Which quantity a number of a sentence is: by the unit behind it, else by the nearest words before it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dpo_report.plugins.paper.amounts import Amount
from dpo_report.plugins.paper.loose import Loose
from dpo_report.plugins.paper.stems import Index, stems

_KIND = (
    r"(?:(?:training|train|mean|average|averaged|final|initial|starting|preference|reward|implicit|implicit-reward|DPO|ranking|"
    r"pairwise|held-out|evaluation|eval|validation|test|binary|classification|logged|overall|last|first|lowest|"
    r"best)[ -])"
)
_ROW = (
    r"(?:(?:preference|training|train|held-out|test|validation|evaluation|labell?ed|annotated|distinct|unique|prompt|"
    r"response|DPO|ranked|human|synthetic|knowledge-graph|graph|comparison|such)[ -])"
)

_BOTH = r"chosen and (?:the )?(?:rejected|dispreferred)|preferred and (?:the )?(?:rejected|dispreferred)"


@dataclass(frozen=True, slots=True)
class Quantity:
    """One kind of number."""

    name: str
    """For messages: ``loss``."""
    values: tuple[str, ...]
    """Value names, up to a dot or whole: ``loss.`` means all of them."""
    head: str = ""
    """Words before the number."""
    unit: str = ""
    """Words or signs right behind it."""
    settings: tuple[str, ...] = ()
    """Settings that it may be."""
    series: tuple[str, ...] = ()
    """Logged series a row of which it may be."""
    unless: str = ""
    """Words in the clause that make it something else."""
    sure: str = ""
    """Words in the clause without which a difference is not told."""
    counted: bool = False
    """Whether it may be spelled out: ``two epochs``."""
    whole: bool = False
    """Whether it is counted, so that 0.45 is none of it."""
    split: bool = False
    """Whether it is measured on training or held-out pairs."""


QUANTITIES = (
    Quantity(
        "loss", ("loss.",), r"(?:loss(?:es)?|objective)\b(?! of generality)", _KIND + r"{0,4}loss\b", series=("loss",),
        unless=r"perplexity|auxiliary|distillation|language[- ]model(?:l?ing)? loss|cross-entropy loss|weight loss",
        split=True,
    ),
    Quantity(
        "accuracy", ("accuracy.",), r"accurac(?:y|ies)\b", _KIND + r"{0,4}accuracy\b", series=("rewards/accuracies",),
        unless=r"MMLU|GSM|ARC|HellaSwag|TruthfulQA|benchmark|downstream|classifier|win rate|top-\d|judge|"
            r"question|answering|token accurac",
        sure=r"train|held-out|eval|validation|preference|reward|pair|implicit|rank", split=True,
    ),
    Quantity(
        "margin", ("margin.",), r"margins?\b", r"nats\b|" + _KIND + r"{0,3}margin\b", series=("rewards/margins",),
        unless=r"margin of error|target margin|margin (?:term|γ|gamma|hyper)|chosen|rejected|log-prob\w*|"
            r"likelihood", split=True,
    ),
    Quantity(
        "chosen reward", ("reward.chosen.", "drift.chosen."),
        r"(?:chosen|preferred)(?:[- ]response)? rewards?\b|rewards? (?:of|for|on) (?:the )?(?:held-out |training )?"
        r"(?:chosen|preferred)\b(?: \w+)?",
        series=("rewards/chosen",), unless=_BOTH, split=True,
    ),
    Quantity(
        "rejected reward", ("reward.rejected.", "drift.rejected."),
        r"(?:rejected|dispreferred)(?:[- ]response)? rewards?\b|rewards? (?:of|for|on) (?:the )?"
        r"(?:held-out |training )?(?:rejected|dispreferred)\b(?: \w+)?",
        series=("rewards/rejected",), unless=_BOTH, split=True,
    ),
    Quantity(
        "throughput", ("throughput.samples",),
        unit=_ROW + r"{0,2}(?:pairs|samples|examples|sequences|rows|prompts|completions)(?: ?/ ?s(?:ec(?:ond)?)?\b|"
            r" per second| a second)",
        unless=r"inference|generation|decoding|serving",
    ),
    Quantity("steps per second", ("throughput.steps",), r"(?:steps|updates) (?:per|a) second\b",
        unit=r"(?:\w+ )?(?:steps|updates|iterations|"
        r"it)(?: ?/ ?s(?:ec(?:ond)?)?\b| (?:per|a) second)"),
    Quantity(
        "time", ("runtime.", "time."), unit=r"(?:s|sec|secs|seconds?|ms|milliseconds?|min|mins|minutes?|h|hrs?|"
            r"hours?)\b(?![-/])",
        sure=r"train\w*|wall|took|takes|run(?:s|time)?\b|complet\w+|finish\w*|fine-tun\w+|"
            r"per (?:optimi[sz]er )?(?:step|update|pair)|step",
        unless=r"inference|latency|GPU[- ]hours|generat\w+|load\w*|timeout|later ones|seconds each|"
            r"(?:first|each|one|every|per) evaluation|evaluations? (?:took|takes?|last(?:s|ed)?) (?:about |only )?\d|"
            r"every|preprocess\w*|annotat\w*|"
            r"download\w*|label\w*|API",
    ),
    Quantity(
        "epochs", ("epochs.",), r"epochs?\b", r"(?:full |training |complete )?(?:epochs?|"
            r"passes over)\b", ("num_train_epochs",),
        unless=r"(?:per|every|each|one|an) epoch|of the (?:first|second|last)|epoch (?:one|two|three|\d)", counted=True,
    ),
    Quantity(
        "optimizer steps", ("steps.",), r"(?:optimi[sz]er|optimi[sz]ation|gradient|training|total) (?:steps|updates)\b",
        unit=r"(?:planned |optimi[sz]er |optimi[sz]ation |gradient |training |parameter |weight |"
            r"total )*(?:steps|updates)\b(?! ?/| per)",
        settings=("max_steps",),
        unless=r"warm-?up|accumulation|per \d|every|each|logg\w+ (?:every|interval)|after|until|at least|last|"
            r"first|remaining|interval|saved?\b"
        r"|evaluat\w+ (?:every|at)|window|steps? \d|(?:per|one|an|each|every) epoch|reasoning|decoding|"
        r"diffusion|sampling",
        sure=r"train\w*|optimi[sz]\w*|gradient|parameter|update|run\b|complet\w+|took|taken|total",
        counted=True, whole=True,
    ),
    Quantity(
        "batch size", ("batch.",), r"batch(?:[- ]size)?s?\b", settings=("per_device_train_batch_size",),
        unless=r"eval\w* batch|inference|gradient accumulation of", whole=True,
    ),
    Quantity(
        "accumulation steps", (), r"(?:gradient[- ])?accumulation(?: steps)?\b",
        r"(?:gradient[- ])?accumulation(?: steps)?\b|steps? of (?:gradient )?accumulation",
        ("gradient_accumulation_steps",), counted=True, whole=True,
    ),
    Quantity(
        "pairs", ("data.", "batch."), r"(?:training|preference|train) (?:set|data|pairs) (?:of|with|comprises|"
            r"contains|=|\|)",
        _ROW + r"{0,3}(?:pairs|examples|samples|comparisons|rows|presentations)\b(?! ?/| per second| a second)",
        sure=r"train\w*|fine-tun\w+|preference pairs|held-out|presentations|batch",
        unless=r"at least|at a time|at once|per (?:prompt|device)|each|first|another|more|additional|next|"
            r"annotat\w+|in-context|few-shot|"
        r"generated|dev\b|filter\w*|discard\w*|remov\w*|of (?:the )?(?:\d|them)|correct\w*|rank\w*",
        counted=True, whole=True,
    ),
    Quantity(
        "learning rate", ("rate.", "learning_rate."), r"(?:learning[- ]rates?|step size|"
            r"\blr)\b", settings=("learning_rate",),
        unless=r"minimum|decay\w* to|final|end(?:s|ed|ing)? (?:at|with)|floor|SFT|reward model|warm\w* (?:up )?from",
    ),
    Quantity(
        "β", (), r"(?:β|\bbeta\b)(?! ?[_1-9₁₂])", settings=("beta",),
        unless=r"Adam\w*|momentum|β ?_?[12₁₂]|optimi[sz]er|quantile|distribution",
    ),
    Quantity("seed", (), r"seeds?\b", settings=("seed", "data_seed"), unless=r"seeds \w+ (?:to|and)|five seeds|"
        r"several|data seed", whole=True),
    Quantity("warm-up share", (), r"warm-?up (?:ratio|share|fraction)\b", settings=("warmup_ratio", "warmup_steps")),
    Quantity("warm-up steps", (), r"warm-?up steps\b", unit=r"(?:linear )?warm-?up (?:steps|"
        r"updates)\b", settings=("warmup_steps",), counted=True, whole=True),
    Quantity(
        "maximal length", (), r"(?:maxim(?:um|al)|max\.?) (?:sequence |total |context |prompt |completion |"
            r"input )?length\b",
        settings=("max_length", "max_prompt_length", "max_completion_length", "max_seq_length", "cutoff_len"),
        whole=True,
    ),
    Quantity("weight decay", (), r"weight[- ]decay\b", settings=("weight_decay",), unless=r"no weight decay"),
    Quantity("label smoothing", (), r"label[- ]smoothing\b", settings=("label_smoothing", "label_smoothing_factor")),
    Quantity("gradient clipping", (), r"(?:gradient (?:norm )?clip(?:ping|ped)|max\w* (?:gradient|"
        r"grad) norm)\b", settings=("max_grad_norm",)),
    Quantity(
        "LoRA rank", (), r"(?:LoRA|adapter|QLoRA)[\w ,()-]{0,30}?(?:rank|\br)\b|\brank\b(?= ?(?:=|of|was|is|\d))",
        settings=("lora.r", "lora_r", "lora_rank"), sure=r"LoRA|adapter", unless=r"ranks? (?:first|above|the)",
    ),
    Quantity("LoRA α", (), r"(?:LoRA|adapter)[\w ,()=-]{0,40}?(?:α|\balpha)\b|"
        r"lora_alpha", settings=("lora.lora_alpha", "lora_alpha")),
    Quantity(
        "tokens", ("tokens.",), r"tokens (?:seen|processed)\b", r"tokens\b(?! ?/| per)",
        sure=r"process\w+|seen|saw|worked through",
        unless=r"length|context|vocabulary|longer|shorter|completions?|prompts?|generat\w+|sampl\w+|million|billion|each",
        whole=True,
    ),
    Quantity(
        "floating-point operations", ("compute.",), unit=r"(?:floating[- ]point operations|FLOPs?)\b(?! ?/| per)",
        unless=r"per (?:step|token|second)|peak|could|hardware",
    ),
    Quantity("parameters", ("model.",), unit=r"(?:trainable |model |total )?parameters\b", sure=r"$^"),
)  # fmt: skip
"""Sorted by nothing: a unit wins over words before the number, and of these the nearest."""

_HEADS = [(q, Loose(rf"(?<!\w)(?:{q.head})")) for q in QUANTITIES if q.head]
_NAMING = Index(stems(q.head) for q, _ in _HEADS)
_MEASURED = {f"q{number}": q for number, q in enumerate(QUANTITIES) if q.unit}
_UNITS = "|".join(f"(?P<{name}>{q.unit})" for name, q in _MEASURED.items())
_UNIT = Loose(rf"[ \u202f]?[-–]?(?=[A-Za-z])(?:{_UNITS})")
"""The unit behind a number; the group that it fills is that of the first quantity that has it."""
_UNLESS = {q.name: Loose(q.unless) for q in QUANTITIES if q.unless}
_SURE = {q.name: Loose(q.sure) for q in QUANTITIES if q.sure}
_REST = re.compile(r"[ \u202f]?(?:and )?")
_LIST = re.compile(r"[\s(]*(?:to|and|or|→|–|-|,|up to|down to|/|\+|±)?[\s(]*(?:to|from|then)?\s*$")
_TIED = re.compile(r"[\s(\"|:=≈~]*(?:[\w,’'/.()=:≈~|%\-\ue000\ue001 \u202f]|β|σ|λ){0,60}$")
_FUNCTION = Loose(
    r"[ \u202f]?(?:$|[.,;:)\]|–—”’\"=<>≈≤≥±×·→\ue000-\ue002(]|(?:and|or|to|on|at|in|for|over|with|after|before|"
    r"by|from|when|while|"
    r"which|that|as|per|but|against|is|was|are|were|than|if|so|because|during|across|under|of|give|gives|gave|make|makes|yields?|using|throughout|once|then|we|the|"
    r"a|an|respectively|nats|tokens|overall|instead|until|since|here|there|not|only|at the)\b)"
)


@dataclass(frozen=True, slots=True)
class Bound:
    """A number with what it measures."""

    amount: Amount
    quantity: Quantity
    where: tuple[int, int]
    """From the words that name it to the number, or from the number to its unit."""
    by_unit: bool
    listed: bool
    """Whether it is the second of ``from 0.69 to 0.46``."""


@lru_cache(maxsize=16)
def _heads(text: str) -> tuple[tuple[int, int, Quantity], ...]:
    """Where in a sentence quantities are named; asked for once for each of its clauses."""
    return tuple(
        (match.start(), match.end(), q)
        for q, pattern in (_HEADS[number] for number in _NAMING.of(text))
        for match in pattern.finditer(text)
    )


def bind(text: str, found: list[Amount], first: int, last: int) -> list[Bound]:
    """What the numbers of one clause (from ``first`` to ``last``) measure; those that nothing names are left out."""
    bound: list[Bound] = []
    heads = [head for head in _heads(text) if first <= head[0] and head[1] <= last]
    for index, amount in enumerate(found):
        if not first <= amount.start < last:
            continue
        unit = _UNIT.match(text, amount.end)
        if bound and bound[-1].quantity.name == "time" and _REST.fullmatch(text, bound[-1].where[1], amount.start):
            continue  # the seconds of ``21 min and 14 s``
        if unit and ((q := _MEASURED[unit.lastgroup or ""]).counted or not amount.spelled):
            other = _other(q, text, first, last)
            if not other:
                bound.append(Bound(amount, q, (amount.start, unit.end()), True, False))
            if not (other and q.name == "tokens"):  # the unit of a maximal length, too
                continue
        if amount.spelled or not _FUNCTION.match(text, amount.end):
            continue
        near = max((h for h in heads if h[1] <= amount.start), key=lambda h: h[1], default=None)
        if near is None or not _TIED.match(text, near[1], amount.start):
            continue
        between = [a for a in found if near[1] <= a.start and a.end <= amount.start]
        previous = bound[-1] if bound else None
        if between and not (
            previous is not None
            and previous.amount is between[-1]
            and previous.quantity is near[2]
            and _LIST.match(text, found[index - 1].end, amount.start)
        ):
            continue
        if not _other(near[2], text, first, last) and not (near[2].whole and (amount.ulp < 1 or amount.value < 0)):
            bound.append(Bound(amount, near[2], (near[0], amount.end), False, bool(between)))
    return bound


def _other(quantity: Quantity, text: str, first: int, last: int) -> bool:
    unless = _UNLESS.get(quantity.name)
    return bool(unless and unless.search(text, first, last))


def sure(quantity: Quantity, text: str, first: int, last: int) -> bool:
    """Whether the clause says enough for a difference to be told."""
    pattern = _SURE.get(quantity.name)
    return pattern is None or bool(pattern.search(text, first, last))


def seconds_of(text: str, bound: Bound) -> tuple[float, float]:
    """A time in seconds, and the unit of its last digit in seconds."""
    unit = text[bound.amount.end : bound.where[1]].strip(" \u202f-").lower()
    scale = 1e-3 if unit.startswith(("ms", "milli")) else 1.0
    scale = 60.0 if unit.startswith("min") else 3600.0 if unit.startswith("h") else scale
    value, ulp = bound.amount.value * scale, bound.amount.ulp * scale
    rest = re.compile(r"[ \u202f]?(?:and )?(\d+(?:\.\d+)?)[ \u202f]?(s|sec|seconds?|min|minutes?)\b").match(
        text, bound.where[1]
    )
    if rest and scale > 1:
        small = 60.0 if rest[2].startswith("m") else 1.0
        return value + float(rest[1]) * small, small * 10.0 ** -len(rest[1].partition(".")[2])
    return value, ulp
