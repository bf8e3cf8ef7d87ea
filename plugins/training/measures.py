"""What per-pair log-probabilities tell, with intervals; numpy and our own statistics only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpo_report.plugins import statistics
from dpo_report.plugins.training.generations import Answer

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """One held-out pair: summed log-probabilities in nats, answer lengths in tokens."""

    row: int
    policy_chosen: float
    policy_rejected: float
    reference_chosen: float
    reference_rejected: float
    chosen_tokens: int
    rejected_tokens: int

    def record(self, beta: float) -> dict[str, Any]:
        """As a line of the per-pair table."""
        return {**asdict(self), "margin": self.margin(beta)}

    def margin(self, beta: float) -> float:
        """β·(Δchosen − Δrejected), Δ the log-ratio of policy to reference."""
        chosen = self.policy_chosen - self.reference_chosen
        return beta * (chosen - (self.policy_rejected - self.reference_rejected))


def values(pairs: Sequence[Scored], beta: float) -> dict[str, Any]:
    """Every number of an evaluation, by name; intervals as ``low`` and ``high`` (95 %)."""
    columns = {name: np.array([getattr(pair, name) for pair in pairs], dtype=np.float64) for name in Scored.__slots__}
    chosen = columns["policy_chosen"] - columns["reference_chosen"]
    rejected = columns["policy_rejected"] - columns["reference_rejected"]
    margin = beta * (chosen - rejected)
    likelier = columns["policy_chosen"] > columns["policy_rejected"]
    before = columns["reference_chosen"] > columns["reference_rejected"]
    per_token = (
        columns["policy_chosen"] / columns["chosen_tokens"] > columns["policy_rejected"] / columns["rejected_tokens"]
    )
    return {
        "accuracy": {**rate(int((margin > 0).sum()), len(pairs)), "ties": int((margin == 0).sum())},
        "loss": mean(np.logaddexp(0.0, -margin)),
        "margin": {**mean(margin), "median": float(np.median(margin))},
        "margin_nats": mean(margin / beta),
        "drift_chosen": mean(chosen),
        "drift_rejected": mean(rejected),
        "drift_chosen_per_token": mean(chosen / columns["chosen_tokens"]),
        "drift_rejected_per_token": mean(rejected / columns["rejected_tokens"]),
        "ranking": rate(int(likelier.sum()), len(pairs)),
        "ranking_per_token": rate(int(per_token.sum()), len(pairs)),
        "ranking_of_reference": rate(int(before.sum()), len(pairs)),
        "length": length_bias(columns["chosen_tokens"] - columns["rejected_tokens"], margin),
    }


def rate(k: int, n: int) -> dict[str, Any]:
    """k of n with Wilson's interval and the exact two-sided p against one half."""
    low, high = statistics.wilson(k, n)
    return {"k": k, "n": n, "value": k / n, "low": low, "high": high, "p": statistics.binomial_two_sided(k, n)}


def mean(values: Floats) -> dict[str, Any]:
    """A mean with its bootstrap interval (none below eight pairs)."""
    found: dict[str, Any] = {"value": float(values.mean()), "n": len(values)}
    interval = statistics.bootstrap_mean_interval(values)
    return found | ({"low": interval[0], "high": interval[1]} if interval else {})


def length_bias(difference: Floats, margin: Floats) -> dict[str, Any]:
    """How often the chosen answer is longer, and the accuracy where it is longer, shorter, and as long."""
    longer, shorter = difference > 0, difference < 0
    unequal = int(longer.sum() + shorter.sum())
    found: dict[str, Any] = {"median_difference": float(np.median(difference)), "same": int((difference == 0).sum())}
    if unequal:
        found["chosen_longer"] = rate(int(longer.sum()), unequal)
    for name, where in (("longer", longer), ("shorter", shorter), ("same", difference == 0)):
        if where.any():
            found[f"accuracy_{name}"] = rate(int((margin[where] > 0).sum()), int(where.sum()))
    if len(margin) > 2 and np.ptp(difference) > 0 and np.ptp(margin) > 0:
        found["spearman"] = float(np.corrcoef(_ranks(difference), _ranks(margin))[0, 1])
    return found


def _ranks(values: Floats) -> Floats:
    """Ranks, ties sharing their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    middle: Floats = ends - (counts - 1) / 2
    return middle[inverse]


def answers(policy: Sequence[Answer], reference: Sequence[Answer]) -> dict[str, Any]:
    """Lengths and repetition of two models' answers to the same prompts."""
    lengths = [np.array([max(answer.tokens, 1) for answer in side], dtype=np.float64) for side in (policy, reference)]
    found: dict[str, Any] = {
        "n": len(policy),
        "length_ratio": float(lengths[0].mean() / lengths[1].mean()),
        "log_length_ratio": mean(np.log(lengths[0] / lengths[1])),
        "same": sum(a.text == b.text for a, b in zip(policy, reference, strict=True)),
    }
    for name, side, length in (("policy", policy, lengths[0]), ("reference", reference, lengths[1])):
        found[name] = {
            "mean_tokens": float(length.mean()),
            "repetition": float(np.mean([answer.repetition for answer in side])),
            "ended": sum(answer.ended for answer in side),
        }
    return found


def extremes(
    pairs: Sequence[Scored], beta: float, texts: Sequence[Mapping[str, str]], count: int = 3
) -> dict[str, Any]:
    """The pairs of which the implicit reward is most sure, those it is least sure of, and its worst mistakes."""
    order = sorted(range(len(pairs)), key=lambda i: -pairs[i].margin(beta))
    unsure = sorted(order, key=lambda i: abs(pairs[i].margin(beta)))

    def shown(places: Sequence[int]) -> list[dict[str, Any]]:
        return [{"row": pairs[i].row, "margin": pairs[i].margin(beta), **texts[i]} for i in places]

    wrong = [i for i in reversed(order) if pairs[i].margin(beta) < 0]
    return {
        "most_certain": shown(order[:count]),
        "least_certain": shown(unsure[:count]),
        "most_wrong": shown(wrong[:count]),
    }
