"""What XGBoost and LightGBM print of each round: ``[0] train-logloss:0.48`` and ``[1] valid_0's auc: 0.91``.

XGBoost counts its rounds from 0, LightGBM from 1; here all count from 1, as the places of a dumped ``evals_result`` do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from dpo_report.plugins.readers.boosting import split
from dpo_report.plugins.readers.keys import Key
from dpo_report.plugins.readers.textlogs import NUMBER, STEP, printed

_VALUE = r"-?(?:\d+\.\d*(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|nan|inf)"
"""XGBoost's metrics have a decimal point; a port behind the name of a host has none."""
_ROUND = re.compile(r"(?:^|\s)\[(\d{1,9})\]\s+(?=[\w.-]{1,60}(?:-|'s ))")
_XGBOOST = re.compile(rf"(?<!\S)([\w.]{{1,40}})-([\w@.:-]{{1,40}}?):({_VALUE})(?=\s|\+|$)")
_LIGHTGBM = re.compile(rf"(?<!\S)([\w.-]{{1,40}})'s ([\w@. -]{{1,40}}?): ({NUMBER})(?=\s|$)")


def parse(line: str) -> dict[str, Any] | None:
    """The metrics of a round, as ``set/metric``."""
    match = _ROUND.search(line)
    if not match:
        return None
    text, count = line[match.end() :], int(match.group(1))
    if found := _LIGHTGBM.findall(text):
        return {STEP: count, **{f"{name}/{metric}": value for name, metric, value in found}}
    if found := _XGBOOST.findall(text):
        return {STEP: count + 1, **{f"{name}/{metric}": value for name, metric, value in found}}
    return None


def _namer(keys: Iterable[str]) -> Mapping[str, Key]:
    parts = {key: key.partition("/")[::2] for key in keys}
    sets = {name for name, _ in parts.values()}
    return {key: Key(metric, split(name, sets), "series") for key, (name, metric) in parts.items()}


READER = replace(
    printed(
        "boosting_console",
        "XGBoost and LightGBM console",
        parse,
        note="the steps are boosting rounds, counted from 1",
    ),
    namer=_namer,
    counts="round",
).reader()
