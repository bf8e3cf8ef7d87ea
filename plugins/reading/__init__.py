"""What a run's settings and rows say, in the terms of the rules: batch, pairs, windows, β, versions, resumption.

Metrics, curves and checks all ask here, so that the library versions' semantics are decided in one place.
"""

from __future__ import annotations

from dpo_report.plugins.reading.batch import accumulation, devices, effective_batch, per_device_batch
from dpo_report.plugins.reading.data import Band, dataset_rows, implied_eval_rows, implied_rows, rows_from_steps
from dpo_report.plugins.reading.methods import (
    EPISODE_REWARDS,
    IMPLICIT_REWARD,
    PAIRED,
    POLICY_GRADIENT,
    batch_word,
    pair_word,
    sample_word,
)
from dpo_report.plugins.reading.preference import (
    Beta,
    beta,
    beta_remark,
    loss_types,
    pure_sigmoid,
    with_likelihood_term,
)
from dpo_report.plugins.reading.resumption import resumed_from
from dpo_report.plugins.reading.rows import (
    cut_short,
    ended,
    ends,
    finite,
    held_out,
    last_step,
    planned_epochs,
    row_steps,
    total_steps,
)
from dpo_report.plugins.reading.schedule import CLOSE, logs_used_rate, schedule_errors, untrained_steps, warmup_steps
from dpo_report.plugins.reading.told import (
    BASE_MODEL,
    at_least,
    fact,
    logged_once,
    numeric,
    setting,
    setting_source,
    unread_log,
    version,
    whole,
)
from dpo_report.plugins.reading.windows import place_in, place_text, window, window_pairs, window_text

__all__ = [
    "BASE_MODEL",
    "CLOSE",
    "EPISODE_REWARDS",
    "IMPLICIT_REWARD",
    "PAIRED",
    "POLICY_GRADIENT",
    "Band",
    "Beta",
    "accumulation",
    "at_least",
    "batch_word",
    "beta",
    "beta_remark",
    "cut_short",
    "dataset_rows",
    "devices",
    "effective_batch",
    "ended",
    "ends",
    "fact",
    "finite",
    "held_out",
    "implied_eval_rows",
    "implied_rows",
    "last_step",
    "logged_once",
    "logs_used_rate",
    "loss_types",
    "numeric",
    "pair_word",
    "per_device_batch",
    "place_in",
    "place_text",
    "planned_epochs",
    "pure_sigmoid",
    "resumed_from",
    "row_steps",
    "rows_from_steps",
    "sample_word",
    "schedule_errors",
    "setting",
    "setting_source",
    "total_steps",
    "unread_log",
    "untrained_steps",
    "version",
    "warmup_steps",
    "whole",
    "window",
    "window_pairs",
    "window_text",
    "with_likelihood_term",
]
