"""Runs that are reported together: what the report of each is told of the others.

Where all of them are at hand they are told whole. Where each is reported by a process of its own, they travel packed,
without what only their own reports need.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from dpo_report.core.model import Run, Series


def with_siblings(runs: Sequence[Run], beside: Sequence[Run] = ()) -> list[Run]:
    """Runs that are reported together, each with the others of its method; ``beside`` are reported elsewhere."""
    return [replace(run, siblings=tuple(one for one in (*runs, *beside) if _are_siblings(run, one))) for run in runs]


def _are_siblings(run: Run, other: Run) -> bool:
    return other is not run and run.method is not None and run.method == other.method


def brief(run: Run) -> Run:
    """A run as others are told of it: without its files and witnesses, and of each curve only the ends."""
    ends = {place: _ends(one) for place, one in run.series.items()}
    return replace(run, series=ends, files=(), witnesses=(), siblings=())


def _ends(series: Series) -> Series:
    """The first point of a series, which tells whether it was resumed, the last, and the last one that is finite."""
    keep = np.zeros(len(series), bool)
    keep[:1] = keep[-1:] = True
    keep[np.flatnonzero(np.isfinite(series.values))[-1:]] = True
    return series.where(keep)


def told(run: Run) -> bytes:
    """A run as others are told of it, for other processes."""
    return pickle.dumps(brief(run), pickle.HIGHEST_PROTOCOL)


def bundled(runs: Sequence[bytes | None]) -> bytes:
    """What :func:`told` gave of several runs; None in the place of one that could not be read."""
    return zlib.compress(pickle.dumps(tuple(runs), pickle.HIGHEST_PROTOCOL))


@lru_cache(maxsize=1)
def unbundled(data: bytes) -> tuple[Run | None, ...]:
    """The runs of a bundle; kept, because the next report that this process makes needs the same."""
    return tuple(None if one is None else pickle.loads(one) for one in pickle.loads(zlib.decompress(data)))
