"""The loss at the start of training, where policy and reference are the same model.

There every log-ratio is 0 and most preference losses are constants, so a first logged loss can be checked
against theory. The formulas were read in trl/trainer/dpo_trainer.py of TRL 0.7.11, 0.9.6, 0.12.2, 0.24.0,
0.29.0, 1.0.0 and 1.16.0 and in the trainers of the other methods; they assume dropout off and full precision.
"""

from __future__ import annotations

from dpo_report.plugins.baselines.baseline import Baseline, smoothing_floor
from dpo_report.plugins.baselines.dpo import DPO, NCA_FLOOR
from dpo_report.plugins.baselines.others import simpo_equal_averages
from dpo_report.plugins.baselines.settings import of
from dpo_report.plugins.baselines.start import start_loss

__all__ = ["DPO", "NCA_FLOOR", "Baseline", "of", "simpo_equal_averages", "smoothing_floor", "start_loss"]
