"""What became of both responses of a pair: implicit rewards, their margin, log-probabilities."""

from __future__ import annotations

from dpo_report.core.contract import Values
from dpo_report.core.model import Run
from dpo_report.core.plot import Figure, Level
from dpo_report.plugins import reading
from dpo_report.plugins.curves.captions import figure
from dpo_report.plugins.curves.panels import Quantity, panel


def rewards(run: Run, values: Values) -> Figure:
    """Implicit rewards of both responses beside their difference."""
    del values
    reference = run.method in reading.IMPLICIT_REWARD and not reading.setting(run, "reference_free")
    zero = [Level(0.0, "0: policy = reference")] if reference else []
    both = Quantity(
        ("rewards/chosen", "rewards/rejected"),
        "reward",
        "Implicit reward" if reference else "Reward",
        pair="{} rewards of chosen and rejected responses",
    )
    margin = Quantity(("rewards/margins",), "margin", "Reward margin, chosen − rejected", y_from=0.0)
    drawn = [panel(run, both, zero), panel(run, margin)]
    if drawn[1] is not None and any((one.series.values < 0).any() for one in drawn[1].tracks):
        drawn[1] = panel(run, margin, [Level(0.0, "0: no preference")])
    return figure(
        run,
        "rewards",
        "Implicit rewards and their margin over training",
        drawn,
        "fewer than two rows with an implicit reward were logged",
    )


def logps(run: Run, values: Values) -> Figure:
    """Log-probabilities of both responses."""
    del values
    both = Quantity(
        ("logps/chosen", "logps/rejected"),
        "log-probability",
        "Log-probability of a response (nats)",
        pair="{} log-probabilities of chosen and rejected responses",
    )
    return figure(
        run,
        "logps",
        "Log-probabilities of chosen and rejected responses over training",
        [panel(run, both)],
        "fewer than two rows with a log-probability were logged",
    )
