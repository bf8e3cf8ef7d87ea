"""F10: a win rate that the author tells, and what must be told with it."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Values, found
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import listing, say
from dpo_report.plugins import reading, statistics
from dpo_report.plugins.conventions import CHANCE, PAIRS

WITH_IT = {
    "judge": "the judge",
    "judge_version": "its version",
    "ties": "how ties count",
    "positions_swapped": "whether positions were swapped",
    "length_controlled": "how length was controlled for",
    "baseline_decoding": "how both models were decoded",
}
"""Facts of the table ``[facts.win_rate]`` that a win rate needs beside ``wins`` and ``n``, and their words."""


def win_rate(run: Run, values: Values) -> Finding:
    """F10: from [facts.win_rate] wins, n, judge, judge_version, ties, positions_swapped, length_controlled,
    baseline_decoding, and human = true where people judged."""
    wins, n = (reading.whole(reading.fact(run, f"win_rate.{name}")) for name in ("wins", "n"))
    if wins is None or n is None:
        raise NotApplicable("no win rate is told ([facts.win_rate] wins and n)")
    if not 0 <= wins <= n or not n:
        raise NotApplicable(f"the win rate told, {wins} of {n}, is none")
    low, high = statistics.wilson(wins, n)
    p = statistics.binomial_two_sided(wins, n)
    judge = reading.fact(run, "win_rate.judge")
    which = " ".join(str(part) for part in (judge, reading.fact(run, "win_rate.judge_version")) if part is not None)
    words = [
        word
        for name, word in (("positions_swapped", "positions swapped"), ("length_controlled", "length-controlled"))
        if reading.fact(run, f"win_rate.{name}") not in (None, False)
    ]
    text = say(
        "The outputs were preferred over the baseline's in {wins} of {n} comparisons (95 % Wilson interval {interval}"
        "{judge}{how}).",
        wins=wins,
        n=n,
        interval=numbers.interval(low, high, lambda x: numbers.fixed(x, 2)),
        judge=f"; judged by {which}" if judge is not None else "",
        how="".join(f", {word}" for word in words),
    )
    human = reading.fact(run, "win_rate.human") is True
    if not human:
        text += " The judge was no person." if judge is not None else ""
    missing = [word for name, word in WITH_IT.items() if reading.fact(run, f"win_rate.{name}") is None]
    if missing:
        return found(text + say(" Not told: {what}.", what=listing(missing)), "caution")
    if not words or n < PAIRS.of(run):
        return found(text, "caution")
    if low <= 0.5 or p >= CHANCE.of(run):
        return found(text + " This cannot be told from chance.")
    return found(text, "good", grants=("outputs-preferred", *(("human-evaluation",) if human else ())))


CHECKS = (
    Check("F10", "Win rate", win_rate, section="results", order=60,
          source="Zheng et al. 2023; Dubois et al. 2024; Miller 2024; Wilson 1927",
          forbids="“people prefer” for a model as judge; a win rate without judge, ties, positions and lengths",
          thresholds=(PAIRS, CHANCE)),
)  # fmt: skip
