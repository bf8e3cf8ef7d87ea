"""Answers of a model to prompts of the held-out set: greedy, and drawn with a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SEED, TEMPERATURE = 42, 0.8
GRAM = 4
"""Words in a row whose return counts as repetition."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One generated answer."""

    text: str
    tokens: int
    ended: bool
    """Whether the model ended it, rather than the limit."""

    @property
    def repetition(self) -> float:
        """Share of its four-word runs that occurred before in it."""
        words = self.text.split()
        grams = [tuple(words[i : i + GRAM]) for i in range(len(words) - GRAM + 1)]
        return 1 - len(set(grams)) / len(grams) if grams else 0.0


def generate(model: Any, tokenizer: Any, prompts: Sequence[list[int]], most: int, drawn: bool) -> list[Answer]:
    """An answer to every prompt (token ids, with the mark that an answer follows)."""
    import torch

    answers = []
    if drawn:
        torch.manual_seed(SEED)
    how: dict[str, Any] = {"do_sample": True, "temperature": TEMPERATURE} if drawn else {"do_sample": False}
    for prompt in prompts:
        ids = torch.tensor([prompt], device=model.device)
        room = getattr(model.config.get_text_config(), "max_position_embeddings", None) or len(prompt) + most
        with torch.no_grad():
            out = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=max(1, min(most, room - len(prompt))),
                pad_token_id=tokenizer.pad_token_id,
                **how,
            )[0, len(prompt) :].tolist()
        ended = bool(out) and out[-1] in _ends(model, tokenizer)
        answers.append(Answer(tokenizer.decode(out, skip_special_tokens=True).strip(), len(out) - ended, ended))
    return answers


def _ends(model: Any, tokenizer: Any) -> set[int]:
    told = getattr(model.generation_config, "eos_token_id", None)
    ends = [*(told if isinstance(told, list) else [told]), tokenizer.eos_token_id]
    return {end for end in ends if end is not None}
