"""``config.json``, ``generation_config.json`` and ``adapter_config.json`` as settings."""

from __future__ import annotations

from itertools import islice
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Setting, Source
from dpo_report.plugins.readers.hf.jsonfile import read_object
from dpo_report.plugins.readers.hf.pickles import tidy
from dpo_report.plugins.readers.settings import MOST

CONFIG, ADAPTER = "config.json", "adapter_config.json"
PREFIXES = {CONFIG: "model", "generation_config.json": "generation"}
_LONGEST = 64


def read_config(folder: Folder, entry: Entry, problems: list[Problem]) -> dict[str, Setting]:
    """Settings of one configuration file, under ``model.``, ``generation.`` or the adapter's kind (``lora.``)."""
    value = read_object(folder, entry.path, problems)
    if value is None:
        return {}
    prefix = PREFIXES.get(entry.name)
    if prefix is None:
        kind = value.get("peft_type")
        prefix = kind.lower() if isinstance(kind, str) and kind.isidentifier() else "adapter"
    told = ((tidy(key), shown) for key, item in value.items() if (shown := _shown(item)) is not None)
    found = {
        f"{prefix}.{key}": Setting(f"{prefix}.{key}", shown, Source(entry.path, key))
        for key, shown in islice(told, MOST)
    }
    labels = f"{prefix}.num_labels"  # of which a model's configuration keeps only the names
    if prefix == "model" and isinstance(value.get("id2label"), dict):
        found.setdefault(labels, Setting(labels, len(value["id2label"]), Source(entry.path, "id2label")))
    return found


def _shown(item: Any) -> Any:
    """Scalars and short lists of scalars; None for what is neither."""
    if isinstance(item, str):
        return tidy(item)
    if isinstance(item, bool | int | float):
        return item
    if isinstance(item, list) and len(item) <= _LONGEST and all(isinstance(x, str | bool | int | float) for x in item):
        return [tidy(x) if isinstance(x, str) else x for x in item]
    return None
