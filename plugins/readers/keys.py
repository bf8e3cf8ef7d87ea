"""What loggers' keys mean: which quantity, on which data, and whether it is a curve.

Every reader maps its keys here, so that a run's event file, tracker and console log name the same curve alike. The
names are those of the Hugging Face Trainer's ``log_history`` without the split's prefix.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from dpo_report.plugins.readers.dialects import names
from dpo_report.plugins.readers.hf.columns import eval_names

Role = Literal["series", "summary", "setting", "ignored", "x"]


class Key(NamedTuple):
    """Where a logged key belongs."""

    name: str
    """Canonical name: ``loss``, ``rewards/chosen``; of a summary value the trainer's own key (``train_loss``)."""
    split: str
    """``train``, ``eval``, ``eval:NAME`` or ``test``."""
    role: Role
    """``x`` counts steps; ``ignored`` is a logger's own bookkeeping."""


_SPLITS = {
    "train": ("train", "training", "tr"),
    "eval": ("eval", "evaluation", "val", "valid", "validation", "dev"),
    "test": ("test", "testing", "predict"),
}
_SPLIT = {word: split for split, words in _SPLITS.items() for word in words}
_WORDS = "|".join(sorted(_SPLIT, key=len, reverse=True))
_PREFIX = re.compile(rf"^({_WORDS})[/_.\- ]+(?=\S)", re.IGNORECASE)
_SUFFIX = re.compile(rf"(?<=\S)[/_.\- ]+({_WORDS})$", re.IGNORECASE)
_NAMES = {
    "loss": ("loss", "total_loss", "loss_step", "epoch_loss", "batch_loss", "losses", "loss/loss"),
    "learning_rate": ("learning_rate", "lr", "learningrate", "epoch_learning_rate", "epoch_lr", "charts/learning_rate"),
    "grad_norm": ("grad_norm", "gradient_norm", "total_grad_norm", "gnorm", "grad_2.0_norm_total"),
    "accuracy": ("accuracy", "acc", "epoch_accuracy"),
    "epoch": ("epoch", "epochs"),
    "perplexity": ("perplexity", "ppl"),
    "loss_epoch": ("loss_epoch",),
}
_NAME = {synonym: name for name, synonyms in _NAMES.items() for synonym in synonyms}
_RATE = re.compile(
    r"^(?:optim(?:izer)?/)?(?:lr|learning_rate)(?:[-_/](?:adam|sgd|lion|adafactor|rmsprop|pg|group|param)\S*|[/_-]\d+)$"
)
_SUMMARY = re.compile(
    r"^(?:train_(?:runtime|samples|samples_per_second|steps_per_second|tokens_per_second|mem_\w+)|total_flos|best_\w+"
    r"|before_init_mem_\w+|init_mem_\w+)$"
)
_X = frozenset(
    {"step", "steps", "_step", "global_step", "train/global_step", "trainer/global_step", "eval/global_step"}
    | {"iter", "iteration"}
)
_IGNORED = frozenset({"hp_metric", "_timestamp", "_runtime", "_wandb", "_time", "timestamp", "__timestamp__"})
_BOOKKEEPING = ("system/", "system.", "_hparams_/", "__system__", "__swanlab__")
_RAY = "ray/tune/"
"""What Ray Tune puts before everything that a trial reports."""
_RAYS_OWN = frozenset(
    {"done", "training_iteration", "iterations_since_restore", "time_since_restore", "time_this_iter_s", "time_total_s"}
)
SINGLE = "single_value/"
"""Before the key of a value that was logged once, at no step: the Trainer's SwanLab callback puts it there."""
_YOLO = re.compile(r"^metrics/(?=(?:\S+\([A-Z]\)|accuracy_top[15])$)")
"""How Ultralytics names what it measures on its validation images."""
_TRAINERS_OWN = frozenset(
    f"val/{name}" for name in ("contain_eos_token", "num_eos_tokens", "ratio", "ratio_var", "clip_ratio")
)
"""Keys of TRL's online trainers that look like a held-out split and are none."""
_TEXTS = ("/text_summary", "hparams/")


def canonical(key: str, context: Collection[str] = ()) -> Key:
    """Name, split and role of one key.

    ``context`` are all keys of the log: ``train_loss`` is the Trainer's closing mean beside ``train_runtime``, and a
    training curve elsewhere; ``eval/NAME_loss`` is the loss of a named set where each set logs its own run time.

    >>> canonical("eval/rewards/chosen")
    Key(name='rewards/chosen', split='eval', role='series')
    """
    return _canonical(key, context, _sets(context)) if context else _alone(key)


@lru_cache(4096)
def _alone(key: str) -> Key:
    return _canonical(key, (), [])


