"""Who waits for the search for garbage: commands of the core do not; what may run for hours has it, to its end."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("calls", "enabled", "kept"), [("rest()", "False", True), ("rest(); resume()", "True", False)])
def test_the_end_of_a_process(calls: str, enabled: str, kept: bool) -> None:
    """A library that counts what is left of its objects at the end (nanobind) would report every one."""
    program = (
        "import atexit, gc; atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count()));"
        f"from dpo_report.core.collector import rest, resume; {calls}"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    said, count = done.stdout.split()
    assert said == enabled
    assert (int(count) > 0) == kept
