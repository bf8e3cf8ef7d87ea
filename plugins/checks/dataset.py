"""What the pairs and the batch are like: drift per token, edit distance, truncation, batch averages, provenance."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Threshold, Values, found, passed
from dpo_report.core.model import Finding, Run, Severity
from dpo_report.core.text import Ask, Slot, Text, join, say
from dpo_report.plugins import reading
from dpo_report.plugins.checks.methods import KTO_BATCH
from dpo_report.plugins.evaluations import evaluations

FAST_DRIFT = Threshold("E4.drift", 1.0, "drift from the reference beyond which it is a caution", "nats per token")
ALIKE = Threshold("E5.distance", 0.2, "median edit distance below which the answers of a pair hardly differ", high=1)
CUT = Threshold("H6.share", 0.05, "share of cut sequences above which it is a caution", high=1)
SMALL_BATCH = Threshold("H4.rows", 8, "rows in an update below which its gradient is told to be noisy")


def drift_per_token(run: Run, values: Values) -> Finding:
    """E4: as `dpo-report evaluate` measured it, else the logged drift over [facts] mean_completion_tokens."""
    told = [(value.name, float(value.value)) for name, value in values.items()
            if name.startswith("drift_per_token.chosen.")]  # fmt: skip
    length = reading.numeric(reading.fact(run, "mean_completion_tokens"))
    logged = values.get("drift.chosen.train.last")
    if not told and length is not None and length > 0 and logged is not None:
        told = [(logged.name, float(logged.value) / length)]
    if not told:
        raise NotApplicable("the length of the answers is not known (evaluate, or [facts] mean_completion_tokens)")
    name, drift = max(told, key=lambda one: abs(one[1]))
    text = say("Preferred responses moved {d} nats per token from the reference.", d=numbers.number(drift))
    if abs(drift) <= FAST_DRIFT.of(run):
        return passed(f"{numbers.number(drift)} nats per token", evidence=(name,))
    return found(text, "caution", evidence=(name,))


def alike(run: Run, values: Values) -> Finding:
    """E5: from [facts] median_edit_distance, the edit distance of chosen and rejected over the longer one's length."""
    distance = _share(run, "median_edit_distance", "how far the two answers of a pair differ is not told")
    if distance >= ALIKE.of(run):
        return passed(f"the median edit distance of the two answers is {numbers.fixed(distance, 2)}")
    text = "The two answers of a pair differ little (median normalised edit distance {d}); with such pairs the "
    text += "preferred answer easily becomes less likely as well [@pal2024smaug]."
    return found(say(text, d=numbers.fixed(distance, 2)), "caution")


def cut(run: Run, values: Values) -> Finding:
    """H6: from [facts] truncated_share of the training rows, and from what `dpo-report evaluate` had to cut."""
    texts: list[Text] = []
    seen = []
    limit = reading.whole(reading.setting(run, "max_length", "max_seq_length"))
    most = f" at {numbers.plural(limit, 'token')}" if limit else ""
    if reading.fact(run, "truncated_share") is not None:
        share = _share(run, "truncated_share", "")
        seen.append(f"{numbers.share(share)} of the training sequences were cut")
        if share > CUT.of(run):
            text = "{p} of the training sequences were cut{most}, so that part of what was preferred was not seen."
            texts.append(say(text, p=numbers.share(share), most=most))
    for one in evaluations(run):
        short, n = one.count("data.cut"), one.count("pairs")
        if short is None or not n:
            continue
        seen.append(f"{short} of {n} held-out pairs were cut")
        if short / n > CUT.of(run):
            texts.append(say("{k} of the {n} {word} pairs were cut to fit.", k=short, n=n, word=one.word))
    if not seen:
        raise NotApplicable("the lengths of the sequences are not told ([facts] truncated_share)")
    return found(join(texts), "caution") if texts else passed("; ".join(seen))


def _share(run: Run, name: str, absent: str) -> float:
    """A told share.

    Raises:
        NotApplicable: it is not told, or lies outside 0 to 1.
    """
    told = reading.fact(run, name)
    if told is None:
        raise NotApplicable(absent + f" ([facts] {name})")
    share = reading.numeric(told)
    if share is None or not 0 <= share <= 1:
        raise NotApplicable(f"[facts] {name} is {told!s:.40}, which is no share between 0 and 1")
    return share


