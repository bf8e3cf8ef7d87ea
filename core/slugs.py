"""Names of values and of runs, from what a run calls its quantities and itself."""

from __future__ import annotations

import re

_LONGEST = 60
"""Letters of a run's name: no disk takes more than 255 bytes for one part of a path."""


def slug(text: str) -> str:
    """A run's own word as a part of a value's name; empty where nothing of it can stand there.

    >>> slug("mAP50-95(B)"), slug("Knowledge graph"), slug("%")
    ('map50_95_b', 'knowledge_graph', '')
    """
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def path_part(name: str) -> str:
    """A run's own name as one part of a path, by which it is asked for; empty where nothing of it can stand there.

    >>> path_part("outputs/dpo β"), path_part("../a"), path_part("..")
    ('outputs-dpo β', 'a', '')
    """
    return re.sub(r"[/\\\x00-\x1f\x7f]+", "-", name).strip("-. ")[:_LONGEST].rstrip("-. ")
