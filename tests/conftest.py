"""What all tests share."""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from dpo_report.core.contract import Reader
from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.manager import Host
from dpo_report.plugins.readers import register_readers

# Machines that run tests are busy at times; a slow example is no failure.
settings.register_profile("shared", deadline=None, derandomize=True)
settings.load_profile("shared")


class OnlyTrainer:
    """The reader of the Hugging Face Trainer without its siblings."""

    @hookimpl
    def register_readers(self) -> list[Reader]:
        return [reader for reader in register_readers() if reader.name == "hf_trainer"]


@pytest.fixture(scope="session")
def trainer() -> Host:
    """A host with that reader and nothing else."""
    return Host(discover=False, modules=(), extra=[OnlyTrainer()])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is installed (DPO_REPORT_TESTS_COMPLETE=1), a skipped test is a failed one."""
    report = yield
    if report.skipped and os.environ.get("DPO_REPORT_TESTS_COMPLETE") == "1":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, though nothing may be: {report.longrepr}"
    return report
