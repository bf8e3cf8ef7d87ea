"""`--format csv`: every value of the report, a row each."""

from __future__ import annotations

import csv
import io

from dpo_report.core.contract import Format
from dpo_report.core.render import Kit


def convert(kit: Kit) -> dict[str, bytes]:
    """One file; dpo-report writes it."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("name", "label", "value", "unit", "low", "high", "n", "source"))
    for value in kit.analysis.values.values():
        source = str(value.sources[0]) if value.sources else ""
        cells = (value.name, value.label, value.value, value.unit, value.low, value.high, value.n, source)
        rows.writerow(["" if cell is None else cell for cell in cells])
    return {"report.csv": out.getvalue().encode()}


CSV = Format("csv", ".csv", convert)
