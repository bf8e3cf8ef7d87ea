"""Runs for a list: of each state only its beginning and its end, of the arguments what tells runs apart.

A state's members are sorted by name and its rows stand between them, so the beginning holds the steps done, the end the
steps planned and the last rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
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

HEAD, END, TAIL = 2 << 10, 3 << 10, 4 << 10
"""Bytes of a state's beginning; of its end, for the members behind the rows; and of its end with some rows."""
_MEMBER = re.compile(rb'"(global_step|max_steps|epoch)":\s*([-+0-9.eE]+)')
_ROW = re.compile(rb"\{[^{}]*\}")


def glance(folder: Folder) -> Iterator[Witness]:
    """A witness for every run of a parent, with its last rows only."""
    for place in checkpoints.find(folder):
        states = [entry for entry in place.folder.entries if entry.name == place.state and entry.path.count("/") < 2]
        ends = [_members(place.folder, entry) for entry in states]
        if not ends or not all(ends):
            yield from read_place(place)  # results only, a card only, or a state of another shape
            continue
        yield from _witnesses(place, [one for one in ends if one is not None])


def _members(folder: Folder, entry: Entry) -> State | None:
    """What the two ends of a state tell; None where they do not tell the steps done and planned."""
    try:
        with folder.path(entry).open("rb") as stream:
            head = stream.read(HEAD)
            stream.seek(max(len(head), entry.size - END))
            whole = head + stream.read(END)
    except OSError:
        return None
    before = whole.partition(b'"log_history"')[0]
    last = whole.rfind(b"]", 0, whole.rfind(b'"max_steps"'))
    behind = whole[last:] if last >= 0 else b""
    state = State(entry.path)
    for name, value in _MEMBER.findall(before) + _MEMBER.findall(behind):
        with suppress(ValueError):
            state.members.setdefault(name.decode(), float(value))
    told = state.whole("global_step") is not None and state.whole("max_steps") is not None
    return state if told else None


def _known(folder: Folder, state: State) -> Known:
    """A state with its last rows."""
    path = folder.path(state.file)
    with suppress(OSError), path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - TAIL))
        for match in _ROW.finditer(stream.read(TAIL)):
            row = _row(match.group())
            if row is not None:
                state.history.add(row)
    state.history.done()
    return Known(state, tabulate(state.history))


def _row(raw: bytes) -> dict[str, Any] | None:
    if b'"step"' not in raw:
        return None
    try:
        value = json.loads(raw)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _witnesses(place: checkpoints.Place, states: list[State]) -> Iterator[Witness]:
    """The run of the folder, then those that were planned otherwise; of each the state that went furthest."""
    furthest: dict[int | None, State] = {}
    for state in states:
        plan = state.whole("max_steps")
        kept = furthest.setdefault(plan, state)
        if _rank(state) > _rank(kept):
            furthest[plan] = state
    atop = {state.whole("max_steps") for state in states if "/" not in state.file}
    ordered = sorted(furthest.values(), key=lambda s: (s.whole("max_steps") in atop, _rank(s)), reverse=True)
    for number, state in enumerate(ordered):
        identity = state.file.rpartition("/")[0] if number else ""
        yield _witness(place, _known(place.folder, state), identity)


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
        settings={name: Setting(name, value, Source(args.file or card.file, name)) for name, value in values.items()},
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
