"""Any table, JSON or printed log with a column that counts steps, where no other reader knows the folder.

What is assumed is told: which column counts, that the others are logged values, that a name like ``val_loss`` means
held-out data. Nothing is guessed beyond that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from dpo_report.core.contract import Match, Reader
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Witness
from dpo_report.plugins.readers.collect import as_logged
from dpo_report.plugins.readers.damage import damaged
from dpo_report.plugins.readers.files import INVALID, first_line, glimpse, parse_json, subs
from dpo_report.plugins.readers.files import load_json as _load
from dpo_report.plugins.readers.keras import history_rows
from dpo_report.plugins.readers.layout import Found, Layout, first_of
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import from_json, from_yaml
from dpo_report.plugins.readers.tabular import Row, columns, read_csv, read_jsonl
from dpo_report.plugins.readers.textlogs import NUMBER, STEP, SUFFIXES, knows, pairs, rows_of

NAME = "general"
SURE = 0.1
_AXIS = "\x00axis"
_STEPS = (
    *("global_step", "globalstep", "step", "steps", "iteration", "iterations", "iter", "it", "update", "updates"),
    *("num_updates", "current_step", "current_steps", "train_step", "timestep", "timesteps", "batch"),
)
_EPOCHS = ("epoch", "epochs", "round", "rounds")
_COUNTERS = (*_STEPS, *_EPOCHS)
_TABLES, _LINES, _JSON = (".csv", ".tsv"), (".jsonl", ".ndjson"), (".json",)
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
_TELLING = re.compile(
    r"loss|acc|reward|ppl|perplexity|score|bleu|rouge|f1|auc|error|rmse|mae|mse|wer|cer", re.IGNORECASE
)
_COUNT = re.compile(
    rf"\b({'|'.join(name.replace('_', '[ _-]?') for name in _COUNTERS)})\b\s*[:=#]?\s*[\[(]?\s*(\d{{1,12}}(?:\.\d+)?)",
    re.I,
)
_SPACED = re.compile(
    rf"\b((?:(?:train(?:ing)?|val|valid(?:ation)?|eval|test)[ _-])?(?:loss|acc|accuracy|ppl|perplexity))\s+({NUMBER})",
    re.I,
)
_HOLDERS = frozenset({"metrics", "data", "values", "scalars", "scores", "logs", "log"})
"""Names of objects that hold the logged values and mean nothing themselves."""
_TRACKERS = re.compile(r"(?:^|/)(?:plots/metrics|mlruns|wandb|swanlog|\.aim|catboost_info)/")
"""Folders whose tables are parts of a tracker's store."""
_FIRST = 64
"""Rows that decide which column counts."""
_CONFIGS = (
    "config.json",
    "params.json",
    "args.json",
    "hparams.json",
    "config.yaml",
    "config.yml",
    "params.yaml",
    "args.yaml",
)


def _counter(names: Mapping[str, Any] | list[str]) -> str | None:
    """The column that counts: the one that is surest to be an optimizer step."""
    plain = {
        re.sub(r"^(?:train|trainer|training)[/_.]", "", name.lower().strip()): name for name in reversed(list(names))
    }
    plain |= {name.lower().strip(): name for name in reversed(list(names))}
    return next((plain[name] for name in _COUNTERS if name in plain), None)


def _flat(cells: Mapping[str, Any], prefix: str = "", depth: int = 3) -> Iterator[tuple[str, Any]]:
    for key, value in cells.items():
        if isinstance(value, Mapping):
            if depth:
                yield from _flat(value, prefix if key in _HOLDERS else f"{prefix}{key}/", depth - 1)
        elif not isinstance(value, list):
            yield f"{prefix}{key}", value


def _knows(name: str, start: bytes) -> float:
    if _NO_LOG.match(name) or not start.strip():
        return 0.0
    ending = "." + name.rpartition(".")[2].lower()
    line = first_line(start)
    if ending in _LINES or (ending in SUFFIXES and line.startswith("{")):
        if any(_is_row(text) for text in start.decode("utf-8", "replace").splitlines()[:20]):
            return SURE
        if ending in _LINES:
            return 0.0
    if ending in _JSON:
        return SURE if _may_be_history(start) else 0.0
    header = columns(line)
    if len(header) > 1 and _counter(header) and all(number(cell) is None for cell in header if cell):
        return SURE
    return SURE if ending in SUFFIXES and knows(_parse_line, 3)(name, start) else 0.0


def _is_row(text: str) -> bool:
    value = parse_json(text) if len(text) < 1 << 20 else INVALID
    cells = dict(_flat(value)) if isinstance(value, dict) else {}
    counter = _counter(cells)
    return counter is not None and sum(number(cell) is not None for cell in cells.values()) > 1


