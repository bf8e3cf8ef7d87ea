"""The built-in bibliography: preference optimisation, statistics, reporting standards, compute, and software.

``works.json`` holds one entry a key: ``kind`` and the BibTeX fields in plain Unicode. ``unverified`` marks an entry
whose authors, venue or number still need a look at the source; what it says is shortened rather than guessed.
"""

from __future__ import annotations

import json
from pathlib import Path

from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.works import Work


@hookimpl
def register_works() -> tuple[Work, ...]:
    """Every built-in work, by key."""
    entries = json.loads(Path(__file__).with_name("works.json").read_text(encoding="utf-8"))
    return tuple(
        Work(
            key,
            entry["kind"],
            {name: text for name, text in entry.items() if name not in ("kind", "unverified")},
            entry.get("unverified", False),
        )
        for key, entry in entries.items()
    )
