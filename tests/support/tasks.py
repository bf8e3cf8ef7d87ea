"""Functions that tests hand to other processes, which find this folder on their path but not the tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def square(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number * number


def killed(argument: str) -> str:
    """Ends its own process once, or each time for ``always``."""
    mark = Path(argument)
    if mark.name.startswith("always") or (mark.name.startswith("once") and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return mark.name
