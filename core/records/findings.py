"""What metrics and checks say of a run: its values and findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dpo_report.core.records.series import Source

if TYPE_CHECKING:
    from dpo_report.core.text import Text

Severity = Literal["info", "good", "caution", "warning"]
FindingStatus = Literal["found", "passed", "not_applicable", "failed"]
Better = Literal["higher", "lower", "none"]


@dataclass(frozen=True, slots=True)
class Value:
    """One number that a report may print, with all that is needed to print it rightly."""

    name: str
    """Stable name, lower case, parts joined by dots: ``loss.train.mean``."""
    value: float | int | str
    """The number (NaN kept), or a word where the quantity is one."""
    sources: tuple[Source, ...]
    """The file and place of every part."""
    label: str = ""
    """What it is, for a table: ``mean training loss``. Filled from the metric where empty."""
    unit: str = ""
    """``s``, ``pairs/s``, ``nats``; empty for a pure number."""
    kind: str = "number"
    """How it is rounded: ``loss``, ``count``, ``share``, ``seconds``, ``rate``, ``number``,
    ``p``, ``exact``, ``text``.
    """
    low: float | None = None
    """Lower end of the interval, if one may be given."""
    high: float | None = None
    """Upper end of the interval."""
    level: float | None = None
    """Confidence level of the interval, 0.95."""
    n: int | None = None
    """How many independent units the value rests on."""
    better: Better = "none"
    """Which direction is better, where one is."""
    formula: str = ""
    """How it follows from its sources, with the numbers put in."""
    note: str = ""
    """What a reader must know beside the number: window, assumption."""
    metric: str = ""
    """Name of the metric that computed it, which explains it. Filled by the host."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has to say."""

    status: FindingStatus
    """``found`` has a sentence, ``passed`` looked and has nothing to say, and so on."""
    severity: Severity = "info"
    """How much it weighs."""
    text: Text | str = ""
    """The sentence to print; for ``not_applicable`` and ``failed`` the reason."""
    evidence: tuple[str, ...] = ()
    """Names of the values that the sentence rests on."""
    grants: tuple[str, ...] = ()
    """Evidence flags that claims may need: ``complete``, ``objective-fell``."""
    code: str = ""
    """The rule: ``C2``. Filled by the host from the check, like the next three."""
    title: str = ""
    """What the rule is about."""
    section: str = ""
    """Where its sentence stands."""
    order: float = 0.0
    """Its place within the section."""
    source: str = ""
    """What the rule rests on."""
