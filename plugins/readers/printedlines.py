"""One printed line with a count and something that tells of training: ``Epoch 3/10 | Train Loss: 0.5 | Val Loss: 0.6``.

A word that names data (train, val, validation, test) is of all values behind it, up to the next such word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dpo_report.plugins.readers.keys import split_of, tells_split
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.textlogs import NUMBER, PAIR

COUNTS = "\x00counts"
"""The cell with a line's counts by name."""
SHARE = "\x00share"
"""The cell with the share of the epoch that was done, where the line tells it: ``Epoch: [0][ 10/500]``."""
STEPS = (
    *("global_step", "globalstep", "step", "steps", "iteration", "iterations", "iter", "it", "update", "updates"),
    *("num_updates", "current_step", "current_steps", "train_step", "timestep", "timesteps", "batch"),
)
EPOCHS = ("epoch", "epochs", "round", "rounds")
COUNTERS = (*STEPS, *EPOCHS)
"""Names of what counts, the surest to be an optimizer step first."""
TELLING = re.compile(
    r"loss|acc|reward|ppl|perplexity|score|bleu|rouge|f1|auc|error|rmse|mae|mse|wer|cer", re.IGNORECASE
)
_BESIDE = ("lr", "learning_rate", "grad_norm")
"""What is kept beside something telling."""
_WHOLE = r"\d{1,3}(?:,\d{3})+(?![,\d])|\d{1,12}(?:\.\d+)?"
_COUNT = re.compile(
    rf"\b({'|'.join(name.replace('_', '[ _-]?') for name in COUNTERS)})\b(?:\([a-z]+\))?\s*[:=#]?\s*[\[(]?\s*"
    rf"({_WHOLE})(k\b)?\]?(?:\s*/\s*({_WHOLE})|\s*\[\s*(\d{{1,12}})\s*/\s*(\d{{1,12}})\b)?",
    re.IGNORECASE,
)
"""A count; thousands behind it (``5k``); how many there are; within an epoch the place and how many there are."""
_BAR = re.compile(r"\bEpoch \d{1,9}:\s+\d{1,3}%\|[^|]{0,300}\|\s*(\d{1,12})/(\d{1,12}) \[")
"""A progress bar of an epoch, as tqdm and Lightning draw it."""
_VALUE = re.compile(rf"{PAIR.pattern}(?:\s*/\s*(\d[\d,]*)(?![\d.]))?", re.IGNORECASE)
_SPACED = re.compile(
    rf"\b((?:(?:train(?:ing)?|val|valid(?:ation)?|eval|test)[ _-])?(?:loss|acc|accuracy|ppl|perplexity))\s+({NUMBER})",
    re.IGNORECASE,
)
_SET = re.compile(
    r"(?<![\w./\\:-])(train(?:ing)?|val(?:id(?:ati(?:on|ng))?)?|eval(?:uati(?:on|ng))?|test(?:ing)?)(?=[\s:\])|-])",
    re.IGNORECASE,
)
_BEST = re.compile(
    r"\b(?:best|lowest|highest|min(?:imum)?|max(?:imum)?)(?:[ _-][a-z]{1,12}){0,2}[ _:-]*$", re.IGNORECASE
)
"""Before a value or a count that is repeated from an earlier line."""
_BEST_WORD = re.compile(r"\b(?:best|low|high|min|max)", re.IGNORECASE)
_NEAR = 40
"""Letters before a value that are looked at."""
_LOSS_OF = re.compile(rf"\bloss train: ({NUMBER})(?:, val: ({NUMBER}))?")
"""LitGPT's: ``loss train: 2.5, val: n/a``."""


def parse(line: str) -> dict[str, Any] | None:
    """The values of a line by name, with its counts; None where it has no count or tells of nothing.

    >>> found = parse("Epoch 3/10 | Train Loss: 0.5 | Val Loss: 0.6")
    >>> found.pop(COUNTS), found
    ({'epoch': 3.0}, {'Loss': '0.5', 'val_loss': '0.6'})
    """
    if not TELLING.search(line):
        return None
    pairs = list(_VALUE.finditer(line))
    repeats = _BEST_WORD.search(line) is not None
    found = _values(line, pairs, repeats)
    if not any(TELLING.search(key) for key in found):
        return None
    counts, share = _counted(line, pairs, repeats)
    if not counts:
        return None
    whole = line.lstrip().startswith("{")  # a trainer's row, printed as it is
    kept = {key: cell for key, cell in found.items() if whole or TELLING.search(key) or key.lower() in _BESIDE}
    return {**kept, COUNTS: counts, **({SHARE: share} if share is not None else {})}


def _values(line: str, pairs: Sequence[re.Match[str]], repeats: bool) -> dict[str, Any]:
    sets = [(match.start(), match.group(1)) for match in _SET.finditer(line)]
    found: dict[str, Any] = {}
    for match in _LOSS_OF.finditer(line):
        found |= {key: cell for key, cell in zip(("train_loss", "val_loss"), match.groups(), strict=True) if cell}
    for match in pairs:
        key, cell, of = match.groups()
        if key.lower() in COUNTERS or (repeats and _repeated(line, match.start())):
            continue
        if key.lower() == "value" and line[: match.start()].lower().endswith("loss "):
            key = "loss"  # Megatron's "lm loss value"
        if of and TELLING.search(key):  # Accuracy: 90/100
            counted, total = number(cell.replace(",", "")), number(of.replace(",", ""))
            if not key.lower().startswith("acc") or counted is None or not total or counted > total:
                continue
            cell = str(counted / total)
        found.setdefault(_named(key, match.start(), sets), cell.replace(",", ""))
    for match in _SPACED.finditer(line):
        if repeats and _repeated(line, match.start()):
            continue
        key = match.group(1).replace(" ", "_")
        found.setdefault(_named(key, match.start(), sets), match.group(2).replace(",", ""))
    return found


def _repeated(line: str, place: int) -> bool:
    """Whether the words before a place say that what follows is the best of earlier lines."""
    return _BEST.search(line[max(0, place - _NEAR) : place]) is not None


def _named(key: str, place: int, sets: list[tuple[int, str]]) -> str:
    """A key with the data that the words before it name, if those are no training data and the key names none."""
    word = next((word for start, word in reversed(sets) if start < place), "")
    split = split_of(word.lower().replace("ating", "ation"))
    if split in (None, "train") or not TELLING.search(key) or tells_split(key):
        return key
    return f"{'val' if split == 'eval' else split}_{key.lower()}"


def _counted(line: str, pairs: Sequence[re.Match[str]], repeats: bool) -> tuple[Mapping[str, float], float | None]:
    counts: dict[str, float] = {}
    share: float | None = None
    for match in _COUNT.finditer(line):
        name, count, thousands, total, place, places = match.groups("")
        if repeats and _repeated(line, match.start()):
            continue
        told = number(count.replace(",", ""))
        if told is None:
            continue
        key = name.lower().replace(" ", "_").replace("-", "_")
        if key in counts:
            continue
        counts[key] = told * (1000 if thousands else 1)
        of = number((places or total).replace(",", ""))
        done = number(place) if places else counts[key] if key in STEPS else None
        if of and done is not None and done <= of and share is None:
            share = done / of
    if share is None and (bar := _BAR.search(line)) and int(bar.group(2)):
        share = int(bar.group(1)) / int(bar.group(2))
    for key, cell, _ in (pair.groups() for pair in pairs):  # quoted names, which the pattern of counts does not know
        plain = key.lower()
        told = number(cell.replace(",", "")) if plain in COUNTERS and plain not in counts else None
        if told is not None:
            counts[plain] = told
    return counts, share