def batch_size(run: Run, values: Values) -> Finding:
    """H4."""
    device, word = reading.per_device_batch(run), reading.batch_word(run)
    if run.method == "kto" and device is not None and device < KTO_BATCH.of(run):
        return passed(f"{numbers.plural(device, word)} per device: said with KTO's numbers (L1)")
    size = int(float(values["batch.effective"].value))
    if size >= SMALL_BATCH.of(run):
        return passed(f"{numbers.plural(size, word)} in every update")
    what = f"one {word}" if size == 1 else f"{numbers.plural(size, word)} only"
    text = say("Every update rests on {what}, so gradients are noisy.", what=what)
    return found(text, evidence=("batch.effective",))


def batch_averaged(run: Run, values: Values) -> Finding:
    """F8: TRL averages the held-out rewards of batches, whatever their size."""
    size, devices = reading.whole(reading.setting(run, "per_device_eval_batch_size")), reading.devices(run)
    rows = reading.whole(reading.fact(run, "eval_pairs"))
    if rows is None and (band := reading.implied_eval_rows(run)) is not None:
        rows = band.value
    if not size or not devices or not rows:
        raise NotApplicable("the number of held-out rows or the batch of the evaluation is not known")
    if rows % (size * devices) == 0:
        return passed(f"{rows:,} held-out rows fill every batch of {size * devices:,}")
    text = "Held-out rewards and accuracies are batch-averaged: the last of the batches of {b} held {k} of the {n} "
    text += "rows and weighs as much as a full one."
    return found(say(text, b=size * devices, k=rows % (size * devices), n=rows))


def provenance(run: Run, values: Values) -> Finding:
    """K7: from the answers to data-source and preferences; what is missing is asked for."""
    paired = run.method in reading.PAIRED | {"kto", "online_dpo"}
    source: Slot = _told(run, "data-source", "data_source", "dataset_name") or Ask(
        "data-source", "origin, licence and language of the training data"
    )
    text = say("The training data: {source}", source=source)
    chosen: Slot = "-"
    if paired:
        chosen = _told(run, "preferences") or Ask("preferences", "who or what preferred one answer, and by which rules")
        text += say("; the preferences: {chosen}", chosen=chosen)
    severity: Severity = "caution" if isinstance(source, Ask) or isinstance(chosen, Ask) else "info"
    return found(text + ".", severity)


def _told(run: Run, question: str, *names: str) -> str:
    """An answer, or the setting or fact that gives it; without its full stop."""
    told = run.answers.get(question) or reading.fact(run, *names) or reading.setting(run, *names)
    return " ".join(str(told).split()).rstrip(".") if told else ""


CHECKS = (
    Check("E4", "Drift per token", drift_per_token, needs=("method:dpo,kto,online_dpo",), section="discussion",
          order=16, source="arithmetic; the threshold is a convention", forbids="total drifts compared across lengths",
          thresholds=(FAST_DRIFT,)),
    Check("E5", "Pairs that differ little", alike, needs=("method:dpo,cpo,orpo,simpo",), section="discussion", order=17,
          source="Pal et al. 2024; the threshold is a convention", forbids="displacement explained by the loss alone",
          thresholds=(ALIKE,)),
    Check("F8", "Batch-averaged evaluation", batch_averaged, needs=("eval:rewards/accuracies",), section="limitations",
          order=13, source="DPOTrainer.log: means over forward calls", forbids="counts k of n made from its averages"),
    Check("H4", "Size of an update", batch_size, needs=("value:batch.effective",), section="limitations", order=3.8,
          source="TRL KTO documentation; the other boundary is a convention", thresholds=(SMALL_BATCH, KTO_BATCH)),
    Check("H6", "Cut sequences", cut, section="limitations", order=4.5,
          source="TRL's tokenisation; the threshold is a convention", forbids="answers said to have been seen whole",
          thresholds=(CUT,)),
    Check("K7", "Data statement", provenance, section="methodology", order=12,
          source="Gebru et al. 2021; Mitchell et al. 2019", forbids="provenance omitted"),
)  # fmt: skip
