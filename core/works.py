"""The literature that a report may cite: what a bibliography entry is and how it is named in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """One bibliography entry; plain Unicode, no TeX."""

    key: str
    """``rafailov2023dpo``."""
    kind: str
    """BibTeX entry type: ``inproceedings``, ``article``, ``misc``, ``book``, ``techreport``."""
    fields: Mapping[str, str]
    """BibTeX fields. ``author`` joins names by `` and ``: ``Last, First``, ``{Organisation}``, ``others`` for et al."""
    unverified: bool = False
    """Whether some field still needs a look at the source."""

    @property
    def authors(self) -> tuple[str, ...]:
        """Family names (or organisations) in order; ``others`` is left out."""
        names = [name.strip() for name in self.fields.get("author", "").split(" and ") if name.strip()]
        return tuple(
            name.strip("{}") if name.startswith("{") else name.split(",")[0].strip()
            for name in names
            if name != "others"
        )

    @property
    def short(self) -> str:
        """``Razin et al., 2025``; the title where no author is known, no comma where no year is."""
        names, year = self.authors, self.fields.get("year", "")
        more = self.fields.get("author", "").rstrip().endswith(" and others")
        if not names:
            who = self.fields.get("title", self.key)
        elif len(names) > 2 or more:
            who = f"{names[0]} et al."
        else:
            who = " and ".join(names)
        return f"{who}, {year}" if year else who
