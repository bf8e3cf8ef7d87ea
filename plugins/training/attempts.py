"""The attempts of a run: when each began and how long it trained, kept beside it so that a kill loses nothing."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from dpo_report.plugins.training.facts import replace

FILE = "attempts.json"
BEAT = 1.0
"""Seconds between two updates of the file."""


class Attempts:
    """The list of attempts; the last one is this process's."""

    def __init__(self, run: Path, writes: bool = True) -> None:
        self.path = run / FILE
        self.writes = writes
        self.all: list[dict[str, Any]] = []
        with suppress(OSError, ValueError):
            told = json.loads(self.path.read_text(encoding="utf-8"))
            self.all = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
        for one in self.all:
            if one.get("ended") == "running":
                one["ended"] = "killed"
        self._start = 0.0
        self._saved = 0.0

    def begin(self, step: int) -> None:
        """This attempt starts training after ``step`` optimizer steps."""
        self._start = time.perf_counter()
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.all.append({"started": started, "seconds": 0.0, "from_step": step, "to_step": step, "ended": "running"})
        self.save()

    def beat(self, step: int) -> None:
        """A step was done."""
        self.all[-1].update(seconds=round(time.perf_counter() - self._start, 3), to_step=step)
        if time.perf_counter() - self._saved >= BEAT:
            self.save()

    def end(self, how: str) -> None:
        """Training ended: ``completed``, ``interrupted`` or ``failed``."""
        if self.all and self._start:
            self.all[-1].update(seconds=round(time.perf_counter() - self._start, 3), ended=how)
            self.save()

    def save(self) -> None:
        """Write the file; a full disk does not stop a training that needs none."""
        self._saved = time.perf_counter()
        if self.writes:
            with suppress(OSError):
                replace(self.path, json.dumps(self.all, indent=1) + "\n")

    @property
    def before(self) -> float:
        """Seconds of all earlier attempts."""
        return sum(float(one.get("seconds", 0)) for one in self.all[:-1])

    @property
    def seconds(self) -> float:
        """Seconds of all attempts together."""
        return sum(float(one.get("seconds", 0)) for one in self.all)
