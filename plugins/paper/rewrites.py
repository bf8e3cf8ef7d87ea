"""What may be written in place of a sentence that the run cannot carry: the run's own findings."""

from __future__ import annotations

import re

from dpo_report.core import numbers
from dpo_report.core.model import Analysis
from dpo_report.core.text import Text

_FINDINGS: dict[str, tuple[str, ...]] = {
    "C2": ("C2", "C3", "C4"),
    "K3": ("C2", "C1"),
    "C9": ("C2", "C1"),
    "C7": ("C7", "C6", "C4", "C5"),
    "I3": ("I3", "I2"),
    "I2": ("I1", "I2"),
    "K5": ("D2.train",),
    "A5": ("A5",),
    "H3": ("H3", "K2"),
    "F1": ("D2", "F1"),
    "K2": ("K2",),
    "J4": ("J1",),
    "D5": ("D2.train",),
    "D3": ("D3",),
    "E1": ("E1", "D1"),
    "C4": ("C4", "C5"),
}
"""Rules of which the sentence replaces one that breaks a rule, the fittest first."""


def rewrite(rule: str, analysis: Analysis, said: str = "") -> str:
    """A sentence that the run carries, in place of one (``said``) that breaks ``rule``; empty where none is better."""
    if rule == "K4":
        return _pipeline(analysis)
    if rule == "K10":
        return ""
    found = {finding.code: finding for finding in analysis.findings if finding.status == "found"}
    codes = _FINDINGS.get(rule, ())
    if rule == "I2" and re.search(r"/ ?s\b|per second|throughput", said):
        codes = codes[::-1]
    for code in codes:
        if code in found and found[code].text:
            text = found[code].text
            return text.plain(analysis.works) if isinstance(text, Text) else text
    return _rung(analysis)


def _rung(analysis: Analysis) -> str:
    """The strongest sentence of the ladder that the run carries."""
    carried = [v for v in analysis.verdicts if v.allowed and not v.patterns]
    return max(carried, key=lambda v: v.level).text if carried else ""


def _pipeline(analysis: Analysis) -> str:
    """The proposition that a small run does test (rule K4)."""
    rows = analysis.values.get("data.rows")
    if rows is None:
        return "The training script runs end to end."
    return f"The training script runs end to end on {numbers.display(rows)}."
