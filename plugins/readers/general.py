"""Any table, JSON or printed log with a column that counts steps, where no other reader knows the folder.

What is assumed is told: which column counts, that the others are logged values, that a name like ``val_loss`` means
held-out data. Nothing is guessed beyond that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from dpo_report.core.contract import Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Witness
from dpo_report.plugins.readers.collect import as_logged
from dpo_report.plugins.readers.damage import damaged
from dpo_report.plugins.readers.files import INVALID, decoder, first_line, glimpse, parse_json, subs
from dpo_report.plugins.readers.files import load_json as _load
from dpo_report.plugins.readers.keras import history_rows
from dpo_report.plugins.readers.keys import split_of
from dpo_report.plugins.readers.layout import Found, Layout, first_of
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.placing import AXIS, counter, flat, placed
from dpo_report.plugins.readers.printedlines import STEPS, TELLING, parse
from dpo_report.plugins.readers.settings import from_json, from_yaml
from dpo_report.plugins.readers.tabular import Row, columns, read_csv, read_jsonl
from dpo_report.plugins.readers.textlogs import STEP, SUFFIXES, knows, rows_of

NAME = "general"
SURE = 0.1
_TABLES, _LINES, _JSON = (".csv", ".tsv"), (".jsonl", ".ndjson"), (".json",)
_RATES = frozenset({"lr", "learning_rate"})
_LISTS = (
    "history",
    "log_history",
    "logs",
    "log",
    "metrics",
    "training_history",
    "train_log",
    "epochs",
    "steps",
    "results",
)
_NO_LOG = re.compile(
    r"^(?:requirements.*|readme.*|license.*|vocab.*|merges.*|tokenizer.*|special_tokens.*|added_tokens.*|config.*"
    r"|.*\.index|generation_config|adapter_config|preprocessor_config|chat_template|package.*|.*manifest.*|dpo-report|report)\.\w+$",
    re.IGNORECASE,
)
_TRACKERS = re.compile(r"(?:^|/)(?:plots/metrics|mlruns|wandb|swanlog|\.aim|catboost_info)/")
"""Folders whose tables are parts of a tracker's store."""
_OWN = ("checkpoint", "runs/", "vis_data")
"""Sub-folders of a run's own, by which its reader knows it."""
_CONFIGS = (
    "config.json",
    "params.json",
    "args.json",
    "hparams.json",
    "config.yaml",
    "config.yml",
    "params.yaml",
    "args.yaml",
    ".hydra/config.yaml",
)


def _knows(name: str, start: bytes) -> float:
    if _NO_LOG.match(name) or not start.strip():
        return 0.0
    ending = "." + name.rpartition(".")[2].lower()
    line = first_line(start)
    if ending in _LINES or (ending in SUFFIXES and line.startswith("{")):
        if any(map(_is_row, _first_lines(start))):
            return SURE
        if ending in _LINES:
            return 0.0
    if ending in _JSON:
        return SURE if _may_be_history(start) or _are_rows(start) else 0.0
    if _is_table(columns(line)) or (ending in _TABLES and _is_saved_history(columns(line))):
        return SURE
    return SURE if ending in SUFFIXES and knows(parse, 3)(name, start) else 0.0


def _text(start: bytes) -> str:
    """What a file begins with, in the encoding that its mark tells."""
    text, _ = decoder(start)
    return text(start).lstrip("\ufeff")


def _first_lines(start: bytes) -> list[str]:
    return _text(start).splitlines()[:20]


def _is_table(header: list[str]) -> bool:
    """Whether these are the names of a table's columns, one of which counts."""
    return len(header) > 1 and bool(counter(header)) and all(number(cell) is None for cell in header if cell)


def _is_saved_history(header: list[str]) -> bool:
    """Whether a table without a counter is a history that pandas saved: its unnamed index, a loss, other measures."""
    names = {cell.lower() for cell in header[1:]}
    measures = all(TELLING.search(name) for name in names - _RATES)
    return header[:1] == [""] and "loss" in names and measures and (not names & _RATES or "val_loss" in names)


def _is_row(text: str) -> bool:
    value = parse_json(text) if len(text) < 1 << 20 else INVALID
    cells = dict(flat(value)) if isinstance(value, dict) else {}
    axis = counter(cells)
    return axis is not None and sum(number(cell) is not None for cell in cells.values()) > 1


def _are_rows(start: bytes) -> bool:
    """Whether these are JSON lines, two or more, some of which are rows of a log."""
    found = _first_lines(start)
    return len(found) > 1 and found[0].endswith("}") and any(map(_is_row, found))


def _may_be_history(start: bytes) -> bool:
    text = _text(start[:4096])
    return bool(TELLING.search(text)) and bool(re.search(r'"[^"]*"\s*:\s*\[\s*(?:-?[\d.]|\{)|^\s*\[\s*\{', text))


def _rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    """Rows whose counter is named, and the assumption, once."""
    assumed: list[str] = []
    yield from placed(_any_rows(folder, entry, problems), assumed)
    problems += [
        Problem(entry.path, f"no reader knows this log; {one}", "look at the curves before you trust them")
        for one in assumed
    ]


