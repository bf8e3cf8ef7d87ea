"""Rule C12: values that are no numbers, and what they hide."""

from __future__ import annotations

import math

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Values, found, passed
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import Text, listing, say
from dpo_report.plugins import finiteness, reading


def non_finite(run: Run, values: Values) -> Finding:
    """C12."""
    steps, zeros = finiteness.bad_steps(run), finiteness.alarming_zeros(run)
    held_out = sorted(finiteness.bad_evaluations(run))
    if not steps and not zeros and not held_out and not finiteness.bad_summary(run):
        if not run.series and not run.summary:
            raise NotApplicable("nothing was logged")
        return passed("every logged loss, gradient norm and reward is finite", grants=("finite",))
    shown = sorted(steps | zeros)
    if shown:
        text = say("Values were not finite at {steps}", steps=_spans(run, shown))
    elif held_out:
        text = say("The held-out loss was not finite at {steps}", steps=_spans(run, held_out))
    else:
        text = say("Values of the closing summary were not finite")
    if zeros:
        text += f", and the logged loss was exactly 0 at {numbers.plural(len(zeros), 'step')}"
    if shown and held_out:
        text += say("; nor was the held-out loss at {steps}", steps=_spans(run, held_out))
    mean = run.number("train_loss")
    hidden = zeros or (bool(shown) and mean is not None and math.isfinite(mean))
    text += "; the trainer's filter may have hidden others in the averaged loss" if hidden else ""
    text += ". Nothing is claimed for this run but that its steps were taken"
    text += "; its small losses are no sign of a good fit." if zeros else "."
    return found(text, "warning")


def _spans(run: Run, steps: list[int]) -> Text:
    """``step 2`` or ``steps 2 to 16, 20 and 3 more``: logged rows that follow one another are named by their ends."""
    rows = [int(step) for step in reading.row_steps(run)]
    place = {step: at for at, step in enumerate(rows)}
    spans: list[list[int]] = []
    for step in steps:
        if spans and place.get(step, -1) == place.get(spans[-1][-1], -3) + 1:
            spans[-1].append(step)
        else:
            spans.append([step])
    shown = [f"{one[0]:,}" if len(one) == 1 else f"{one[0]:,} to {one[-1]:,}" for one in spans[:6]]
    left = sum(map(len, spans[6:]))
    return say(
        "{word} {spans}", word="steps" if steps[1:] else "step", spans=listing(shown + [f"{left:,} more"] * bool(left))
    )


CHECKS = (
    Check(
        "C12",
        "Non-finite values",
        non_finite,
        section="discussion",
        order=1,
        source="Trainer's logging_nan_inf_filter",
        forbids="any success statement for the run",
        thresholds=(finiteness.DROP, finiteness.SPOILT),
    ),
)
