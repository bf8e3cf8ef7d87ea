"""Group G, the learning rate: is the schedule the stated one, and was its peak reached?"""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import Ask, Code, Text, join, say
from dpo_report.plugins import reading

SCHEDULE_ERROR = Threshold(
    "G4.error", reading.CLOSE, "error of a logged rate, by the peak, above which the schedule is another"
)


def stated_schedule(run: Run, values: Values) -> Finding:
    """G4."""
    rate = reading.numeric(reading.setting(run, "learning_rate"))
    if rate is None:
        return found(
            say("Learning rate: {ask}.", ask=Ask("optimiser", "peak rate, schedule, warm-up, optimizer")), "caution"
        )
    schedule, optimizer = reading.setting(run, "lr_scheduler_type"), reading.setting(run, "optim")
    parts = [say("The peak learning rate was {rate}", rate=numbers.setting(rate))]
    if schedule:
        parts.append(say("with a {schedule} schedule", schedule=str(schedule).replace("_", " ").lower()))
    warm = reading.warmup_steps(run)
    if warm is not None:
        parts.append(Text(("and no warm-up",)) if warm == 0 else say("and {n}", n=numbers.plural(warm, "warm-up step")))
    text = join(parts)
    if optimizer:
        text += say(" (optimizer {name})", name=Code(str(optimizer)))
    errors = reading.schedule_errors(run)
    # Versions and trainers differ in whether a row shows its own rate or the next one: neither is another schedule.
    error = min(errors) if errors is not None else 0.0
    if error > SCHEDULE_ERROR.of(run):
        text += say("; the logged rates differ from this schedule by up to {p} of the peak", p=numbers.share(error))
        return found(text + ".", "warning")
    return found(text + ".")


def warm_up(run: Run, values: Values) -> Finding:
    """G5."""
    warm, total = reading.warmup_steps(run), reading.total_steps(run)
    if not warm or not total:
        raise NotApplicable("the schedule has no warm-up")
    if warm >= total:
        text = say("The peak rate was never reached: warm-up took {n} of {t} steps.", n=warm, t=total)
        return found(text, "warning")
    rates = run.get("learning_rate")
    if rates is not None and len(rates) and rates.steps[0] == 1 and rates.values[0] > 0 and reading.logs_used_rate(run):
        return passed("warm-up started above 0, so the first step already trained")
    return found(say("Warm-up starts at 0, so the first update changed nothing."))


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
