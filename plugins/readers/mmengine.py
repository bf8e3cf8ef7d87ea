"""MMEngine (MMDetection, MMPretrain, MMSegmentation ...): ``<time>/vis_data/scalars.json``, one object a line.

A training row has ``iter``, which counts from the start of the run, as its ``step`` does. An evaluation has no
``iter``; its ``step`` counts epochs or iterations, and the file does not tell which.
"""

from __future__ import annotations

from collections.abc import Iterator

from dpo_report.core.contract import FileKind
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.files import parse_json
from dpo_report.plugins.readers.layout import Layout, first_of, without
from dpo_report.plugins.readers.tabular import Row, read_jsonl

_TIMES = ("time", "data_time", "memory")


def _knows(_name: str, start: bytes) -> float:
    row = parse_json(start.split(b"\n", 1)[0])
    return 0.95 if isinstance(row, dict) and {"iter", "step", "data_time", "time"} <= row.keys() else 0.0


def _rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    """Rows with an iteration; an evaluation has that of the training row before it."""
    last = 0
    for row in read_jsonl(folder, entry, problems):
        if "iter" in row.cells:
            last = row.cells["iter"]
            yield row
        else:
            held_out = {f"val/{key}": cell for key, cell in row.cells.items() if key not in ("step", *_TIMES)}
            yield Row(row.line, {**held_out, "iter": last})


READER = Layout(
    "mmengine",
    "MMEngine",
    (".json",),
    _knows,
    _rows,
    first_of("iter"),
    cells=without("iter", "step", *_TIMES),
    where="line {row}",
    counts="iteration",
    note="losses are means over the last iterations, which are fewer updates where gradients were accumulated;"
    " an evaluation stands at the training row before it",
    home=lambda parent: parent.removesuffix("vis_data").rstrip("/"),
    complete=lambda _folder, found: found.extra.update(trainer="mmengine.Runner"),
    precision=8,
    files=(FileKind("scalars.json", "log", "MMEngine's log: a row for some iterations and for each evaluation"),),
).reader()
