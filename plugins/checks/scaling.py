"""Rule I3: how time grew with the size of the data, of the model or of the machine, over runs reported together."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from dpo_report.core import numbers
from dpo_report.core.contract import Check, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import Ask, Text, join, say
from dpo_report.plugins import reading, statistics
from dpo_report.plugins.checks.timing import SHORT_SECONDS, SHORT_STEPS, device, is_short
from dpo_report.plugins.metrics.model import parameters
from dpo_report.plugins.several import MODELS, groups

SIZES = Threshold("I3.sizes", 3, "different sizes below which nothing is said of scaling", low=3)
WIDTH = Threshold("I3.width", 1.0, "width of the exponent's interval above which it licenses no word on scaling")
CLOCK = ("save_steps", "save_strategy", "dataloader_num_workers")
"""Settings that change nothing in what a run learns, and the time that it takes."""
MACHINE = ("threads", "precision", "sharing", "batch.done")
"""Facts that tell how the machine was used."""
SHAPE = (
    "n_embd", "n_layer", "n_head", "n_inner", "hidden_size", "intermediate_size", "num_hidden_layers", "layer_types",
    "num_attention_heads", "num_key_value_heads", "head_dim", "tie_word_embeddings", "max_window_layers",
)  # fmt: skip
"""Entries of a model's configuration that make its size."""
COUNTS = ("world_size", "num_devices", "total_train_batch_size", "total_eval_batch_size")
"""Settings that follow from the number of devices."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of size, and the time that is compared over it."""

    words: str
    """What is counted, ``{sample}`` being what one dataset row is."""
    size: Callable[[Run], int | None]
    """How many a run had."""
    time: Callable[[Run], float | None]
    """Seconds that mean the same at every size."""
    what: str
    """Those seconds in words, with ``{epochs}``."""
    free: frozenset[str]
    """What may differ beside the size, because it follows from it; as :func:`.several.differences` names it."""


def _whole(run: Run) -> float | None:
    return run.number("train_runtime") if reading.planned_epochs(run) else None


def _per_step(run: Run) -> float | None:
    seconds, steps = run.number("train_runtime"), reading.total_steps(run)
    return seconds / steps if seconds and steps else None


def _per_row(run: Run) -> float | None:
    seconds, rows, epochs = run.number("train_runtime"), reading.dataset_rows(run), reading.planned_epochs(run)
    return seconds / (rows * epochs) if seconds and rows and epochs else None


_ROW = "wall-clock time for each {sample} and epoch, with the same batch "
KINDS = (
    Kind("training {sample}s", reading.dataset_rows, _whole, "wall-clock time of the training loop for {epochs}",
         frozenset({"train_pairs", "data.train_sha256", "data.train_file", "steps"})),
    Kind("model parameters", parameters, _per_step, "wall-clock time per optimizer step, with the same batch,",
         frozenset({*MODELS, "model._model_name_or_path", *(f"model.{name}" for name in SHAPE)})),
    Kind("devices", reading.devices, _per_row, _ROW + "on each,", frozenset({*COUNTS, "steps"})),
    Kind("devices", reading.devices, _per_row, _ROW + "over all,", frozenset({*COUNTS, "gradient_accumulation_steps"})),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """A run with its size and time."""

    run: Run
    size: int
    seconds: float


def scaling(run: Run, values: Values) -> Finding:
    """I3: the exponent of time over three sizes or more, everything else equal; never beyond the sizes that ran."""
    told = [_told(run, kind, points) for kind in KINDS if (points := _points(run, kind))]
    if not told:
        return passed(f"fewer than {SIZES.of(run)} sizes, all else equal: no statement on scaling is possible")
    sure = all(licensed for _, licensed in told)
    grants = ("scaling-fitted",) if sure else ()
    return found(join(text for text, _ in told), "info" if sure else "caution", grants=grants)


def _points(run: Run, kind: Kind) -> list[Point]:
    """The run and those beside it that differ from it in nothing but this size; empty with too few sizes."""
    few = SIZES.of(run)
    if len({kind.size(one) for one in (run, *run.siblings)} - {None}) < few or _point(run, kind) is None:
        return []
    alike = [one for group in groups(run) if group.differs.keys() <= kind.free for one in group.runs]
    points = [point for one in alike if _clock(one, kind) == _clock(run, kind) and (point := _point(one, kind))]
    return points if len({point.size for point in points}) >= few else []


def _point(run: Run, kind: Kind) -> Point | None:
    """None where the time does not cover the whole training, or the size is not known."""
    size, seconds = kind.size(run), kind.time(run)
    whole = run.status == "completed" and not reading.resumed_from(run)
    return Point(run, size, seconds) if whole and size and seconds and seconds > 0 else None


def _clock(run: Run, kind: Kind) -> tuple[object, ...]:
    """What else a time depends on: the machine (how many of it, only where that is not the size) and its use."""
    machine = device(run)
    if machine and kind.words == "devices":
        machine = re.sub(r"^\d+ ?[×x*] ?", "", machine)
    settings = (reading.setting(run, name) for name in CLOCK)
    return (machine, *map(str, settings), *(str(reading.fact(run, name)) for name in MACHINE))


def _told(run: Run, kind: Kind, points: list[Point]) -> tuple[Text, bool]:
    """The sentence, and whether it licenses a word on scaling."""
    sizes = sorted({point.size for point in points})
    law = statistics.power_law([point.size for point in points], [point.seconds for point in points])
    wide = law.high - law.low > WIDTH.of(run)
    short = any(is_short(point.run) for point in points)
    sample, machine = reading.sample_word(run), device(run)
    text = say(
        "The {what} {verb} as the number of {words} to the power of {a} (95 % t interval {ci}) over {low} to {high} "
        "{words}: {n} sizes, {runs}, otherwise set alike, on {device}{tail}. Nothing follows for other sizes.",
        what=kind.what.format(sample=sample, epochs=_epochs(run)),
        verb="grew" if law.low > 0 else "fell" if law.high < 0 else "went",
        words=kind.words.format(sample=sample),
        a=numbers.fixed(law.exponent, 2),
        ci=numbers.interval(law.low, law.high, lambda x: numbers.fixed(x, 2)),
        low=numbers.number(sizes[0]),
        high=numbers.number(sizes[-1]),
        n=len(sizes),
        runs=numbers.plural(len(points), "run"),
        device=machine or Ask("hardware", "device"),
        tail=("; fixed costs weigh heavily in runs so short" if short else "")
        + ("; so few runs leave the exponent open" if wide else ""),
    )
    return text, machine is not None and not wide and not short


def _epochs(run: Run) -> str:
    epochs = reading.planned_epochs(run) or 0
    return f"{numbers.setting(epochs)} {'epoch' if epochs == 1 else 'epochs'}"


CHECKS = (
    Check("I3", "Scaling", scaling, section="results", order=74,
          source="arithmetic; Lipton & Steinhardt 2019; Student's interval of a slope, Draper & Smith 1998",
          forbids="“scalable” without three sizes and a fitted exponent; anything beyond the sizes that ran",
          thresholds=(SIZES, WIDTH, SHORT_STEPS, SHORT_SECONDS)),
)  # fmt: skip
