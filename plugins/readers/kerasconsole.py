"""What Keras prints while it trains: a line ``Epoch 3/10``, then the epoch's values, redrawn in place with each batch.

Only what an epoch ends with counts: the values behind the last batch. A bar after that which tells nothing more is of
an evaluation by itself. Epochs count from 0, as in Keras's own tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dpo_report.core.model import Problem
from dpo_report.plugins.readers.files import decoder
from dpo_report.plugins.readers.layout import Layout, first_of, without
from dpo_report.plugins.readers.tabular import Lines, Row, RowReader
from dpo_report.plugins.readers.textlogs import LINE, SUFFIXES

_EPOCH = re.compile(r"^Epoch (\d{1,7})/(\d{1,7})\s*$")
_BATCH = re.compile(r"^\s*(\d{1,9})/(\d{1,9})\s.*?(?=\s- \w)")
_VALUE = re.compile(r"\s- ([A-Za-z_][\w.@/-]{0,79}): (-?\d[\d.]*(?:[eE][-+]?\d+)?|nan|-?inf)(?=\s|$)")
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\x08")


def _parts(text: str) -> Iterator[str]:
    for part in text[:LINE].split("\r"):
        yield _CONTROL.sub("", part)


def _over(source: Lines, file: str, problems: list[Problem]) -> Iterator[Row]:
    """The values with which each epoch ended, all of its batches done."""
    epoch: int | None = None
    ended: frozenset[str] = frozenset()  # what the epoch ended with
    for line, text, _ in source:
        if not line:
            yield Row(0, {})
            continue
        values: dict[str, str] = {}
        for part in _parts(text):
            if begun := _EPOCH.match(part):
                epoch, ended = int(begun.group(1)), frozenset()
            elif (done := _BATCH.match(part)) and done.group(1) == done.group(2):
                values = dict(_VALUE.findall(part))
        if epoch is not None and values.keys() > ended:
            ended = frozenset(values)
            yield Row(line, {"epoch": epoch - 1, **values})


def _knows(name: str, start: bytes) -> float:
    text, _ = decoder(start)
    epochs = values = 0
    for line in text(start).splitlines():
        for part in _parts(line):
            epochs += bool(_EPOCH.match(part))
            values += bool(epochs and _BATCH.match(part) and _VALUE.search(part))
            if epochs and values > 1:
                return 0.8
    return 0.0


READER = Layout(
    "keras_console",
    "Keras console",
    SUFFIXES,
    _knows,
    RowReader(_over),
    first_of("epoch"),
    cells=without("epoch"),
    where="line {row}, {key}",
    counts="epoch",
    note="Keras's epochs are counted from 0 here, as in its own tables; loss is the running mean over the epoch",
    complete=lambda _folder, found: found.extra.update(trainer="keras.Model"),
    precision=3,
    deep=SUFFIXES,
).reader()
