"""Group E: where the likelihoods of chosen and rejected responses went."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run, Series, Value
from dpo_report.core.text import say
from dpo_report.plugins import conventions, finiteness, reading
from dpo_report.plugins.evaluations import evaluations
from dpo_report.plugins.metrics.rewards import splits

HELD_OUT = Threshold(
    "E1.nats", 1.0, "fall on held-out pairs, whose scatter no log tells, from which it is told", "nats"
)


def _interval_of_end(run: Run, series: Series) -> tuple[float, float] | None:
    """95 % bootstrap interval of the mean over the last third of the finite rows; None where there are too few."""
    _, tail = reading.finite(series)
    return conventions.mean_interval(run, tail[-max(len(tail) // 3, 1) :])


def displacement(run: Run, values: Values) -> Finding:
    """E1."""
    finiteness.need_sound(run)
    if "apo_down" in reading.loss_types(run):
        raise NotApplicable("apo_down lowers the chosen rewards by design")
    seen: list[tuple[str, Value]] = []
    for tag, word, series in splits(run, "rewards/chosen"):
        value, margin = values.get(f"drift.chosen.{tag}.last"), values.get(f"margin.{tag}.last")
        if value is None or margin is None or not (float(value.value) < 0 < float(margin.value)):
            continue
        if tag == "train":
            interval = _interval_of_end(run, series)
            fell = interval is not None and interval[1] < 0
        else:
            fell = float(value.value) <= -HELD_OUT.of(run)
        if fell:
            seen.append((f"{word} pairs ({value.note.partition(';')[0].replace('evaluation at ', '')})", value))
    for one in evaluations(run):
        value, margin = values.get(f"drift.chosen.{one.tag}"), values.get(f"margin.{one.tag}")
        if value and margin and value.high is not None and value.high < 0 < float(margin.value):
            seen.append((f"{one.word} evaluation pairs", value))
    if not seen:
        return passed("preferred responses did not lose likelihood beyond doubt")
    where = " and by ".join(f"{numbers.number(abs(float(value.value)))} nats on {word}" for word, value in seen)
    text = say(
        "The margin grew although preferred responses became less likely: their log-probability fell by {where}, per "
        "response on average{assumed}. Rejected responses fell further, a pattern described as likelihood displacement "
        "[@razin2025; @pal2024smaug].",
        where=where,
        assumed=f" ({reading.beta_remark(run).lstrip(', ')})" if reading.beta_remark(run) else "",
    )
    return found(text, "caution", evidence=tuple(value.name for _, value in seen))


def healthy_drift(run: Run, values: Values) -> Finding:
    """E2."""
    finiteness.need_sound(run)
    words = []
    for tag, word, chosen in splits(run, "rewards/chosen"):
        rejected = run.get("rewards/rejected", chosen.split)
        if rejected is None or tag != "train":
            continue
        up, down = _interval_of_end(run, chosen), _interval_of_end(run, rejected)
        if up and down and up[0] >= 0 and down[1] < 0:
            words.append(word)
    if not words:
        return passed("it is not beyond doubt that preferred responses rose and dispreferred ones fell")
    text = say(
        "On training pairs, preferred responses became more likely, and dispreferred ones less likely, than under the "
        "reference"
    )
    evidence = ["drift.chosen.train.last", "drift.rejected.train.last"]
    held = [values[name] for name in ("drift.chosen.eval.last", "drift.rejected.eval.last") if name in values]
    if len(held) == 2:
        evidence += [value.name for value in held]
        text += say(
            "; on held-out pairs ({at}) their log-probabilities differed from its by {a} and {b} per response",
            at=held[0].note.partition(";")[0].replace("evaluation at ", ""),
            a=numbers.display(held[0]),
            b=numbers.display(held[1]),
        )
    return found(text + ".", "good", evidence=tuple(evidence), grants=("preferred-likelier",))


def both_rise(run: Run, values: Values) -> Finding:
    """E3."""
    finiteness.need_sound(run)
    chosen, rejected = run.get("rewards/chosen"), run.get("rewards/rejected")
    if chosen is None or rejected is None or not conventions.inference_allowed(run):
        raise NotApplicable("both rewards of a run that is large enough for inference are needed (K2)")
    up, too = _interval_of_end(run, chosen), _interval_of_end(run, rejected)
    if not (up and too and up[0] > 0 and too[0] > 0):
        return passed("not both rose beyond doubt")
    text = "Both responses of the training pairs became more likely than under the reference."
    return found(say(text), evidence=("drift.chosen.train.last", "drift.rejected.train.last"))


def entropy(run: Run, values: Values) -> Finding:
    """E6."""
    finiteness.need_sound(run)
    _, logged = reading.finite(run.get("entropy"))
    windows = conventions.windows(run, logged)
    if windows is None or windows.first <= 0:
        raise NotApplicable(f"{2 * conventions.LEAST.of(run):g} rows with a positive entropy are needed")
    fall = windows.fall / windows.first
    if fall <= conventions.SHARPENED.of(run):
        return passed(f"token entropy changed by {-fall:.0%}")
    return found(say("Token entropy fell by {p}: the distribution sharpened.", p=numbers.share(fall)), "caution")


_BEYOND_DOUBT = (conventions.UNITS, *conventions.INFERENCE)

CHECKS = (
    Check(
        "E1",
        "Likelihood displacement",
        displacement,
        needs=(conventions.IMPLICIT,),
        section="discussion",
        order=12,
        source="Razin et al. 2025; Pal et al. 2024",
        forbids="“more likely to produce preferred responses”",
        thresholds=(HELD_OUT, *_BEYOND_DOUBT),
    ),
    Check(
        "E2",
        "Chosen up, rejected down",
        healthy_drift,
        needs=(conventions.IMPLICIT,),
        section="results",
        order=44,
        source="Razin et al. 2025",
        forbids="an extension from training to unseen prompts",
        thresholds=_BEYOND_DOUBT,
    ),
    Check(
        "E3",
        "Both rise",
        both_rise,
        needs=(conventions.IMPLICIT,),
        section="results",
        order=45,
        source="arithmetic",
        forbids="“preference separation” without an interval of the margin",
        thresholds=_BEYOND_DOUBT,
    ),
    Check(
        "E6",
        "Entropy",
        entropy,
        needs=(conventions.IMPLICIT, "entropy"),
        section="discussion",
        order=16,
        source="a convention of ours",
        forbids="“more confident” as “better”",
        thresholds=(conventions.SHARPENED, *conventions.WINDOWS),
    ),
)
