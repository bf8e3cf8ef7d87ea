"""What a built-in reader tells of a folder in tests/formats, and the made numbers that it must tell."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from dpo_report.core.folder import Folder
from dpo_report.core.model import Witness
from dpo_report.plugins.readers.families import READERS

FORMATS = Path(__file__).parent.parent / "formats"


def _maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_formats", FORMATS / "make_formats.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = _maker()
"""The making script: ``MADE.loss(step)``, ``MADE.held_out(step)``, ``MADE.rate(step)``."""


def read(reader: str, path: Path | str) -> list[Witness]:
    """The witnesses of one reader, of a folder in tests/formats or of any path."""
    folder = Folder.open(FORMATS / path)
    known = next(one for one in READERS if one.name == reader)
    return list(known.read(folder)) if known.detect(folder) else []


def one(reader: str, path: Path | str) -> Witness:
    """The only witness."""
    (found,) = read(reader, path)
    return found


def points(witness: Witness, name: str, split: str = "train") -> dict[float, float]:
    """Values of a series by step."""
    series = next(one for one in witness.series if (one.name, one.split) == (name, split))
    return dict(zip(series.steps.tolist(), series.values.tolist(), strict=True))


def told(witness: Witness) -> str:
    """All problems as one text."""
    return "\n".join(f"{problem.where}: {problem.message} {problem.hint}" for problem in witness.problems)
