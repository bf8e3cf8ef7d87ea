"""Which declared claims the checks allow.

A claim names the evidence flags that it needs; checks grant flags. Each rung of the ladder stands on its own evidence:
a run that was stopped early may still have ranked its held-out pairs above chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from dpo_report.core.contract import Claim
from dpo_report.core.model import Finding, Verdict


def judge(
    claims: Sequence[Claim],
    findings: Iterable[Finding],
    method: str | None = None,
    limits: Mapping[str, float] = MappingProxyType({}),
) -> tuple[Verdict, ...]:
    """A verdict for every claim that is said of runs of this method, rungs of the ladder first, by level.

    ``limits`` are the thresholds of rules that the user set, which decide what an experiment must have.
    """
    own = {claim.level for claim in claims if method in claim.methods and not claim.patterns}
    claims = [
        claim
        for claim in claims
        if (method in claim.methods if claim.methods else bool(claim.patterns) or claim.level not in own)
    ]
    granted = {flag for finding in findings for flag in finding.grants}
    verdicts: list[Verdict] = []
    for claim in sorted(claims, key=lambda c: (bool(c.patterns), c.level)):
        absent = tuple(flag for flag in claim.needs if flag not in granted)
        allowed = not absent
        verdicts.append(
            Verdict(
                text=claim.text,
                level=claim.level,
                allowed=allowed,
                because="" if allowed else claim.code,
                missing=absent,
                licence="" if allowed else claim.licensed(limits),
                patterns=claim.patterns,
                topic=claim.topic,
            )
        )
    return tuple(verdicts)


def reached(verdicts: Iterable[Verdict]) -> int:
    """The highest allowed rung of the ladder; -1 where not even the first is."""
    return max((verdict.level for verdict in verdicts if verdict.allowed and not verdict.patterns), default=-1)
