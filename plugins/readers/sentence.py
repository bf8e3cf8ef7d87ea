"""sentence-transformers and SetFit: the tables of evaluators (``eval/<kind>_evaluation_<name>_results.csv``).

Since version 3 ``steps`` is the optimizer step and ``epoch`` a fraction. Before, ``steps`` counted within an epoch and
was -1 at its end; those rows are used, by epoch. A row with -1 in both is an evaluation by hand: a summary.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from dpo_report.core.contract import FileKind
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Datum, Problem, Series, Source
from dpo_report.plugins.readers.files import first_line
from dpo_report.plugins.readers.keys import Key
from dpo_report.plugins.readers.layout import Found, Layout
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.tabular import Row, columns, read_csv

_NAME = re.compile(r"^(?:\w+?)_evaluation_?(.*?)_?results\.csv$")
_FINAL = "_final"


def _knows(name: str, start: bytes) -> float:
    header = columns(first_line(start))
    if header[:2] != ["epoch", "steps"]:
        return 0.0
    return 0.9 if "results" in name else 0.6


def _rows(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[Row]:
    rows = list(read_csv(folder, entry, problems))
    by_epoch = any(_at(row, "epoch") >= 0 > _at(row, "steps") for row in rows)
    left_out = 0
    for row in rows:
        cells = dict(row.cells)
        if _at(row, "epoch") < 0:
            cells = {f"{_FINAL}{key}": cell for key, cell in cells.items()} | {"x": 0}
        elif by_epoch and _at(row, "steps") >= 0:
            left_out += 1
            continue
        else:
            cells["x"] = cells["epoch"] if by_epoch else cells["steps"]
        yield row._replace(cells=cells)
    if by_epoch:
        text = "an older version's table: evaluations by epoch, counted from 0"
        inside = f"; {left_out} evaluations within epochs are left out (their step is not told)" if left_out else ""
        problems.append(Problem(entry.path, text + inside))


def _at(row: Row, name: str) -> float:
    value = number(row.cells.get(name))
    return -1.0 if value is None else value


def _step(cells: Mapping[str, Any]) -> float | None:
    return number(cells.get("x")) if f"{_FINAL}epoch" not in cells else float("inf")


def _cells(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: cell
        for key, cell in cells.items()
        if key not in ("x", "epoch", "steps", f"{_FINAL}epoch", f"{_FINAL}steps")
    }


def _namer(keys: Iterable[str]) -> dict[str, Key]:
    return {
        k: Key("eval_" + k.removeprefix(_FINAL), "eval", "summary")
        if k.startswith(_FINAL)
        else Key(k, "eval", "series")
        for k in keys
    }


def _complete(folder: Folder, found: Found) -> None:
    """Put the evaluation's name where a split has its name."""
    match = _NAME.match(found.file.rpartition("/")[2])
    name = match.group(1) if match else ""
    if name:
        found.told.series = tuple(_named(one, name) for one in found.told.series)
        summary = {f"eval_{name}_{key.removeprefix('eval_')}": datum for key, datum in found.told.summary.items()}
        found.told.summary = {
            key: Datum(one.value, Source(one.source.file, one.source.where.replace(_FINAL, "")))
            for key, one in summary.items()
        }
    found.extra["identity"] = ""
    found.extra["step"] = None


def _named(series: Series, name: str) -> Series:
    return replace(series, split=f"eval:{name}")


def _home(parent: str) -> str:
    above, _, last = parent.rpartition("/")
    return above if last in ("eval", "evaluation", "results") else parent


READER = Layout(
    "sentence_transformers",
    "sentence-transformers and SetFit",
    (".csv",),
    _knows,
    _rows,
    _step,
    cells=_cells,
    namer=_namer,
    home=_home,
    counts="row",
    complete=_complete,
    precision=7,
    files=(
        FileKind("*_evaluation_*results.csv", "metrics", "an evaluator's results, one row for each evaluation"),
        FileKind("config_sentence_transformers.json", "config", "library versions and prompts of the model"),
        FileKind("modules.json", "config", "the parts of which the sentence model is made"),
    ),
).reader()
