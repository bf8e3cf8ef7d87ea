"""Settings, versions and method of a run, from its arguments, its model card and its configuration files."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.methods import differing
from dpo_report.core.model import Problem, Series, Setting, Source
from dpo_report.plugins.readers.hf import method
from dpo_report.plugins.readers.hf.args import Arguments, read_args
from dpo_report.plugins.readers.hf.card import Card, read_card
from dpo_report.plugins.readers.hf.checkpoints import step_of
from dpo_report.plugins.readers.hf.configs import read_config
from dpo_report.plugins.readers.hf.defaults import is_default
from dpo_report.plugins.readers.hf.identity import Known
from dpo_report.plugins.readers.hf.pickles import tidy

_FROM_STATE = ("logging_steps", "eval_steps", "save_steps", "train_batch_size")
_CONFIGS = ("adapter_config.json", "config.json", "generation_config.json")
_WRITTEN_BY = {"peft_version": "peft", "transformers_version": "transformers"}
_BASES = ("lora.base_model_name_or_path", "adapter.base_model_name_or_path", "model._name_or_path")
_FRONT = (("base_model", "base_model"), ("license", "license"), ("licence", "license"), ("datasets", "datasets"))
_LIBRARIES = ("transformers.", "trl.")
"""Whose classes' defaults are known; others may change what they inherit."""
_PLACEHOLDERS = frozenset({"license", "None", ""})


@dataclass(slots=True)
class Told:
    """What the files beside the state tell."""

    name: str = ""
    method: method.Told = field(default_factory=method.Told)
    versions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Setting] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def tell(
    folder: Folder,
    group: Sequence[Known],
    series: Sequence[Series],
    others: Collection[str],
    main: bool,
    trained: bool = False,
) -> Told:
    """Read what stands beside a run's states.

    ``others`` are the checkpoint folders of other runs in the same folder; ``main`` whether this run owns what stands
    at the top; ``trained`` whether anything but its states, arguments and card shows that a Trainer made it.
    """
    told = Told()
    keys = {s.name for s in series if s.split == "train"}
    if folder.only is not None:
        told.method = method.tell("", (), "", keys, False)
        _from_state(told, group)
        return told
    homes = [known.state.file.rpartition("/")[0] for known in group]

    def near(name: str) -> list[Entry]:
        return nearest(folder, name, homes, others, main)

    args = arguments(folder, near("training_args.bin"), told)
    cards = [read_card(folder, entry) for entry in near("README.md")[:3]]
    told.problems += [problem for card in cards for problem in card.problems]
    written = [card for card in cards if card.trusted]
    told.files += [card.file for card in written]
    for card in written:
        for package, version in card.versions.items():
            told.versions.setdefault(package, version)
    configs = _configs(told, [near(name)[:2] for name in _CONFIGS], folder)
    if trained or group or args.values or written:
        _saved_by(told, configs)
    tags = {tag for card in written for tag in card.tags}
    own = {"", *homes} if main else set(homes)
    claimed = {tag for card in cards if not card.trusted and card.file.rpartition("/")[0] in own for tag in card.tags}
    trl = "trl" in tags or "trl" in told.versions or args.config.startswith("trl.")
    final = [card for card in written if step_of(card.file.rpartition("/")[0]) is None]
    told.name = next((name for card in final if (name := card_name(card))), "")
    _from_arguments(told, args)
    for card in written:
        _from_card(told, card)
    _from_state(told, group)
    told.settings |= configs
    of_run = {name: one for name, one in told.settings.items() if one.source.file.rpartition("/")[0] in own}
    text = "\n".join(card.text for card in written)
    found = told.method = method.tell(args.config, tags, text, keys, trl, claimed, of_run)
    if found.other is not None:
        told.problems += differing(".", (found.method, found.why), (found.other.method, found.other.why))
    for name in _BASES:
        known = told.settings.get(name)
        if known is not None and isinstance(known.value, str) and known.value:
            told.settings.setdefault("base_model", Setting("base_model", known.value, known.source))
    return told


