"""The model card (README.md) that a trainer writes: versions, base model, tags, licence, hyper-parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.hf.state import LFS_HINT, LFS_PROBLEM, is_pointer

MAX_CARD = 1 << 20
_VERSION = re.compile(
    r"^- (PEFT|TRL|Transformers|Pytorch|Datasets|Tokenizers|Unsloth):? v?(\d[\w.+-]{0,60})\s*$", re.IGNORECASE
)
_SETTING = re.compile(r"^- ([a-z_]{2,40}): (.{1,200})$")
_RENAMED = {
    "train_batch_size": "per_device_train_batch_size",
    "eval_batch_size": "per_device_eval_batch_size",
    "lr_scheduler_warmup_ratio": "warmup_ratio",
    "lr_scheduler_warmup_steps": "warmup_steps",
    "num_epochs": "num_train_epochs",
    "training_steps": "max_steps",
    "num_devices": "world_size",
}
_PACKAGES = {"pytorch": "torch"}
_MADE = ("generated_from_trainer", "trl", "generated automatically according to the information the Trainer")


@dataclass(slots=True)
class Card:
    """What a card tells."""

    file: str
    made_by_trainer: bool = False
    """Whether a trainer (or PEFT) wrote it, not a person."""
    text: str = ""
    front: dict[str, list[str]] = field(default_factory=dict)
    """The front matter: each key with its values."""
    lines: dict[str, int] = field(default_factory=dict)
    """Line numbers of front matter keys and settings."""
    versions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    """Hyper-parameters that the card lists, under the arguments' names."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def trusted(self) -> bool:
        """Whether a library wrote it, or at least its list of versions."""
        return self.made_by_trainer or bool(self.versions)

    @property
    def tags(self) -> list[str]:
        """The tags of its front matter."""
        return self.front.get("tags", [])

    def first(self, key: str) -> str | None:
        """The first value of a front matter key."""
        values = self.front.get(key)
        return values[0] if values else None


def read_card(folder: Folder, entry: Entry) -> Card:
    """Read a card. Never raises for what the file holds."""
    card = Card(entry.path)
    try:
        data = folder.read(entry, MAX_CARD)
    except OSError as error:
        card.problems.append(Problem(entry.path, f"cannot be read ({error.strerror or type(error).__name__})"))
        return card
    if is_pointer(data):
        card.problems.append(Problem(entry.path, LFS_PROBLEM, LFS_HINT))
        return card
    card.text = data.decode("utf-8", "replace")
    lines = card.text.splitlines()
    body = _front_matter(card, lines)
    in_settings = False
    for number, line in enumerate(lines[body:], body + 1):
        if line.startswith("#"):
            in_settings = "hyperparameters" in line.lower()
        elif match := _VERSION.match(line):
            name = match.group(1).lower()
            card.versions[_PACKAGES.get(name, name)] = match.group(2)
        elif in_settings and (match := _SETTING.match(line)):
            name = _RENAMED.get(match.group(1), match.group(1))
            card.settings[name] = _literal(match.group(2).strip())
            card.lines[name] = number
    card.made_by_trainer = any(tag in _MADE for tag in card.tags) or _MADE[-1] in card.text
    return card


def _front_matter(card: Card, lines: list[str]) -> int:
    """Read ``key: value`` and ``key:`` followed by ``- item`` lines; returns the number of lines it takes."""
    if not lines or lines[0].strip() != "---":
        return 0
    key = ""
    for number, line in enumerate(lines[1:], 2):
        if line.strip() == "---":
            return number
        if line.startswith(("- ", "  - ")) and key:
            card.front[key].append(_unquoted(line.strip()[2:]))
        elif match := re.match(r"^([A-Za-z_-]{1,40}):\s*(.*)$", line):
            key = match.group(1)
            card.front[key] = [_unquoted(match.group(2))] if match.group(2) else []
            card.lines[key] = number
    card.front = {}
    return 0


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _literal(text: str) -> Any:
    if re.fullmatch(r"[+-]?\d{1,15}", text):
        return int(text)
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text):
        return float(text)
    return {"True": True, "False": False, "None": None}.get(text, text)
