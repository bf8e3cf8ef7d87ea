"""For the tests of plugins: the helpers of :mod:`dpo_report.core.testing`, and pytest fixtures.

Write ``pytest_plugins = ["dpo_report.testing"]`` into the conftest.py at the top of your tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dpo_report.core import manager
from dpo_report.core.host.guard import TRACE
from dpo_report.core.manager import Host
from dpo_report.core.testing import (
    analysed,
    finding,
    host_of,
    made_run,
    made_series,
    report_files,
    sentence,
    value,
)

__all__ = [
    "analysed",
    "dpo_host",
    "finding",
    "host_of",
    "made_run",
    "made_series",
    "no_discovery",
    "report_files",
    "sentence",
    "value",
]


@pytest.fixture
def no_discovery(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No installed plugin is found and no setting of the environment counts, also in what uses the default host."""
    for name in (manager.DISABLE, TRACE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(manager, "entry_points", lambda _group: [])
    manager.default_host.cache_clear()
    yield
    manager.default_host.cache_clear()


@pytest.fixture
def dpo_host(no_discovery: None) -> Callable[..., Host]:
    """:func:`host_of`, with discovery blocked for everything else in the test too."""
    return host_of