def mapping(keys: Iterable[str]) -> dict[str, Key]:
    """All keys of one log. No two curves share name and split: the plainer key wins, the other keeps its own name."""
    return dict(_mapping(tuple(dict.fromkeys(keys))))


@lru_cache(64)
def _mapping(listed: tuple[str, ...]) -> dict[str, Key]:
    """As :func:`mapping`; the runs of a folder mostly have the same keys."""
    context = frozenset(listed)
    sets = _sets(context)
    found = {key: _canonical(key, context, sets) for key in listed}
    bare = {_bare(key) for key in listed}
    for key, known in found.items():
        own = names(bare, known.split).get(_bare(key))
        if own is not None and known.role == "series":
            found[key] = Key(own, known.split.partition(":")[0], "series")
    taken = {(k.name, k.split) for k in found.values() if k.role == "series"}
    for key, known in found.items():
        if known.role == "series" and known.name == "loss_epoch" and ("loss", known.split) not in taken:
            found[key] = Key("loss", known.split, "series")
            taken.add(("loss", known.split))
    owners: dict[tuple[str, str], str] = {}
    for key in sorted(listed, key=lambda k: (len(_bare(k)), len(k), k)):
        known = found[key]
        if known.role != "series":
            continue
        if owners.setdefault((known.name, known.split), key) != key:
            found[key] = Key(_unused(_bare(key), key, known.split, owners), known.split, "series")
            owners[found[key].name, known.split] = key
    return found


def split_of(word: str) -> str | None:
    """The split that a folder or file is named after: ``validation`` gives ``eval``; None where it names none."""
    return _SPLIT.get(word.lower())


def tells_split(key: str) -> bool:
    """Whether a key itself says which data it is of: ``val_loss`` does, ``epoch_loss`` does not."""
    return _parted(key)[1] is not None


def _canonical(key: str, context: Collection[str], sets: list[str]) -> Key:
    if key.startswith(_RAY):
        key = key.removeprefix(_RAY)
        if key in _RAYS_OWN:
            return Key(key, "train", "ignored")
    lower = key.lower()
    if lower in _X:
        return Key("step", "train", "x")
    if lower in _IGNORED or lower.startswith(_BOOKKEEPING):
        return Key(key, "train", "ignored")
    if lower.endswith(_TEXTS[0]) or lower.startswith(_TEXTS[1]):
        return Key(key, "train", "setting")
    if key.startswith(SINGLE) and len(key) > len(SINGLE):
        return Key(key.removeprefix(SINGLE), "train", "summary")
    if key in _TRAINERS_OWN:
        return Key(key, "train", "series")
    if _SUMMARY.match(key) or lower.startswith("hparam/") or (key == "train_loss" and "train_runtime" in context):
        return Key(key, "train", "summary")
    name, split = _parted(key)
    if split == "train" and key != name and (_SUMMARY.match(name) or name == "train_loss"):
        return Key(name, "train", "summary")
    if split == "eval":
        for one in sets:
            if name.startswith(one + "_") and len(name) > len(one) + 1:
                return Key(_known(name[len(one) + 1 :]), f"eval:{one}", "series")
    return Key(_known(name), split or "train", "series")


def _parted(key: str) -> tuple[str, str | None]:
    """A key without the word that tells its split, and that split."""
    if match := _YOLO.match(key):
        return key[match.end() :], "eval"
    match = _PREFIX.match(key)
    if match:
        return key[match.end() :], _SPLIT[match.group(1).lower()]
    match = _SUFFIX.search(key)
    if match and _known(key[: match.start()]) in _NAMES:
        return key[: match.start()], _SPLIT[match.group(1).lower()]
    home, slash, last = key.rpartition("/")
    inner = _PREFIX.match(last) if slash and home.lower() in ("loss", "losses", "metrics", "metric") else None
    if inner:
        return last[inner.end() :], _SPLIT[inner.group(1).lower()]
    return key, None


def _known(name: str) -> str:
    """The canonical name; the name itself where there is none."""
    plain = name.lower().replace(" ", "_")
    if plain.replace("-", "_") in _NAME:
        return _NAME[plain.replace("-", "_")]
    return "learning_rate" if _RATE.match(plain) else name


def _bare(key: str) -> str:
    return _parted(key)[0]


def _unused(name: str, key: str, split: str, owners: dict[tuple[str, str], str]) -> str:
    """The first of the name without split and the whole key that no other curve has."""
    for candidate in (name, key):
        if (candidate, split) not in owners:
            return candidate
    number = 2
    while (f"{key} {number}", split) in owners:
        number += 1
    return f"{key} {number}"


def _sets(keys: Collection[str]) -> list[str]:
    """Names of evaluation sets among keys written ``eval/NAME_loss`` or ``eval_NAME_loss``."""
    return eval_names(f"eval_{key[5:]}" for key in keys if key.startswith(("eval/", "eval_")))