def _any_rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    start = glimpse(folder, entry)
    line = first_line(start)
    if entry.name.lower().endswith(_JSON) and not _are_rows(start):
        yield from _json_rows(folder, entry, problems)
    elif line.startswith("{") and any(map(_is_row, _first_lines(start))):
        yield from read_jsonl(folder, entry, problems)
    elif _is_table(columns(line)):
        yield from read_csv(folder, entry, problems)
    elif entry.name.lower().endswith(_TABLES) and _is_saved_history(columns(line)):
        for place, row in enumerate(read_csv(folder, entry, problems), 1):
            yield Row(row.line, {**row.cells, STEP: place, AXIS: "the place in the table"})
    else:
        yield from rows_of(parse)(folder, entry, problems)


def _json_rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    """Rows of a list of objects, also inside an object; or the places of an object's lists of numbers."""
    value = _load(folder, entry, problems, object)
    if isinstance(value, dict):
        inner = next((value[key] for key in _LISTS if isinstance(value.get(key), list | dict)), None)
        value = (
            inner
            if isinstance(inner, list) and inner and isinstance(inner[0], dict)
            else inner
            if isinstance(inner, dict)
            else value
        )
    if isinstance(value, list):
        for place, row in enumerate(value):
            if isinstance(row, dict):
                yield Row(place, row)
    elif isinstance(value, dict):
        inside = [(f"{k}/{name}", v) for k, one in value.items() if split_of(k) for name, v in _items(one)]
        lists = {k: v for k, v in inside or value.items() if _are_numbers(v)}
        axis = counter(lists)
        for row in history_rows(lists if any(TELLING.search(key) for key in lists) else {}, 1):
            step = lists[axis][row.line] if axis and row.line < len(lists[axis]) else row.cells["epoch"]
            cells = {key: cell for key, cell in row.cells.items() if key not in ("epoch", axis)}
            yield Row(row.line, {**cells, STEP: step, AXIS: axis or "the place in the list"})


def _items(value: Any) -> Iterable[tuple[str, Any]]:
    return value.items() if isinstance(value, dict) else ()


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and number(value[0]) is not None


def _complete(folder: Folder, found: Found) -> None:
    if str(found.last.get(AXIS, "")).lower().rpartition("/")[2] in STEPS:
        found.extra["step"] = found.told.last_step()
    config = next((entry for name in _CONFIGS for entry in folder.entries if entry.path == name), None)
    if config:
        read = from_json if config.path.endswith(".json") else from_yaml
        found.extra["settings"] = read(folder, config, found.problems)
        found.files.append(config.path)
    found.extra |= as_logged(found.told, found.extra.get("settings", {}))


def _cells(cells: Mapping[str, Any]) -> dict[str, Any]:
    """The logged quantities; scikit-learn's ``loss_curve`` is the loss."""
    kept = {key: cell for key, cell in cells.items() if key not in (STEP, AXIS) and key.lower() not in STEPS}
    return {key.removesuffix("_curve"): cell for key, cell in kept.items()}


LAYOUT = Layout(
    NAME,
    "any log with a step",
    (*_TABLES, *_LINES, *_JSON, *SUFFIXES),
    _knows,
    _rows,
    first_of(STEP),
    cells=_cells,
    where=lambda name: "[{row}].{key}" if name.endswith(_JSON) else "line {row}, {key}",
    counts="row",
    complete=_complete,
    precision=1,
    deep=SUFFIXES,
)


def _unclaimed(folder: Folder) -> dict[str, list[Entry]]:
    """Files that look like logs, by their folders, where no other reader knows that folder or one above it."""
    found: dict[str, list[Entry]] = {}
    for entry, _ in LAYOUT.find(folder):
        if not _TRACKERS.search(entry.path):
            found.setdefault(entry.parent, []).append(entry)
    above = {home: [home, *_above(home)] for home in found}
    inside = subs(folder, {home for homes in above.values() for home in homes})
    claimed = {home: _is_claimed(sub, whole=home in found) for home, sub in inside.items() if found}
    return {home: entries for home, entries in found.items() if not any(claimed[one] for one in above[home])}


def _above(home: str) -> list[str]:
    """The folders around a folder, the nearest first; the last is the empty path."""
    parts = home.split("/") if home else []
    return ["/".join(parts[:count]) for count in range(len(parts) - 1, -1, -1)]


def _is_claimed(folder: Folder, whole: bool) -> bool:
    """Whether another reader knows a folder by the files directly in it (or in its checkpoints)."""
    inner: tuple[str, ...] = _OWN if whole else ()
    if "meta.yaml" in folder:  # as in a run of MLflow's, whose artifacts are no runs of their own
        inner = (*inner, "metrics", "params")
    near = tuple(e for e in folder.entries if not e.parent or e.parent.startswith(inner))
    shallow = folder.holding(near)
    return any(reader.detect(shallow) for reader in _others())


@lru_cache(maxsize=1)
def _others() -> tuple[Reader, ...]:
    from dpo_report.plugins.readers import register_readers

    return tuple(reader for reader in register_readers() if reader.name != NAME)


def _detect(folder: Folder) -> Match | None:
    found = next(iter(_unclaimed(folder).values()), None)
    return Match(SURE, f"{found[0].path}, assumed") if found else None


def _read(folder: Folder) -> Iterator[Witness]:
    homes = _unclaimed(folder)
    inside = subs(folder, homes)
    for home, entries in homes.items():
        for witness in LAYOUT.read_home(inside[home], home, entries):
            if witness.series:
                yield witness


READER = Reader(NAME, _detect, _read, LAYOUT.title, damaged=damaged)
