"""Rule J6: how many configurations were tried, and what the best of fewer would have reached."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import Ask, Text, say
from dpo_report.plugins import aggregate, reading
from dpo_report.plugins.several import DATA, MODELS, SCALE, Group, form, outcomes, recipes

CONFIGURATIONS = Threshold(
    "J6.configurations", 3, "configurations from which the best expected of fewer is told", low=2
)


def configurations(run: Run, values: Values) -> Finding:
    """J6: from ``[facts] configurations_tried``; where recipes are compared and it is missing, it is asked for."""
    told = reading.whole(reading.fact(run, "configurations_tried"))
    best = _expected(run, recipes(run)) if run.siblings else None
    if told is not None and told > 0:
        text = say("{n} of this method were tried before this one was chosen [@dodge2019].",
                   n=numbers.plural(told, "configuration"))  # fmt: skip
        return found(text + best if best else text, "caution" if told > 1 else "info")
    count = len(recipes(run))
    if count < 2:
        raise NotApplicable("the runs reported together have one configuration, and no number of trials was told")
    ask = Ask("configurations", "how many configurations of each were tried")
    text = say("{n} configurations are reported together; {ask}.", n=count, ask=ask)
    return found(text + best if best else text, "caution")


def _expected(run: Run, groups: Sequence[Group]) -> Text | None:
    """The best held-out value expected of one and of half of the configurations, beside the best of all.

    Each configuration counts once, with the mean over its seeds; only those of the same data and starting model.
    """
    alike = [group for group in groups if not group.differs.keys() & {*DATA, *MODELS}]
    if len(alike) < CONFIGURATIONS.of(run):
        return None
    scale = not any(group.differs.keys() & {*SCALE} for group in alike)
    shared = outcomes(tuple(one for group in alike for one in group.runs), scale=scale)
    if shared is None or not shared[0].startswith("held-out"):
        return None
    words, kind, each = shared
    ends = np.cumsum([len(group.runs) for group in alike])[:-1]
    means = np.array([part.mean() for part in np.split(np.array(each), ends)])
    sign = -1 if kind == "loss" else 1
    half = (len(means) + 1) // 2
    one, some = (sign * aggregate.expected_best(sign * means, trials) for trials in (1, half))
    return say(
        " The best {words} of the {n} configurations is {best}; of one drawn at random {one} was to be expected, of "
        "the best of {half} {some}. Chosen on these values, it is optimistic [@dodge2019].",
        words=words,
        n=len(means),
        best=form(kind, float((sign * means).max() * sign)),
        one=form(kind, one),
        half=half,
        some=form(kind, some),
    )


CHECKS = (
    Check("J6", "Trials of each recipe", configurations, section="limitations", order=7.6,
          source="Dodge et al. 2019; Henderson et al. 2018", forbids="unequal tuning left unsaid",
          thresholds=(CONFIGURATIONS,)),
)  # fmt: skip
