"""Runs for a list: of each state only its beginning and its end, of the arguments what tells runs apart.

A state's members are sorted by name and its rows stand between them, so the beginning holds the steps done and the
first rows, the end the steps planned and the last rows. Where these do not tell what the whole state would tell, more
of its end is read, and else the run is read whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Datum, Setting, Source, Witness
from dpo_report.plugins.readers.hf import checkpoints, method
from dpo_report.plugins.readers.hf.args import Arguments
from dpo_report.plugins.readers.hf.card import read_card
from dpo_report.plugins.readers.hf.columns import Table, tabulate
from dpo_report.plugins.readers.hf.configs import ADAPTER, CONFIG, read_config
from dpo_report.plugins.readers.hf.history import History
from dpo_report.plugins.readers.hf.results import NAMES, read_results
from dpo_report.plugins.readers.hf.settings import arguments, nearest
from dpo_report.plugins.readers.hf.state import State
from dpo_report.plugins.readers.hf.status import status
from dpo_report.plugins.readers.hf.witness import NAME, read_place

HEAD = 2 << 10
"""Bytes of a state's beginning, with its first row."""
TAILS = 4 << 10, 16 << 10, 64 << 10
"""Bytes of its end, with the members behind the rows and some rows; more where the fewer do not suffice."""
_ROWS = re.compile(rb',\s*"log_history"\s*:\s*\[')
_BETWEEN = re.compile(rb"\}\s*,\s*(?=\{)")
_BEHIND = re.compile(rb"\}\s*(\])\s*(?:,\s*(?=\")|(?=\}))")
_SPACES = re.compile(r"[\s,]*")
_FEWEST = 3
"""Last training rows that tell how many steps lie between two."""
_WHEN = "eval_strategy", "evaluation_strategy"
_MEAN = "train_loss"
_EVALUATED = ("eval_", "test_", "predict_")
_decode = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class _Ends:
    """What the two ends of a state hold."""

    state: State
    """Its members."""
    first: list[Any]
    """Its first rows."""
    last: bytes | None
    """Its last rows as text; None where the first ones are all."""


def glance(folder: Folder) -> Iterator[Witness]:
    """A witness for every run of a parent, with its first and its last rows only."""
    for place in checkpoints.find(folder):
        witness = _glance(place)
        if witness is None:
            yield from read_place(place)
        else:
            yield witness


def _glance(place: checkpoints.Place) -> Witness | None:
    """The run of a folder; None where there may be several, or the ends of its states do not suffice."""
    states = [entry for entry in place.folder.entries if entry.name == place.state and entry.path.count("/") < 2]
    args: Arguments | None = None
    for length in TAILS if states else ():
        ends = [found for entry in states if (found := _ends(place.folder, entry, length)) is not None]
        if len(ends) < len(states):
            continue
        openings = _openings(ends)
        if len({one.state.whole("max_steps") for one in ends}) > 1 or len(openings) > 1:
            return None
        ends.sort(key=_rank, reverse=True)
        if openings and not ends[0].first:
            return None  # the rows of one state, the step of another
        homes = [one.state.file.rpartition("/")[0] for one in ends]
        args = args or arguments(place.folder, nearest(place.folder, "training_args.bin", homes))
        evaluated = any(args.values.get(name) in ("steps", "epoch") for name in _WHEN)
        history = _rows(ends[0], evaluated)
        if history is not None:
            return _witness(place, ends[0].state, homes, tabulate(history), args)
    return None


def _ends(folder: Folder, entry: Entry, length: int) -> _Ends | None:
    """The two ends of a state; None where they do not tell the steps done and planned."""
    small = entry.size <= HEAD + length
    try:
        with folder.stream(entry) as stream:
            head = stream.read(entry.size if small else HEAD)
            tail = stream.read(length) if not small and stream.seek(entry.size - length) else b""
    except OSError:
        return None
    try:
        found = _small(head) if small else _large(head, tail)
    except (ValueError, RecursionError):
        return None
    if found is None:
        return None
    members, first, last = found
    state = State(entry.path, members)
    told = state.whole("global_step") is not None and (state.whole("max_steps") or 0) > 0
    return _Ends(state, first, last) if told else None


_Found = tuple[dict[str, Any], list[Any], bytes | None]
"""Members, first rows, and last rows as text."""


def _small(data: bytes) -> _Found | None:
    members = json.loads(data) if b'"log_history"' in data else None
    if not isinstance(members, dict) or not isinstance(members.get("log_history"), list):
        return None
    return members, members.pop("log_history"), None


def _large(head: bytes, tail: bytes) -> _Found | None:
    """The members on both sides of the rows, which must be whole there, and rows.

    Raises:
        ValueError: they are not.
    """
    begin, behind = _ROWS.search(head), _BEHIND.search(tail)
    if begin is None or behind is None:
        return None
    before, after = json.loads(head[: begin.start()] + b"}"), json.loads(b"{" + tail[behind.end() :])
    border = _BETWEEN.search(tail, 0, behind.start())
    return (
        {**before, **after},
        _first_rows(head[begin.end() :]),
        tail[border.end() : behind.start(1)] if border else b"",
    )


