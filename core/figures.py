"""Figures as files: pdf, svg or png.

Importing matplotlib takes longer than drawing. So :func:`warm` starts a second interpreter that imports it while the
run is still being read; it is handed the figures as data and hands back the files. Without it, or where it cannot
run, the same files are drawn in this process.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING

from dpo_report.core.figstyle import Style

if TYPE_CHECKING:
    from dpo_report.core.plot import Figure

Job = tuple[tuple["Figure", ...], tuple[str, ...], Style]

_SERVE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from dpo_report.core.figures import _serve; _serve()"


def draw(figure: Figure, kind: str, style: Style | None = None) -> bytes:
    """One file of a figure; ``kind`` is ``pdf``, ``svg`` or ``png``."""
    from dpo_report.core.figlayout import lay_out
    from dpo_report.core.figpaint import face, paint

    style = style or Style()
    return paint(lay_out(figure, style, face(style.family)), kind, style, figure.title)


def draw_all(
    figures: Iterable[Figure],
    kinds: Sequence[str] = ("pdf",),
    style: Style | None = None,
    draughtsman: Draughtsman | None = None,
) -> dict[str, bytes]:
    """Files by name (``loss.pdf``), in order. With a ``draughtsman`` they come from its process if it answers."""
    job: Job = (tuple(figures), tuple(kinds), style or Style())
    drawn = draughtsman.draw(job) if draughtsman is not None and job[0] and job[1] else None
    return _draw_here(job) if drawn is None else drawn


def warm() -> Draughtsman | None:
    """Start loading matplotlib in a second process; None where that gains nothing (one processor) or cannot be.

    Use it as a context: leaving it ends the process, also when nothing was drawn.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if processors < 2 or not sys.executable:
        return None
    try:
        # A new interpreter, not a fork: safe beside the threads of a notebook or of numpy, on every system.
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _SERVE, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    return Draughtsman(process)


class Draughtsman:
    """A second process that draws."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def __enter__(self) -> Draughtsman:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def draw(self, job: Job) -> dict[str, bytes] | None:
        """The files of one job; None when the process died, and then the caller draws."""
        if self._process.stdin is None or self._process.stdin.closed:
            return None
        try:
            answer, _ = self._process.communicate(pickle.dumps(job, pickle.HIGHEST_PROTOCOL))
            drawn: dict[str, bytes] = pickle.loads(answer)
        except (OSError, EOFError, pickle.UnpicklingError):
            return None
        return drawn

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


def _draw_here(job: Job) -> dict[str, bytes]:
    figures, kinds, style = job
    return {f"{figure.name}.{kind}": draw(figure, kind, style) for figure in figures for kind in kinds}


def _serve(given: IO[bytes] | None = None, answer: IO[bytes] | None = None) -> None:
    """The second process: load everything that drawing needs, then draw what stands on the standard input."""
    from dpo_report.core import figlayout, figpaint, plot

    from matplotlib.backends import backend_pdf  # isort: skip
    import matplotlib.figure  # isort: skip

    del figlayout, plot, backend_pdf, matplotlib
    figpaint.face(Style().family)
    job: Job = pickle.loads((given or sys.stdin.buffer).read())
    (answer or sys.stdout.buffer).write(pickle.dumps(_draw_here(job), pickle.HIGHEST_PROTOCOL))