def nearest(
    folder: Folder, name: str, homes: Sequence[str], others: Collection[str] = (), main: bool = True
) -> list[Entry]:
    """Files of that name: at the top, beside the run's states, in its other parts; never a reference model's."""
    order = {home: place for place, home in enumerate(dict.fromkeys(("", *homes) if main else homes))}
    found = [entry for entry in folder.named(name) if "ref" not in entry.path.split("/")[:-1]]
    near = sorted((entry for entry in found if entry.parent in order), key=lambda entry: order[entry.parent])
    if not main:
        return near
    far = [entry for entry in found if entry.parent not in order and entry.parent not in others]
    steps = {entry.path: step_of(entry.parent) for entry in far}
    parts = [entry for entry in far if steps[entry.path] is None]
    saved = [entry for entry in far if steps[entry.path] is not None]
    return [*near, *parts, *sorted(saved, key=lambda entry: steps[entry.path] or 0, reverse=True)]


def arguments(folder: Folder, entries: Sequence[Entry], told: Told | None = None) -> Arguments:
    """The nearest arguments that can be read; ``told`` takes down what was tried."""
    found = Arguments("")
    for entry in entries[:4]:
        found = read_args(folder, entry)
        if told is not None:
            told.problems += found.problems
            told.files += [entry.path] if found.values else []
        if found.values:
            break
    return found


def _from_arguments(told: Told, args: Arguments) -> None:
    ours = args.config.startswith(_LIBRARIES)
    for name, value in args.values.items():
        default = is_default(args.config, name, value, told.versions) if ours else None
        told.settings[tidy(name)] = Setting(tidy(name), value, Source(args.file, tidy(name)), default)
    if args.world_size is not None:
        where = Source(args.file, "distributed_state.num_processes")
        told.settings.setdefault("world_size", Setting("world_size", args.world_size, where))


def _configs(told: Told, found: Sequence[Sequence[Entry]], folder: Folder) -> dict[str, Setting]:
    """Model, generation and adapter settings."""
    settings: dict[str, Setting] = {}
    for entries in found:
        for entry in entries:
            told_here = read_config(folder, entry, told.problems)
            if not told_here:
                continue
            told.files.append(entry.path)
            settings |= told_here
            break
    return settings


def _saved_by(told: Told, configs: Mapping[str, Setting]) -> None:
    """The versions that saved the model, where nothing else tells them: those of the training, if a Trainer made it.

    Other trainers copy the base model's configuration, with the version that saved that one.
    """
    for name, setting in configs.items():
        package = _WRITTEN_BY.get(name.partition(".")[2])
        if package and isinstance(setting.value, str) and setting.value[:1].isdigit():
            told.versions.setdefault(package, setting.value)


def card_name(card: Card) -> str:
    """How the card calls the model; empty where it only has a placeholder."""
    name = card.first("model_name")
    if name is None:
        heading = next((line[2:].strip() for line in card.text.splitlines() if line.startswith("# ")), "")
        name = "" if heading.startswith("Model Card for") else heading
    return tidy(name)[:200]


def _from_card(told: Told, card: Card) -> None:
    """What a card's front matter and its list of hyper-parameters tell that nothing else does."""
    for name, value in card.settings.items():
        source = Source(card.file, f"line {card.lines[name]}")
        told.settings.setdefault(name, Setting(name, value, source))
    for key, name in _FRONT:
        values = [value for value in card.front.get(key, []) if value not in _PLACEHOLDERS]
        if values:
            value = values if key == "datasets" else values[0]
            told.settings.setdefault(name, Setting(name, value, Source(card.file, f"line {card.lines.get(key, 1)}")))


def _from_state(told: Told, group: Sequence[Known]) -> None:
    """The intervals that the state repeats, where no arguments were found."""
    if "output_dir" in told.settings:
        return
    for known in group[:1]:
        for name in _FROM_STATE:
            value = known.state.members.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                told.settings.setdefault(name, Setting(name, value, Source(known.state.file, name)))
