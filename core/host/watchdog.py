"""Names on stderr what a plugin or a template has been doing for ten seconds, once for each call.

One sleeping thread looks at a list of what runs; entering and leaving it costs a microsecond, so every call of every
metric can be watched.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

PATIENCE = 10.0
"""Seconds after which a call is named."""
_TICK = 0.1
_HOUSE = Path(__file__).parents[1]
_LIBRARY = Path(threading.__file__).parent


@dataclass(slots=True)
class _Call:
    what: str
    since: float
    thread: int
    told: bool = False


_running: list[_Call] = []
_woken = threading.Event()
_watcher: threading.Thread | None = None


@contextmanager
def watched(what: str) -> Iterator[None]:
    """Tell on stderr if the block takes longer than :data:`PATIENCE`; of nested ones the innermost is told.

    Args:
        what: ``plugin kg 1.0: metric kg.edges``.
    """
    call = _Call(what, time.monotonic(), threading.get_ident())
    _running.append(call)
    _start()
    try:
        yield
    finally:
        _running.remove(call)


def _start() -> None:
    """Start the watcher, or wake it where it sleeps because nothing ran."""
    global _watcher
    if _watcher is None or not _watcher.is_alive():  # a fork leaves it behind
        _watcher = threading.Thread(target=_watch, name="dpo-report-watchdog", daemon=True)
        _watcher.start()
    _woken.set()


def _watch() -> None:
    while True:
        _woken.wait()
        time.sleep(_TICK)
        if not _running:
            _woken.clear()
            continue
        _tell()


def _tell() -> None:
    for call in _running[-1:]:
        if not call.told and time.monotonic() - call.since > PATIENCE:
            call.told = True
            place = _place(sys._current_frames().get(call.thread))
            sys.stderr.write(
                f"dpo-report: {call.what} is still running after {PATIENCE:g} s{place}\n  Ctrl-C stops it\n"
            )
            sys.stderr.flush()


def _place(frame: FrameType | None) -> str:
    """The innermost line of a template, else of a file that is neither ours nor of the standard library."""
    found = ""
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            return f" ({file}, line {template.get_corresponding_lineno(frame.f_lineno)})"
        standard = _LIBRARY in file.parents and "site-packages" not in file.parts
        if not (found or standard or _HOUSE in file.parents or file.name.startswith("<")):
            found = f" ({file}, line {frame.f_lineno})"
        frame = frame.f_back
    return found