def _first_rows(data: bytes) -> list[Any]:
    """The rows up to the first one of training, of a text that may end in the middle of one."""
    text, place = str(data, "utf-8", "replace"), 0
    rows: list[Any] = []
    while not rows or not isinstance(rows[-1], dict) or "loss" not in rows[-1]:
        try:
            row, place = _decode(text, _SPACES.match(text, place).end())  # type: ignore[union-attr]
        except ValueError:
            break
        rows.append(row)
    return rows


def _openings(ends: list[_Ends]) -> set[str]:
    """The first row of each state that has one: those of one run have the same."""
    return {repr(one.first[0]) for one in ends if one.first}


def _rank(ends: _Ends) -> tuple[int, bool]:
    """The higher, the more it tells: of equal steps the state with the closing row."""
    rows = str(ends.first).encode() if ends.last is None else ends.last
    return ends.state.whole("global_step") or 0, b"train_runtime" in rows


def _rows(ends: _Ends, evaluated: bool) -> History | None:
    """The first and last rows; None where the last ones lack a curve, or tell too little of one."""
    history = History()
    rows = ends.first
    if ends.last is not None:
        try:
            last: list[Any] = json.loads(b"[%s]" % ends.last)
        except (ValueError, RecursionError):
            return None
        if not _suffice(rows, last, evaluated):
            return None
        rows = [*rows, *last]
    for row in rows:
        history.add(row)
    return history.done()


def _suffice(first: list[Any], last: list[Any], evaluated: bool) -> bool:
    """Whether the last rows have a number of every curve of the first ones, training losses, and an evaluation."""
    if not all(isinstance(row, dict) for row in (*first, *last)):
        return False
    numbers = [{key for key, value in row.items() if type(value) in (int, float)} for row in last]
    counted = [keys for keys in numbers if "step" in keys]
    if not first or not all(type(row.get("step")) in (int, float) for row in first):
        return False
    if not {key for row in first for key in row} <= set().union(*counted):
        return False
    if sum("loss" in keys for keys in counted) < _FEWEST:
        return False
    evaluations = [any(key.startswith(_EVALUATED) for key in keys) for keys in numbers]
    if not any(evaluations):
        return not evaluated
    newest = last[max(place for place, one in enumerate(evaluations) if one)].get("step")
    return not evaluations[0] or last[0].get("step") != newest  # else it may have begun before


def _witness(place: checkpoints.Place, state: State, homes: list[str], table: Table, args: Arguments) -> Witness:
    folder = place.folder
    series = table.series(state.file)
    by_config = method.from_config(args.config).method
    cards = [] if by_config else [read_card(folder, entry) for entry in nearest(folder, "README.md", homes)[:3]]
    written = [card for card in cards if card.trusted]
    settings: dict[str, Setting] = {}
    for file, values in [(args.file, args.values), *((card.file, card.settings) for card in written)]:
        source = Source(file)
        settings = {name: Setting(name, value, source) for name, value in values.items()} | settings
    models = [] if by_config else [one for name in (CONFIG, ADAPTER) for one in nearest(folder, name, homes)[:1]]
    configured = dict(settings)
    for one in models:
        if one.parent in ("", *homes):
            configured |= read_config(folder, one, [])
    told = method.tell(
        args.config,
        {tag for card in written for tag in card.tags},
        "\n".join(card.text for card in written),
        {one.name for one in series if one.split == "train"},
        args.config.startswith("trl.") or any("trl" in card.tags or "trl" in card.versions for card in written),
        {
            tag
            for card in cards
            if not card.trusted and card.file.rpartition("/")[0] in ("", *homes)
            for tag in card.tags
        },
        configured,
    )
    step, planned = state.whole("global_step"), state.whole("max_steps")
    return Witness(
        NAME,
        "",
        (state.file,),
        trainer=told.trainer,
        method=told.method,
        method_why=told.why,
        method_sure=told.sure,
        status=status(step, planned, series, _mean_loss(folder, state, table), None),
        global_step=step,
        max_steps=planned,
        settings=settings,
        series=tuple(series),
        precision=10,
        folder=place.home,
    )


def _mean_loss(folder: Folder, state: State, table: Table) -> dict[str, Datum]:
    """The mean loss over the run, from the closing row or the results: a run may have diverged by it alone."""
    found = table.summary.get(_MEAN)
    if found is not None:
        return {_MEAN: Datum(found[0], Source(state.file))}
    there = {entry.path for entry in folder.entries}.intersection(NAMES)
    results = [read_results(folder, name, []) or {} for name in NAMES if name in there]
    return next(({_MEAN: told[_MEAN]} for told in results if _MEAN in told), {})
