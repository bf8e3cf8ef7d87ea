"""Names of values, from what a run calls its quantities."""

from __future__ import annotations

import re


def slug(text: str) -> str:
    """A run's own word as a part of a value's name; empty where nothing of it can stand there.

    >>> slug("mAP50-95(B)"), slug("Knowledge graph"), slug("%")
    ('map50_95_b', 'knowledge_graph', '')
    """
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
