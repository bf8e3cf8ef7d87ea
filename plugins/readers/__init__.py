"""Readers: one module or package for each family of run directories."""

from __future__ import annotations

from dpo_report.core.contract import Reader
from dpo_report.core.hookspecs import hookimpl


@hookimpl
def register_readers() -> list[Reader]:
    """The built-in readers."""
    from dpo_report.plugins.readers import emissions, evaluation
    from dpo_report.plugins.readers.families import READERS
    from dpo_report.plugins.readers.hf.files import FILES
    from dpo_report.plugins.readers.hf.glance import glance
    from dpo_report.plugins.readers.hf.witness import NAME, detect, read

    first = Reader(NAME, detect, read, "Hugging Face Trainer and TRL", FILES, glance)
    return [first, *READERS, evaluation.READER, emissions.READER]
