"""Numbers of ``dpo-report evaluate``: held-out pairs scored with the trained model and its reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dpo_report.core.contract import Metric, NotApplicable
from dpo_report.core.model import Better, Run, Value
from dpo_report.plugins.evaluations import Evaluation, evaluations

Row = tuple[str, str, str, str, str, Better]
"""Value name without its tag, key in the file, label, kind, unit, direction."""

ACCURACY: tuple[Row, ...] = (
    ("accuracy", "values.accuracy", "implicit-reward accuracy", "share", "", "higher"),
    (
        "accuracy_longer",
        "values.length.accuracy_longer",
        "accuracy where the chosen is longer",
        "share",
        "",
        "higher",
    ),
    ("accuracy_shorter", "values.length.accuracy_shorter", "accuracy where it is shorter", "share", "", "higher"),
)
RANKING: tuple[Row, ...] = (
    ("ranking", "values.ranking", "pairs whose chosen answer the policy finds likelier", "share", "", "higher"),
    ("ranking_reference", "values.ranking_of_reference", "the same for the reference", "share", "", "higher"),
)
MARGIN: tuple[Row, ...] = (
    ("margin", "values.margin", "reward margin", "number", "", "higher"),
    ("margin_nats", "values.margin_nats", "margin in nats (margin/β)", "number", "nats", "higher"),
    ("loss", "values.loss", "loss", "loss", "", "none"),
)
DRIFT: tuple[Row, ...] = (
    ("drift.chosen", "values.drift_chosen", "chosen answers against the reference", "number", "nats", "none"),
    ("drift.rejected", "values.drift_rejected", "rejected answers against the reference", "number", "nats", "none"),
    ("drift_per_token.chosen", "values.drift_chosen_per_token", "chosen, per token", "number", "nats", "none"),
    ("drift_per_token.rejected", "values.drift_rejected_per_token", "rejected, per token", "number", "nats", "none"),
)  # fmt: skip
LENGTH: tuple[Row, ...] = (
    ("length.chosen_longer", "values.length.chosen_longer", "of unequal length: chosen is longer", "share", "", "none"),
)  # fmt: skip


def _of(rows: tuple[Row, ...]) -> Callable[[Run], Iterator[Value]]:
    """A metric's function: these values of every evaluation."""

    def compute(run: Run) -> Iterator[Value]:
        made = [value for one in evaluations(run) for row in rows if (value := _value(one, row)) is not None]
        if not made:
            raise NotApplicable("the run was not evaluated with dpo-report evaluate")
        yield from made

    return compute


def _value(one: Evaluation, row: Row) -> Value | None:
    name, key, label, kind, unit, better = row
    number = one.number(f"{key}.value")
    if number is None:
        return None
    low, high, n, k = (one.number(f"{key}.{part}") for part in ("low", "high", "n", "k"))
    how = "mean over the pairs; bootstrap interval" if low is not None else "mean over the pairs"
    if k is not None and n is not None:
        how = f"{int(k)} of {int(n)} pairs; Wilson interval"
    return Value(
        f"{name}.{one.tag}",
        number,
        one.sources(f"{key}.value"),
        label=f"{one.word} pairs: {label}",
        unit=unit,
        kind=kind,
        low=low,
        high=high,
        level=0.95 if low is not None else None,
        n=None if n is None else int(n),
        better=better,
        formula=how,
        note=f"{one.text('data.file')}, step {one.count('step') or 0:,}",
    )


def _generations(run: Run) -> Iterator[Value]:
    for one in evaluations(run):
        for how in ("greedy", "drawn"):
            key = f"generations.{how}"
            ratio, n = one.number(f"{key}.length_ratio"), one.count(f"{key}.n")
            if ratio is None:
                continue
            note = f"{how}, {n} prompts"
            yield Value(f"generations.{how}.length_ratio.{one.tag}", ratio, one.sources(f"{key}.length_ratio"),
                        label=f"length of answers against the reference's, {how}", kind="number", n=n, note=note,
                        formula="mean tokens of the policy's answers / mean tokens of the reference's")  # fmt: skip
            for side in ("policy", "reference"):
                again = one.number(f"{key}.{side}.repetition")
                if again is not None:
                    yield Value(f"generations.{how}.repetition.{side}.{one.tag}", again,
                                one.sources(f"{key}.{side}.repetition"), label=f"repeated word runs, {side}, {how}",
                                kind="share", n=n, note=note, formula="mean share over the answers")  # fmt: skip


_TOOL = "dpo-report evaluate"

METRICS = (
    Metric("accuracy.test", "implicit-reward accuracy on held-out pairs", _of(ACCURACY), better="higher",
           meaning="Share of held-out pairs whose chosen answer has the strictly larger implicit reward "
           "β·(log π − log π_ref), each scored with the trained model and the one that it started from.",
           paper="On held-out pairs the implicit reward ranked {value} correctly; give n and the interval.",
           context="Relative to the reference: neither the share of pairs that the policy itself finds likelier nor a "
           "win rate. It speaks for pairs of the same kind only.",
           compare="Chance, 0.5, by the interval; ranking.test, the policy's own likelihood.", source=_TOOL),
    Metric("ranking.test", "ranking by the policy's own likelihood", _of(RANKING), better="higher",
           meaning="Share of held-out pairs whose chosen answer has the larger log-probability under the policy.",
           paper="The policy itself found the preferred answer likelier in {value} of the pairs.",
           context="Summed over tokens, so shorter answers are favoured. Most tuned models stay below 60 %.",
           compare="The reference's ranking of the same pairs.", source="Chen et al. 2024"),
    Metric("margin.test", "implicit-reward margin on held-out pairs", _of(MARGIN), better="higher",
           meaning="Mean of β·(Δchosen − Δrejected) over held-out pairs, Δ the log-ratio of policy to reference.",
           paper="The held-out margin was {value}; give the interval.",
           context="It scales with β and with length.", compare="In nats (margin/β) with other runs.", source=_TOOL),
    Metric("drift.chosen.test", "drift of held-out answers", _of(DRIFT),
           meaning="By how many nats held-out answers became more (or less) likely than under the reference.",
           paper="Chosen answers moved by {value} per answer relative to the reference.",
           context="Negative while the margin grows: preferred answers became less likely too (displacement).",
           compare="Zero, the reference.", source=_TOOL),
    Metric("length.chosen_longer.test", "length of chosen answers", _of(LENGTH),
           meaning="Share of pairs, those of equal length left out, whose chosen answer has more tokens.",
           paper="In {value} of the pairs of unequal length the preferred answer was the longer one.",
           context="Summed log-probabilities make DPO prone to exploit length.",
           compare="One half.", source="Park et al. 2024"),
    Metric("generations.greedy.length_ratio.test", "length and repetition of generated answers", _generations,
           meaning="Mean length of the trained model's answers to held-out prompts over that of the reference's, and "
           "the share of their four-word runs that occurred before in the same answer.",
           paper="Answers became {value} times as long.",
           context="A few prompts; answers cut at the longest length allowed count as that long.",
           compare="One.", source=_TOOL),
)  # fmt: skip
