"""The steps and the pairs that one training row averages over."""

from __future__ import annotations

from dpo_report.core.model import Run, Series
from dpo_report.plugins.reading.batch import effective_batch
from dpo_report.plugins.reading.data import dataset_rows
from dpo_report.plugins.reading.resumption import resumed_from


def window(run: Run, series: Series, index: int) -> tuple[int, int]:
    """First and last step that a training row averages over: (previous row, this row].

    transformers ``Trainer._maybe_log_save_evaluate``; the first window of a resumed run begins after the resume.
    """
    index = range(len(series))[index]
    end = int(series.steps[index])
    before = int(series.steps[index - 1]) if index else resumed_from(run) or 0
    return min(before + 1, end), end


def window_text(run: Run, series: Series, first: int, last: int | None = None) -> str:
    """The span of the axis that a row averages over, or several: ``step 4``, ``steps 5,801 to 5,900``."""
    last = first if last is None else last
    begin, end = float(series.steps[first]), float(series.steps[last])
    if not (series.steps % 1 != 0).any():
        begin, end = window(run, series, first)[0], window(run, series, last)[1]
    return place_text(run, end) if begin == end else f"{_word(run)}s {_shown(begin)} to {_shown(end)}"


def place_text(run: Run, place: float) -> str:
    """A place on the axis: ``step 5,900``, ``log position 0.5``."""
    return f"{_word(run)} {_shown(place)}"


def place_in(run: Run, place: float) -> tuple[str, dict[str, int | str]]:
    """``step {step}`` or ``log position {place}``, and its value: part of a sentence that templates may reword."""
    if run.global_step is not None:
        return "step {step}", {"step": int(place)}
    return "log position {place}", {"place": _shown(place)}


def _word(run: Run) -> str:
    return "step" if run.global_step is not None else "log position"


def _shown(place: float) -> str:
    """Whole, or a part of an epoch."""
    return f"{place:,.0f}" if place % 1 == 0 else f"{place:,g}"


def window_pairs(run: Run, series: Series, index: int) -> int | None:
    """Distinct pairs behind one logged training row at most: B × steps in the window, but never more than N."""
    batch = effective_batch(run)
    if not batch:
        return None
    first, last = window(run, series, index)
    rows = dataset_rows(run)
    return min(batch * (last - first + 1), rows) if rows else batch * (last - first + 1)
