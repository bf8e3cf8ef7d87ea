"""Runs for a list: of each state only its beginning and its end, of the arguments what tells runs apart.

A state's members are sorted by name and its rows stand between them, so the beginning holds the steps done and the
first row, the end the steps planned and the last rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Setting, Source, Witness
from dpo_report.plugins.readers.hf import checkpoints, method
from dpo_report.plugins.readers.hf.args import Arguments, read_args
from dpo_report.plugins.readers.hf.card import Card, read_card
from dpo_report.plugins.readers.hf.columns import tabulate
from dpo_report.plugins.readers.hf.identity import Known
from dpo_report.plugins.readers.hf.state import State
from dpo_report.plugins.readers.hf.status import status
from dpo_report.plugins.readers.hf.witness import NAME, read_place

HEAD, TAIL = 2 << 10, 4 << 10
"""Bytes of a state's beginning, with its first row, and of its end, with the members behind the rows and some rows."""
_MEMBER = re.compile(rb'"(global_step|max_steps|epoch)":\s*([-+0-9.eE]+)')
_ROW = re.compile(rb"\{[^{}]*\}")
_ROWS = b'"log_history"'


@dataclass(frozen=True, slots=True)
class _Ends:
    """A state's two ends."""

    state: State
    head: bytes
    """Empty for a small file."""
    tail: bytes
    """All of a small file."""


def glance(folder: Folder) -> Iterator[Witness]:
    """A witness for every run of a parent, with its first and its last rows only."""
    for place in checkpoints.find(folder):
        states = [entry for entry in place.folder.entries if entry.name == place.state and entry.path.count("/") < 2]
        ends = [found for entry in states if (found := _ends(place.folder, entry)) is not None]
        if not ends or len(ends) < len(states):
            yield from read_place(place)  # results only, a card only, or a state of another shape
        else:
            yield from _witnesses(place, ends)


def _ends(folder: Folder, entry: Entry) -> _Ends | None:
    """The two ends of a state; None where they do not tell the steps done and planned."""
    try:
        with folder.stream(entry) as stream:
            head = stream.read(HEAD)
            stream.seek(max(len(head), entry.size - TAIL))
            tail = stream.read(TAIL)
    except OSError:
        return None
    if len(head) + len(tail) >= entry.size:
        tail = head + tail  # a small file; a row may lie across
    last = tail.rfind(b"]", 0, tail.rfind(b'"max_steps"'))
    state = State(entry.path)
    for name, value in _MEMBER.findall(head.partition(_ROWS)[0]) + (_MEMBER.findall(tail, last) if last >= 0 else []):
        with suppress(ValueError):
            state.members.setdefault(name.decode(), float(value))
    told = state.whole("global_step") is not None and state.whole("max_steps") is not None
    return _Ends(state, b"" if len(tail) >= entry.size else head, tail) if told else None


def _known(ends: _Ends) -> Known:
    """A state with its first and last rows."""
    state, found = ends.state, [*_ROW.findall(ends.head.partition(_ROWS)[2]), *_ROW.findall(ends.tail)]
    for row in _rows([raw for raw in found if b'"step"' in raw]):
        state.history.add(row)
    state.history.done()
    return Known(state, tabulate(state.history))


def _rows(texts: list[bytes]) -> list[Any]:
    """What the texts hold; those that are no JSON are left out."""
    try:
        rows: list[Any] = json.loads(b"[%s]" % b",".join(texts))
    except ValueError:
        return [row for text in texts for row in _rows([text])] if len(texts) > 1 else []
    return rows


def _witnesses(place: checkpoints.Place, states: list[_Ends]) -> Iterator[Witness]:
    """The run of the folder, then those that were planned otherwise; of each the state that went furthest."""
    furthest: dict[int | None, _Ends] = {}
    for ends in states:
        plan = ends.state.whole("max_steps")
        kept = furthest.setdefault(plan, ends)
        if _rank(ends.state) > _rank(kept.state):
            furthest[plan] = ends
    atop = {ends.state.whole("max_steps") for ends in states if "/" not in ends.state.file}
    ordered = sorted(furthest.items(), key=lambda one: (one[0] in atop, _rank(one[1].state)), reverse=True)
    for number, (_, ends) in enumerate(ordered):
        identity = ends.state.file.rpartition("/")[0] if number else ""
        yield _witness(place, _known(ends), identity)


def _rank(state: State) -> tuple[int, bool]:
    """The higher, the more it tells; of equal ones the state at the top, which alone has the closing row."""
    return state.whole("global_step") or 0, "/" not in state.file


def _witness(place: checkpoints.Place, known: Known, identity: str) -> Witness:
    series = known.table.series(known.state.file)
    args = _arguments(place.folder, known)
    card = Card("") if method.from_config(args.config).method else _card(place.folder, known)
    written = card if card.trusted else Card("")
    told = method.tell(
        args.config,
        written.tags,
        written.text,
        {one.name for one in series if one.split == "train"},
        args.config.startswith("trl.") or "trl" in written.tags or "trl" in written.versions,
        () if card.trusted else card.tags,
    )
    step, planned = known.step, known.state.whole("max_steps")
    values = args.values or written.settings
    told_by = Source(args.file or card.file)
    return Witness(
        NAME,
        identity,
        (known.state.file,),
        trainer=told.trainer,
        method=told.method,
        method_why=told.why,
        status=status(step, planned, series, {}, None),
        global_step=step,
        max_steps=planned if planned and planned > 0 else None,
        settings={name: Setting(name, value, told_by) for name, value in values.items()},
        series=tuple(series),
        precision=10,
        folder=place.home,
    )


def _near(folder: Folder, known: Known, name: str) -> Entry | None:
    """A file at the top, or else beside the state."""
    homes = ("", known.state.file.rpartition("/")[0])
    found = [entry for entry in folder.entries if entry.name == name and entry.parent in homes]
    return min(found, key=lambda entry: homes.index(entry.parent), default=None)


def _arguments(folder: Folder, known: Known) -> Arguments:
    entry = _near(folder, known, "training_args.bin")
    return read_args(folder, entry) if entry else Arguments("")


def _card(folder: Folder, known: Known) -> Card:
    entry = _near(folder, known, "README.md")
    return read_card(folder, entry) if entry else Card("")
