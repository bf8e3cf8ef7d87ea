"""Tokens of the pairs: what a micro-batch will need, and what a report tells of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dpo_report.plugins.training.pairs import Pair, Pairs

SAMPLE = 512
"""Pairs whose tokens decide the micro-batch and whose answers are compared."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of a set of pairs, as the trainer has them before it cuts."""

    prompt: list[int]
    chosen: list[int]
    rejected: list[int]

    @property
    def longest(self) -> list[int]:
        """Tokens of the longer sequence of each pair."""
        return [p + max(c, r) for p, c, r in zip(self.prompt, self.chosen, self.rejected, strict=True)]

    def told(self) -> dict[str, Any]:
        """Medians and maxima, and how many chosen answers are the longer ones."""
        from statistics import median

        found: dict[str, Any] = {}
        for name in ("prompt", "chosen", "rejected"):
            values = getattr(self, name)
            found |= {f"{name}_tokens_median": median(values), f"{name}_tokens_max": max(values)}
        found["chosen_longer"] = sum(c > r for c, r in zip(self.chosen, self.rejected, strict=True))
        found["same_length"] = sum(c == r for c, r in zip(self.chosen, self.rejected, strict=True))
        return found

    def kept(self, limit: int | None) -> dict[str, float]:
        """Facts for the rules H6 and E4: the share of sequences that ``limit`` cuts, and the mean tokens of a
        preferred answer that are left of it."""
        ends = [p + answer for p, *both in zip(self.prompt, self.chosen, self.rejected, strict=True) for answer in both]
        cut = sum(end > limit for end in ends) if limit else 0
        left = [
            min(c, max(limit - p, 0)) if limit else c for p, c in zip(self.prompt, self.chosen, strict=True)
        ]  # trl cuts the end off
        return {"truncated_share": round(cut / len(ends), 4), "mean_completion_tokens": round(sum(left) / len(left), 2)}


def lengths(dataset: Any) -> Lengths:
    """Of a data set that trl has tokenised."""
    return Lengths(*([len(ids) for ids in dataset[name]] for name in ("prompt_ids", "chosen_ids", "rejected_ids")))


def edit_distance(one: Sequence[int], other: Sequence[int]) -> int:
    """Levenshtein distance of two lists of tokens: insertions, deletions and substitutions, each counted once."""
    import numpy as np

    places, second = np.arange(len(other) + 1), np.asarray(other)
    row = places.copy()
    for count, token in enumerate(one, 1):
        best = np.minimum(row + 1, np.concatenate(([count], row[:-1] + (second != token))))
        row = np.minimum.accumulate(best - places) + places  # insertions: each place from any before it
    return int(row[-1])


def median_edit_distance(dataset: Any) -> float:
    """Rule E5: edit distance of the two answers over the longer one's tokens, median of up to twice SAMPLE pairs."""
    from statistics import median

    some = dataset.select(range(0, len(dataset), max(1, len(dataset) // SAMPLE)))
    pairs = zip(some["chosen_ids"], some["rejected_ids"], strict=True)
    return round(median(edit_distance(c, r) / max(len(c), len(r), 1) for c, r in pairs), 4)


def measured(tokenizer: Any, side: Pairs, share: bool, limit: int | None) -> list[tuple[int, int]]:
    """Positions and scored tokens of a sample of pairs, as they will be computed."""
    found = []
    stride = max(1, len(side.pairs) // SAMPLE)
    longest = sorted(side.pairs, key=lambda pair: -len(str(pair.columns())))[:8]
    for pair in [*side.pairs[::stride], *longest]:
        prompt, chosen, rejected = (ids[:limit] for ids in tokens(tokenizer, pair))
        common = next((i for i, (a, b) in enumerate(zip(chosen, rejected, strict=False)) if a != b), len(prompt))
        scored = len(chosen) + len(rejected) - 2 * len(prompt)
        both = len(chosen) + len(rejected)
        found.append((both - common if share else both, max(scored, 2)))
    return found


def tokens(tokenizer: Any, pair: Pair) -> tuple[list[int], list[int], list[int]]:
    """Token ids of the prompt, and of the prompt with either answer, as trl makes them."""
    if isinstance(pair.prompt, str):
        end = tokenizer.eos_token or ""
        texts = [
            pair.prompt,
            *(pair.prompt + (a if a.endswith(end) else a + end) for a in (pair.chosen, pair.rejected)),
        ]
        one, two, three = (tokenizer(text)["input_ids"] for text in texts)
        return one, two, three
    make = tokenizer.apply_chat_template
    prompt = make(pair.prompt, add_generation_prompt=True, tokenize=True, return_dict=True)["input_ids"]
    both = [make(pair.prompt + a, tokenize=True, return_dict=True)["input_ids"] for a in (pair.chosen, pair.rejected)]
    return prompt, both[0], both[1]
