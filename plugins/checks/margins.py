"""Group D, margins: how far the implicit rewards of both responses moved apart."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run, Value
from dpo_report.core.text import join, say
from dpo_report.plugins import conventions, finiteness, reading
from dpo_report.plugins.metrics.rewards import last_finite


def margin_growth(run: Run, values: Values) -> Finding:
    """D1."""
    finiteness.need_sound(run)
    series = run.get("rewards/margins")
    _, logged = reading.finite(series)
    if series is None or not len(logged) or last_finite(series) is None:
        raise NotApplicable("no finite margin at the end of training")
    nats = values.get("margin.train.last_nats")
    in_nats = f"{numbers.number(float(nats.value))} nats of log-ratio{reading.beta_remark(run)}" if nats else ""
    evidence = tuple(n for n in ("margin.train.first", "margin.train.last", "margin.train.last_nats") if n in values)
    windows = conventions.windows(run, logged)
    if windows is None:
        return found(
            say(
                "The implicit-reward margin on training pairs was {x} over the last logged window ({w}).",
                x=numbers.number(float(series.values[-1])),
                w="; ".join(filter(None, (reading.window_text(run, series, -1), in_nats))),
            ),
            evidence=evidence,
        )
    first, last = windows.first, windows.last
    # The interval is of first minus last, as for a loss; a margin that grew has it below zero.
    fall = conventions.fall_interval(run, logged)
    end = numbers.number(float(series.values[-1]))
    same = f"; the latter is {in_nats}" if in_nats else ""
    unsure = fall is not None and fall[0] <= 0 <= fall[1]
    verb = "went" if unsure or last == first else "rose" if last > first else "fell"
    text = say(
        "The implicit-reward margin on training pairs {verb} from {a} to {b} (medians of the first and last {n} rows"
        "{last}){unsure}.",
        verb=verb,
        unsure=", within its scatter" if unsure else "",
        n=windows.size,
        a=numbers.number(first),
        b=numbers.number(last),
        last=f"; last window {', '.join(filter(None, (end, in_nats)))}" if end != numbers.number(last) else same,
    )
    grew = fall is not None and fall[1] < 0
    return found(text, "good" if grew else "info", evidence=evidence, grants=("margin-grew",) if grew else ())


FAR = Threshold("D8.nats", 100.0, "margin at β = 0.1 above which the policy is far from its reference", "nats")
FAR_RESPONSES = Threshold(
    "D8.responses", 50.0, "distance of preferred responses at β = 0.1 above which the policy is far, too", "nats"
)
_USUAL_BETA = 0.1


def far_from_reference(run: Run, values: Values) -> Finding:
    """D8: scaled by β, as a small β allows a large distance by design."""
    finiteness.need_sound(run)
    far = distances(run, values)
    if not far:
        return passed("the policy stayed within the usual distance of its reference")
    said = {
        "margin.train.last_nats": "the margin reached {x}",
        "drift.chosen.train.last": "preferred responses moved {x} from the reference",
    }
    text = say("On training pairs ") + join(
        [say(said[value.name], x=numbers.display(value).lstrip("−")) for value in far], " and "
    )
    text += say(
        "{assumed}; that far away, over-optimisation has been documented [@rafailov2024scaling], and too high a "
        "learning rate is one possible cause.",
        assumed=reading.beta_remark(run),
    )
    return found(text, "caution", evidence=tuple(value.name for value in far))


def distances(run: Run, values: Values) -> list[Value]:
    """The distances in nats, of margin and of preferred responses, that are large for the run's β."""
    scale = reading.beta(run)
    limits = {"margin.train.last_nats": FAR.of(run), "drift.chosen.train.last": FAR_RESPONSES.of(run)}
    known = [(values[name], limit) for name, limit in limits.items() if name in values]
    return [value for value, limit in known if scale and abs(float(value.value)) * scale.value / _USUAL_BETA > limit]


def negative_margin(run: Run, values: Values) -> Finding:
    """D9."""
    finiteness.need_sound(run)
    _, margins = reading.finite(run.get("rewards/margins"))
    share, fewest = conventions.ENDS.of(run), int(conventions.UNITS.of(run))
    interval = conventions.mean_interval(run, margins[-max(int(share * len(margins)), fewest) :])
    if interval is None or interval[1] >= 0:
        return passed("the margin did not end below zero beyond doubt")
    text = "Dispreferred responses are favoured at the end of training; check the label order and the chat template."
    return found(say(text), "warning", evidence=("margin.train.last",))


CHECKS = (
    Check(
        "D8",
        "Far from the reference",
        far_from_reference,
        needs=(conventions.IMPLICIT, "value:margin.train.last_nats"),
        section="discussion",
        order=15,
        source="Rafailov et al. 2024; Gao et al. 2023; the threshold is a convention",
        forbids="“strong preference learning”",
        thresholds=(FAR, FAR_RESPONSES),
    ),
    Check(
        "D9",
        "Negative margin",
        negative_margin,
        needs=(conventions.IMPLICIT, "rewards/margins"),
        section="discussion",
        order=2,
        source="arithmetic",
        forbids="the accuracy reported as 1 − accuracy",
        thresholds=(conventions.ENDS, conventions.UNITS, *conventions.INFERENCE),
    ),
    Check(
        "D1",
        "Margin",
        margin_growth,
        needs=(conventions.IMPLICIT, "rewards/margins"),
        section="results",
        order=42,
        source="Rafailov et al. 2023; TRL documentation",
        forbids="“the model prefers” or “produces better answers”",
        thresholds=(*conventions.WINDOWS, conventions.UNITS, *conventions.INFERENCE),
    ),
)
