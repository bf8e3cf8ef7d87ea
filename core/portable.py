"""Settings as a report may print them: without the paths of the machine, and not too long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dpo_report.core import numbers


def portable(value: Any) -> Any:
    """A setting without the paths of the machine it was made on: of an absolute path only the last part is kept.

    >>> portable("/home/ada/runs/dpo-1"), portable("C:\\\\runs\\\\a"), portable("org/model"), portable(["/a/b"])
    ('…/dpo-1', '…/a', 'org/model', ['…/b'])
    """
    if isinstance(value, str) and re.match(r"(?:file://|/|~/|[A-Za-z]:[\\/])[^\s/]", value):
        return "…/" + re.split(r"[\\/]", value.rstrip("\\/"))[-1]
    if isinstance(value, Mapping):
        return {key: portable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [portable(item) for item in value]
    return value


def printed(value: Any, limit: int = 160) -> str:
    """A setting for a table; a very long one is cut, and says so."""
    text = numbers.setting(portable(value))
    return text if len(text) <= limit else f"{text[:limit]}… ({numbers.plural(len(text), 'character')})"
