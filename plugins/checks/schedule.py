"""Group G, the learning rate: is the schedule the stated one, and was its peak reached?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import Ask, Code, Text, join, say
from dpo_report.plugins import reading

SCHEDULE_ERROR = Threshold("G4.error", 0.01, "error of a logged rate, by the peak, above which the schedule is another")


def stated_schedule(run: Run, values: Values) -> Finding:
    """G4."""
    rate = reading.numeric(reading.setting(run, "learning_rate"))
    if rate is None:
        return found(
            say("Learning rate: {ask}.", ask=Ask("optimiser", "peak rate, schedule, warm-up, optimizer")), "caution"
        )
    schedule, optimizer = reading.setting(run, "lr_scheduler_type"), reading.setting(run, "optim")
    parts = [say("The peak learning rate was {rate}", rate=numbers.scientific(rate, 12))]
    if schedule:
        parts.append(say("with a {schedule} schedule", schedule=str(schedule).replace("_", " ")))
    warm = reading.warmup_steps(run)
    if warm is not None:
        parts.append(Text(("and no warm-up",)) if warm == 0 else say("and {n}", n=numbers.plural(warm, "warm-up step")))
    text = join(parts)
    if optimizer:
        text += say(" (optimizer {name})", name=Code(str(optimizer)))
    error = schedule_error(run)
    if error is not None and error > SCHEDULE_ERROR.of(run):
        text += say("; the logged rates differ from this schedule by up to {p} of the peak", p=numbers.share(error))
        return found(text + ".", "warning")
    return found(text + ".")


def schedule_error(run: Run) -> float | None:
    """Largest distance of the logged rates from the stated schedule, as a share of the peak; None where not known.

    transformers ``optimization.py``: linear, cosine and constant schedules after a linear warm-up from 0. Rows show
    the rate used for their step from 4.53.3 on, and that of the next step before; where the version is not known the
    better of the two counts.
    """
    rates = run.get("learning_rate")
    peak, total = reading.numeric(reading.setting(run, "learning_rate")), run.max_steps
    schedule, warm = str(reading.setting(run, "lr_scheduler_type")), reading.warmup_steps(run)
    if rates is None or not len(rates) or not peak or not total or warm is None or schedule not in _SCHEDULES:
        return None
    newer = reading.at_least(run, "transformers", 4, 53, 3)
    shifts = [1] if newer else [0] if newer is False else [0, 1]
    return min(_largest_error(rates.steps - shift, rates.values, schedule, warm, total, peak) for shift in shifts)


_SCHEDULES = ("linear", "cosine", "constant", "constant_with_warmup")


def _largest_error(
    done: NDArray[np.float64], logged: NDArray[np.float64], schedule: str, warm: int, total: int, peak: float
) -> float:
    share = np.clip((done - warm) / max(total - warm, 1), 0, 1)
    shape = {"linear": 1 - share, "cosine": 0.5 * (1 + np.cos(math.pi * share))}.get(schedule, np.ones_like(share))
    if schedule != "constant" and warm:
        shape = np.where(done < warm, done / warm, shape)
    return float(np.nanmax(np.abs(logged / peak - shape)))


def warm_up(run: Run, values: Values) -> Finding:
    """G5."""
    warm, total = reading.warmup_steps(run), reading.total_steps(run)
    if not warm or not total:
        raise NotApplicable("the schedule has no warm-up")
    if warm >= total:
        text = say("The peak rate was never reached: warm-up took {n} of {t} steps.", n=warm, t=total)
        return found(text, "warning")
    rates = run.get("learning_rate")
    if rates is not None and len(rates) and rates.steps[0] == 1 and rates.values[0] > 0 and _logs_used_rate(run):
        return passed("warm-up started above 0, so the first step already trained")
    return found(say("Warm-up starts at 0, so the first update changed nothing."))


def _logs_used_rate(run: Run) -> bool:
    return reading.at_least(run, "transformers", 4, 53, 3) is True


CHECKS = (
    Check(
        "G4",
        "Learning rate",
        stated_schedule,
        section="methodology",
        order=30,
        source="transformers optimization.py",
        forbids="the first or last logged rate as “the learning rate”",
        thresholds=(SCHEDULE_ERROR,),
    ),
    Check("G5", "Warm-up", warm_up, section="methodology", order=30.5, source="transformers optimization.py"),
)
