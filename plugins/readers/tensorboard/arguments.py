"""Settings that an event file holds as texts, or in the records of the hyper-parameter plugin."""

from __future__ import annotations

import re
import struct
from typing import Any

from dpo_report.core.model import Setting, Source
from dpo_report.plugins.readers.files import INVALID, parse_json
from dpo_report.plugins.readers.hf import pickles
from dpo_report.plugins.readers.protobuf import BYTES, FIXED64, VARINT, Malformed, fields, text
from dpo_report.plugins.readers.settings import flatten, from_text
from dpo_report.plugins.readers.tensorboard.eventfile import EventFile

_ARGUMENTS = "args/text_summary"
_MODEL = "model_config/text_summary"
_BEFORE = frozenset({"architectures"})
"""What the model's configuration said before the trainer put another head on the model."""
_CONFIGS = re.compile(r"config|args|arguments|hparams|hyper-?_?param|settings", re.IGNORECASE)
_HIDDEN = re.compile(r"^<[A-Z_]+>$")
"""What the Trainer writes in place of tokens and secrets."""
_ROW = re.compile(r"^\s*\|(.+?)\|(.*)\|\s*$")


def settings(file: EventFile) -> dict[str, Setting]:
    """Every setting in an event file; the Trainer's arguments under their own names, the model's under ``model.``."""
    found: dict[str, Setting] = {}
    for tag, (words, row) in file.scalars.texts.items():
        where = f"tag {tag}, record {row}"
        value = parse_json(words)
        if value is INVALID:
            value = _table(words) if _CONFIGS.search(tag) else None
        if not isinstance(value, dict):
            continue
        if tag == _MODEL:
            value = {f"model.{k}": v for k, v in value.items() if not isinstance(v, dict) and k not in _BEFORE}
        if tag in (_ARGUMENTS, _MODEL):
            found |= _whole(value, file.path, where)
        elif _CONFIGS.search(tag):
            found |= flatten(value, file.path, f"{where}, ")
    for tag, content, row in file.scalars.hparams:
        if tag.endswith("session_start_info"):
            for name, item in _session(content).items():
                found.setdefault(name, Setting(name, item, Source(file.path, f"tag {tag}, record {row}")))
    return found


def _whole(value: dict[str, Any], file: str, where: str) -> dict[str, Setting]:
    """Arguments as they are, nested ones too; without what the Trainer hid."""
    plain = pickles.plain(value)
    return {
        name: Setting(name, item, Source(file, f"{where}, {name}"))
        for name, item in plain.items()
        if not (isinstance(item, str) and _HIDDEN.match(item))
    }


def _table(words: str) -> dict[str, Any]:
    """A Markdown table of two columns: name and value."""
    rows = [match for line in words.splitlines()[:2000] if (match := _ROW.match(line))]
    return {
        match.group(1).strip().strip("*`"): from_text(match.group(2).strip())
        for match in rows[1:]
        if match.group(1).strip(" :-")
    }


def _session(content: bytes) -> dict[str, Any]:
    """The values in a ``HParamsPluginData`` with a ``SessionStartInfo`` (TensorBoard's ``plugin_data.proto``)."""
    found: dict[str, Any] = {}
    try:
        for data in fields(content):
            if data.number != 3 or data.kind != BYTES:
                continue
            for info in fields(content, data.start, data.end):
                if info.number == 1 and info.kind == BYTES:
                    name, value = _pair(content, info.start, info.end)
                    if name:
                        found[name] = value
    except Malformed:
        pass
    return found


def _pair(content: bytes, start: int, end: int) -> tuple[str, Any]:
    """One entry of a map from a name to a ``google.protobuf.Value``."""
    name, value = "", None
    for part in fields(content, start, end):
        if part.number == 1 and part.kind == BYTES:
            name = text(content, part)
        elif part.number == 2 and part.kind == BYTES:
            for one in fields(content, part.start, part.end):
                if one.number == 2 and one.kind == FIXED64:
                    number = struct.unpack_from("<d", content, one.start)[0]
                    value = int(number) if number == number // 1 and abs(number) < 1 << 53 else number
                elif one.number == 3 and one.kind == BYTES:
                    value = from_text(text(content, one))
                elif one.number == 4 and one.kind == VARINT:
                    value = bool(one.value)
    return name, value
