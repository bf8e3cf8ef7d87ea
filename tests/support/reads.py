"""How much a piece of work reads, as the system counts it."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def bytes_read(work: Callable[[], object]) -> int:
    """Bytes that this process reads while it works."""
    if not sys.platform.startswith("linux"):
        pytest.fail("only Linux counts what is read")
    before = _counted()
    work()
    return _counted() - before


def _counted() -> int:
    return int(next(line for line in Path("/proc/self/io").read_text().splitlines() if "rchar" in line).split()[1])
