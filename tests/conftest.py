"""What all tests share."""

import pytest
from hypothesis import settings

from dpo_report.core.manager import Host

# Machines that run tests are busy at times; a slow example is no failure.
settings.register_profile("shared", deadline=None, derandomize=True)
settings.load_profile("shared")


@pytest.fixture(scope="session")
def readers() -> Host:
    """A host with the built-in readers and nothing else."""
    return Host(discover=False, modules=("dpo_report.plugins.readers",))
