"""The last share of right answers, with its interval."""

from __future__ import annotations

import math

from dpo_report.core.contract import Metric
from dpo_report.core.model import Run, Value

NAME = "edges.share.last"
Z = 1.959964  # 97.5 % of the normal distribution lies below


def wilson(k: float, n: float) -> tuple[float, float]:
    """The 95 % interval of Wilson (1927) for k of n.

    >>> [round(end, 3) for end in wilson(38, 48)]
    [0.657, 0.883]
    """
    centre = (k + Z * Z / 2) / (n + Z * Z)
    half = Z / (n + Z * Z) * math.sqrt(k * (n - k) / n + Z * Z / 4)
    return max(0.0, centre - half), min(1.0, centre + half)


def last_share(run: Run) -> Value:
    """Of the last count."""
    share, asked = run.series["edges/share", "eval"], run.series["edges/asked", "eval"]
    p, n = float(share.values[-1]), int(asked.values[-1])
    low, high = wilson(p * n, n)
    return Value(
        NAME,
        p,
        (share.source_at(len(share) - 1),),
        kind="share",
        low=low,
        high=high,
        level=0.95,
        n=n,
        better="higher",
        formula=f"{p * n:g} / {n}",
        note=f"step {share.steps[-1]:g}",
    )


SHARE = Metric(
    NAME,
    "right answers, last count",
    last_share,
    needs=("eval:edges/share",),
    keys=("edges/share",),
    meaning="Answers that were right, among those asked for, when they were counted last.",
    paper="Report k of n with the interval, and say who counted and how: {value}.",
    context="It says nothing about questions of another kind, and one count is one draw of questions.",
    compare="The same questions answered by the starting model.",
    source="Wilson (1927) for the interval",
)
