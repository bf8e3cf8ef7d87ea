"""A quick look before a slow one: words without which a regular expression cannot match."""

from __future__ import annotations

import re


def stems(pattern: str) -> tuple[str, ...]:
    """Runs of letters, in lower case, one of which stands in whatever the expression matches; none where that is unsure.

    >>> stems(r"\\bconverge(d|s|nce)?\\b"), stems(r"(?:β|beta)\\b"), stems(r"\\d+ ?%")
    (('converge', 'nce'), ('β', 'beta'), ())
    """
    plain = re.sub(r"\\[a-zA-Z]|\[[^\]]*\]|\(\?[:!=<]+|\w(?=[?*{])", " ", pattern)
    return tuple(dict.fromkeys(run.lower() for run in re.findall(r"[^\W\d_]{3,}|[^\x00-\x7f]|\blr\b", plain)))