def _may_be_history(start: bytes) -> bool:
    text = start[:4096].decode("utf-8", "replace")
    return bool(_TELLING.search(text)) and bool(re.search(r'"[^"]*"\s*:\s*\[\s*(?:-?[\d.]|\{)|^\s*\[\s*\{', text))


def _parse_line(line: str) -> dict[str, Any] | None:
    """A printed line with a count and something telling: ``Epoch 3/10 - loss: 0.5 - val_loss: 0.6``."""
    found: dict[str, Any] = {key: cell for key, cell in pairs(line).items() if key.lower() not in _COUNTERS}
    for key, value in _SPACED.findall(line):
        found.setdefault(key.replace(" ", "_"), value)
    if not any(_TELLING.search(key) for key in found):
        return None
    counts = {match[0].lower().replace(" ", "_").replace("-", "_"): match[1] for match in _COUNT.findall(line)}
    counts |= {key: cell for key, cell in pairs(line).items() if key.lower() in _COUNTERS}
    axis = _counter(counts)
    if axis is None:
        return None
    kept = {
        key: cell
        for key, cell in found.items()
        if _TELLING.search(key) or key.lower() in ("lr", "learning_rate", "grad_norm")
    }
    epoch = {"epoch": counts["epoch"]} if axis != "epoch" and "epoch" in counts else {}
    return {STEP: counts[axis], _AXIS: axis, **kept, **epoch}


def _rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    """Rows whose counter is named, and the assumption, once."""
    rows = _any_rows(folder, entry, problems)
    first = list(islice(rows, _FIRST))
    axis = _axis(first)
    if axis is None:
        return
    for row in chain(first, rows):
        if _AXIS not in row.cells:
            cells = dict(_flat(row.cells))
            yield Row(row.line, {**cells, STEP: cells.get(axis), _AXIS: axis}, row.fresh)
        elif row.cells[_AXIS] == axis:
            yield row
    assumed = f"it is assumed that `{axis}` counts its rows and that the other numbers are logged values"
    problems.append(
        Problem(entry.path, f"no reader knows this log; {assumed}", "look at the curves before you trust them")
    )


def _axis(rows: list[Row]) -> str | None:
    """The counter that most rows have."""
    counts: dict[str, int] = {}
    for row in rows:
        told = row.cells[_AXIS] if _AXIS in row.cells else _counter(dict(_flat(row.cells)))
        if told is not None:
            counts[told] = counts.get(told, 0) + 1
    return max(counts, key=lambda name: counts[name]) if counts else None


def _any_rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    start = glimpse(folder, entry)
    line = first_line(start)
    if entry.name.lower().endswith(_JSON):
        yield from _json_rows(folder, entry, problems)
    elif line.startswith("{") and any(_is_row(text) for text in start.decode("utf-8", "replace").splitlines()[:20]):
        yield from read_jsonl(folder, entry, problems)
    elif (
        _counter(columns(line))
        and len(columns(line)) > 1
        and all(number(cell) is None for cell in columns(line) if cell)
    ):
        yield from read_csv(folder, entry, problems)
    else:
        yield from rows_of(_parse_line)(folder, entry, problems)


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
        lists = {k: v for k, v in value.items() if isinstance(v, list) and len(v) > 1 and number(v[0]) is not None}
        axis = _counter(lists)
        for row in history_rows(lists if any(_TELLING.search(key) for key in lists) else {}, 1):
            step = lists[axis][row.line] if axis and row.line < len(lists[axis]) else row.cells["epoch"]
            cells = {key: cell for key, cell in row.cells.items() if key not in ("epoch", axis)}
            yield Row(row.line, {**cells, STEP: step, _AXIS: axis or "the place in the list"})


def _complete(folder: Folder, found: Found) -> None:
    if str(found.last.get(_AXIS, "")).lower().rpartition("/")[2] in _STEPS:
        found.extra["step"] = found.told.last_step()
    config = next((entry for name in _CONFIGS for entry in folder.entries if entry.path == name), None)
    if config:
        read = from_json if config.path.endswith(".json") else from_yaml
        found.extra["settings"] = read(folder, config, found.problems)
        found.files.append(config.path)
    found.extra |= as_logged(found.told, found.extra.get("settings", {}))


def _cells(cells: Mapping[str, Any]) -> dict[str, Any]:
    """The logged quantities; scikit-learn's ``loss_curve`` is the loss."""
    kept = {key: cell for key, cell in cells.items() if key not in (STEP, _AXIS) and key.lower() not in _STEPS}
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
    near = tuple(e for e in folder.entries if not e.parent or (whole and e.parent.startswith(("checkpoint", "runs/"))))
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
