"""Logs as JSON lines with shapes of their own: spaCy and detectron2."""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from typing import Any

from dpo_report.core.contract import FileKind
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Setting
from dpo_report.plugins.readers.files import load_json
from dpo_report.plugins.readers.layout import Found, Layout, first_of, renamed, without
from dpo_report.plugins.readers.settings import flatten, from_text
from dpo_report.plugins.readers.tabular import read_jsonl

# spaCy: log.jsonl of the JSON logger; the configuration stands in model-last/config.cfg


def _knows_spacy(name: str, start: bytes) -> float:
    line = start.split(b"\n", 1)[0]
    return 0.95 if b'"losses"' in line and b'"score"' in line and b'"step"' in line else 0.0


def _spacy_cells(cells: Mapping[str, Any]) -> dict[str, Any]:
    losses = cells.get("losses")
    scores = cells.get("scores") if isinstance(cells.get("scores"), dict) else cells.get("other_scores")
    found = {"epoch": cells.get("epoch"), "eval/score": cells.get("score")}
    found |= {f"train/losses/{key}": value for key, value in losses.items()} if isinstance(losses, dict) else {}
    return found | ({f"eval/{key}": value for key, value in scores.items()} if isinstance(scores, dict) else {})


def _complete_spacy(folder: Folder, found: Found) -> None:
    found.extra["trainer"] = "spacy"
    last = found.told.last_step()
    if last is not None and any(one.steps[0] == 0 for one in found.told.series if len(one)):
        found.extra["step"] = last + 1
    config = next(
        (e for part in ("model-last", "model-best") for e in folder.entries if e.path == f"{part}/config.cfg"), None
    )
    meta = next((entry for entry in folder.entries if entry.name == "meta.json"), None)
    if config:
        found.extra["settings"] = _cfg(folder, config, found.problems)
        found.files.append(config.path)
    about = load_json(folder, meta, found.problems) if meta else None
    if isinstance(about, dict) and isinstance(about.get("spacy_version"), str):
        found.extra["versions"] = {"spacy": about["spacy_version"].lstrip("<>=~!").split(",")[0]}


def _cfg(folder: Folder, entry: Entry, problems: list[Problem]) -> dict[str, Setting]:
    """Settings of an INI file, without interpolation."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(folder.read(entry, 1 << 20).decode("utf-8", "replace"))
    except (configparser.Error, OSError) as error:
        problems.append(Problem(entry.path, f"cannot be read as a configuration ({type(error).__name__})"))
        return {}
    values = {
        f"{part}.{key}": from_text(text.strip('"')) for part in parser.sections() for key, text in parser.items(part)
    }
    return flatten(values, entry.path)


SPACY = Layout(
    "spacy",
    "spaCy",
    (".jsonl",),
    _knows_spacy,
    read_jsonl,
    first_of("step"),
    cells=_spacy_cells,
    where="line {row}, {key}",
    note="spaCy counts steps from 0: step 3 is the fourth; its losses are sums since the row before, not means;"
    " cats_score is in percent, score a fraction",
    complete=_complete_spacy,
    precision=6,
    files=(
        FileKind("config.cfg", "config", "spaCy's configuration"),
        FileKind("meta.json", "card", "what a pipeline is"),
    ),
).reader()


# detectron2: metrics.json, one object a line


_SCORES = re.compile(
    r"(?:^|/)(?:bbox|segm|keypoints|box_proposals|sem_seg|panoptic_seg|instances|densepose\w*)/|/(?:AP|AR|mIoU|PQ)"
)
"""What detectron2's evaluators give, for one data set or, with its name in front, for each of several."""


def _knows_detectron(name: str, start: bytes) -> float:
    line = start.split(b"\n", 1)[0]
    shaped = b'"iteration"' in line and any(
        mark in start for mark in (b'"total_loss"', b'"data_time"', b'"eta_seconds"')
    )
    return 0.95 if shaped else 0.0


def _complete_detectron(_folder: Folder, found: Found) -> None:
    """The updates that were made: the first iteration has the number 0, and a last evaluation that of the next one."""
    found.extra["trainer"] = "detectron2"
    last = max((one.steps[-1] for one in found.told.series if (one.name, one.split) == ("loss", "train")), default=None)
    if last is not None:
        found.extra["step"] = int(last) + 1


DETECTRON = Layout(
    "detectron2",
    "detectron2",
    (".json", ".jsonl"),
    _knows_detectron,
    read_jsonl,
    first_of("iteration"),
    cells=without("iteration", "eta_seconds", "time", "data_time", "rank_data_time"),
    namer=renamed(lambda key: f"eval/{key}" if _SCORES.search(key) else key),
    where="line {row}, key {key}",
    note="detectron2 counts iterations from 0 and logs medians over the last 20",
    complete=_complete_detectron,
    files=(FileKind("last_checkpoint", "checkpoint", "which checkpoint is the newest"),),
).reader()


READERS = (SPACY, DETECTRON)
