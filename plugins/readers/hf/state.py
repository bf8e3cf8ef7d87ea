"""``trainer_state.json``: its members, and the rows of its ``log_history`` decoded in pieces.

A piece ends at a place that looks like the border of two rows. Whether it is one shows when the piece is decoded: from
the start of a row on, a wrong cut leaves a bracket or a string open, and the decoder refuses it. What is refused (also
for NaN and Infinity, which strict JSON lacks) goes through slower ways that need no guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.hf.history import History
from dpo_report.plugins.readers.hf.scan import Broken, Window, separator

LFS = b"version https://git-lfs.github.com/spec/"
LFS_PROBLEM = "is a Git LFS pointer, its content was not downloaded"
LFS_HINT = "run `git lfs pull` in the repository, then build again"
MEMBER = 8 << 20
"""Larger members than this, other than the rows, are left unread."""


@dataclass(slots=True)
class State:
    """What one state file holds."""

    file: str
    """Path relative to the run."""
    members: dict[str, Any] = field(default_factory=dict)
    """Everything but the rows."""
    history: History = field(default_factory=History)
    """The rows."""
    problems: list[Problem] = field(default_factory=list)
    """What is broken in the file."""
    seen: bool = False
    """Whether there is a list of rows."""
    readable: bool = True
    """Whether it is a state at all."""

    def whole(self, name: str) -> int | None:
        """A member that is a whole number, or None."""
        value = self.members.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 1e18:
            return None
        return int(value) if value == int(value) else None


def is_pointer(head: bytes) -> bool:
    """Whether a file's first bytes are those of a Git LFS pointer."""
    return head.startswith(LFS)


def read_state(folder: Folder, entry: Entry, limit: int | None = None) -> State:
    """Read a state file, or what its first ``limit`` bytes tell. Never raises for what the file holds."""
    state = State(entry.path)
    try:
        with folder.path(entry).open("rb") as stream:
            window = Window(stream, limit)
            while len(window.data) < len(LFS) and window.more():
                pass
            if is_pointer(window.data):
                state.readable = False
                state.problems.append(Problem(entry.path, LFS_PROBLEM, LFS_HINT))
                return state
            if window.data.startswith(b"\xef\xbb\xbf"):
                window.pos = 3
            _read_object(window, state)
    except OSError as error:
        state.readable = False
        state.problems.append(Problem(entry.path, f"cannot be read ({error.strerror or type(error).__name__})"))
    except Broken as error:
        if limit is None:
            rows = state.history.count
            kept = f"; the {rows:,} complete rows before that are used" if rows else ""
            state.readable = bool(rows or state.members)
            state.problems.append(Problem(entry.path, f"{error}{kept}", "copy the file again from where it was made"))
    state.history.done()
    if state.readable and not state.problems and not state.seen:
        state.problems.append(Problem(entry.path, "holds no log_history"))
    return state


def _read_object(window: Window, state: State) -> None:
    if window.peek() != b"{":
        raise Broken("is not a trainer's state (no JSON object)" if window.peek() else "is empty")
    window.pos += 1
    while (byte := window.peek()) != b"}":
        if byte == b",":
            window.pos += 1
            continue
        if byte != b'"':
            raise Broken("ends in the middle" if not byte else "is not valid JSON")
        key = _loads(window.value())
        if window.peek() != b":":
            raise Broken("ends in the middle" if not window.peek() else "is not valid JSON")
        window.pos += 1
        if window.peek() == b"[" and key == "log_history":
            window.pos += 1
            state.history, state.seen = History(), True
            _read_rows(window, state.history)
            window.pos += 1
            continue
        if not window.peek():
            raise Broken("ends in the middle")
        raw = window.value()
        try:
            value = _loads(raw) if len(raw) <= MEMBER else None
        except Broken as error:
            state.problems.append(Problem(state.file, f"{key}: {error}"))
            continue
        if key == "log_history":
            state.problems.append(Problem(state.file, "log_history is not a list"))
        elif isinstance(key, str):
            state.members[key] = value


def _read_rows(window: Window, history: History) -> None:
    """Collect the rows up to the closing bracket; the window stands behind the opening one."""
    decode = _number_decoder()
    border: tuple[bytes, int] | None = None
    slow_until = 0
    while (byte := window.peek()) != b"]":
        if not byte:
            raise Broken("ends inside log_history")
        if byte == b",":
            window.pos += 1
            continue
        if border and window.pos >= slow_until:
            cut = window.data.rfind(border[0], window.pos)
            if cut > window.pos:
                end = cut + border[1]
                if _read_piece(window.data[window.pos : end], history, decode):
                    window.pos = end
                    continue
                slow_until = end
        before = len(window.data) - window.pos
        raw = window.value()
        if len(window.data) - window.pos != before - len(raw):
            slow_until = 0  # the window has moved on
        try:
            history.add(_loads(raw))
        except Broken:
            history.odd("rows that are not valid JSON", history.count)
            history.count += 1
        border = border or separator(window.data, window.pos - len(raw), window.pos)


def _read_piece(piece: bytes, history: History, decode: Callable[[bytes], list[dict[str, float]] | None]) -> bool:
    """Decode whole rows at once; False, with nothing collected, where the piece is not a list of whole rows."""
    listed = b"[" + piece + b"]"
    numbers = decode(listed)
    if numbers is not None:
        history.add_numbers(numbers)
        return True
    try:
        rows = _loads(listed)
    except Broken:
        return False
    for row in rows:
        history.add(row)
    return True


def _number_decoder() -> Callable[[bytes], list[dict[str, float]] | None]:
    import msgspec

    decoder = msgspec.json.Decoder(list[dict[str, float]])

    def decode(raw: bytes) -> list[dict[str, float]] | None:
        try:
            return decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            return None

    return decode


def _loads(raw: bytes) -> Any:
    """Any JSON value, with the literals NaN and Infinity.

    Raises:
        Broken: it is none, or is nested too deeply.
    """
    try:
        return json.loads(raw.decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise Broken("is nested too deeply") from None
    except ValueError:
        raise Broken("is not valid JSON") from None
