"""A quick look before a slow one: words without which a regular expression cannot match."""

from __future__ import annotations

import re

_EVERYWHERE = frozenset(
    ("the", "our", "its", "this", "and", "for", "all", "was", "has", "had", "are", "were", "with", "than", "that",
     "more", "not", "only", "then", "from", "over", "each", "every", "also")
)  # fmt: skip
"""Words that stand in every other sentence, and in no expression alone."""


def stems(pattern: str) -> tuple[str, ...]:
    """Runs of letters, one of which stands in whatever the expression matches; none where that is unsure.

    >>> stems(r"\\bconverge(d|s|nce)?\\b"), stems(r"(?:the )?(?:β|beta)\\b"), stems(r"\\d+ ?%")
    (('converge', 'nce'), ('β', 'beta'), ())
    """
    plain = re.sub(r"\\[a-zA-Z]|\[[^\]]*\]|\(\?[:!=<]+|\w(?=[?*{])", " ", pattern)
    found = dict.fromkeys(run.lower() for run in re.findall(r"[^\W\d_]{3,}|[^\x00-\x7f]|\blr\b", plain))
    return tuple(run for run in found if run not in _EVERYWHERE)
