"""fairseq's logs: JSON lines (numbers as text), ``name=value`` lines of its other formats, and its older tables.

With ``--log-file`` the same messages stand without time and place in front. ``train_inner`` lines are of the updates
since the line before, ``train`` lines are means over an epoch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Setting
from dpo_report.plugins.readers.files import glimpse, parse_json
from dpo_report.plugins.readers.keys import Key
from dpo_report.plugins.readers.layout import Found, renamed
from dpo_report.plugins.readers.settings import flatten, from_text
from dpo_report.plugins.readers.textlogs import NUMBER, STEP, pairs, printed

_JSON = re.compile(r'(?:^|\| (?:INFO|DEBUG) \| ([\w.]{1,60}) \| )(?=\{"epoch": )')
_INNER = re.compile(r"(?:^|\| )epoch \d{1,9}:\s+\d{1,12} / \d{1,12} (?=\w+=)")
_TABLE = re.compile(r"(?:^|\| )epoch (\d{1,9}) \|.*\| num_updates (\d{1,12})\b")
_SUBSET = re.compile(r"valid on '([\w.-]{1,60})' subset")
_CELL = re.compile(rf"\| ([A-Za-z_][\w./]*) ({NUMBER})(?= |$)", re.IGNORECASE)
_NO_CURVE = re.compile(r"(?:^|_)(?:epoch|wps|ups|wpb|bsz|wall|train_wall|gb_free|num_updates|update|loss_scale|clip)$")
_SETTING = re.compile(
    r"'?\b([a-z]\w{1,60})'?(?:: |=)(-?[\d.]+(?:e-?\d+)?|True|False|'[^'\n]{0,200}'|\[[^\[\]\n]{0,200}\])"
)
_CONFIGURATION = re.compile(r"\{'_name': None, 'common': .*|\bNamespace\(.*")
_MEAN = "train/epoch_"
_DONE = b"| done training in "


def parse(line: str) -> dict[str, Any] | None:
    """The values of a line, with their split in front, of any of the formats."""
    if match := _JSON.search(line):
        value = parse_json(line[match.end() :].strip())
        return _of_json(value) if isinstance(value, dict) else None
    if match := _INNER.search(line):
        found = pairs(line[match.end() :])
        return {STEP: found["num_updates"], **_cells("", found)} if "num_updates" in found else None
    match = _TABLE.search(line)
    if not match:
        return None
    epoch, step = match.groups()
    subset = _SUBSET.search(line)
    name = subset.group(1) if subset else "train"
    found = dict(_CELL.findall(line))
    ended = {} if subset else {"epoch": epoch}
    return {STEP: step, **ended, **_cells(name, found)} if found else None


def _of_json(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """Every key of a validation and of an epoch's mean begins with its name; those of the updates between have none."""
    step = value.get("num_updates")
    if step is not None:
        return {STEP: step, "epoch": value.get("update", value.get("epoch")), **_cells("", value)}
    named = next((key for key in value if key.endswith("_num_updates")), None)
    if named is None:
        return None
    name = named.removesuffix("_num_updates")
    found = {key.removeprefix(f"{name}_"): cell for key, cell in value.items() if key.startswith(f"{name}_")}
    ended = {"epoch": value.get("epoch")} if name == "train" else {}
    return {STEP: value[named], **ended, **_cells(name, found)}


def _cells(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """What is logged, by key: the mean over an epoch (``name`` is ``train``) apart from that of the last updates."""
    front = {"": "train/", "train": _MEAN, "valid": "valid/"}.get(name, f"valid/{name}_")
    return {front + key: cell for key, cell in found.items() if not _NO_CURVE.search(key)}


def _namer(keys: Iterable[str]) -> Mapping[str, Key]:
    """Where nothing is told of the updates between, the means over the epochs are the curves."""
    listed = list(keys)
    between = any(key.startswith("train/") and not key.startswith(_MEAN) for key in listed)
    return renamed(lambda key: key if between else key.replace(_MEAN, "train/"))(listed)


def _complete(folder: Folder, found: Found) -> None:
    found.extra["trainer"] = "fairseq"
    entry = next(one for one in folder.entries if one.path == found.file)
    ends = glimpse(folder, entry)
    if _DONE in ends or b"\ndone training in " in ends:
        found.extra["ended"] = "completed"
    found.extra["settings"] = _settings(ends, entry)


def _settings(text: bytes, entry: Entry) -> dict[str, Setting]:
    """The configuration that a log begins with: plain values, the first of each name."""
    printed_ = _CONFIGURATION.search(text.decode("utf-8", "replace"))
    if printed_ is None:
        return {}
    told: dict[str, Any] = {}
    for name, value in _SETTING.findall(printed_.group(0)):
        told.setdefault(name, from_text(value.strip("'")))
    rates = told.get("lr")
    if isinstance(rates, list) and len(rates) == 1:
        told["learning_rate"] = rates[0]
    return flatten(told, entry.path)


READER = replace(
    printed("fairseq", "fairseq", parse, note="fairseq rounds what it prints", complete=_complete), namer=_namer
).reader()
