"""Cases of rules, and the runs that they start from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import made
from dpo_report.core.model import Run


def noise(n: int) -> NDArray[np.float64]:
    """Standard normal numbers, the same at every call, whatever ran before."""
    return np.random.default_rng(7).standard_normal(n)


FALL = list(0.69 - 0.005 * np.arange(60) + 0.01 * noise(60))
FLAT = list(0.69 + 0.01 * noise(120)[60:])
BASE = {"num_train_epochs": 1.0, "per_device_train_batch_size": 4, "loss_type": "sigmoid", "beta": 0.1, "seed": 1}
FACTS = {"train_pairs": 240, "world_size": 1}


@dataclass(frozen=True)
class Case:
    """A rule, a run that makes it speak, what it says, and a run that keeps it silent."""

    code: str
    speaks: Callable[[], Run]
    words: str
    silent: Callable[[], Run]
    severity: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.code}{'-' if self.name else ''}{self.name}"


def big(**changes: object) -> Run:
    """60 steps with a falling loss, on 240 pairs."""
    given: dict[str, object] = {"settings": BASE, "facts": FACTS, "loss": FALL} | changes
    return made.run(**given)  # type: ignore[arg-type]


def evaluated(losses: list[float], accuracies: list[float] | None = None, rows: int = 200, **changes: object) -> Run:
    """The same with evaluations on held-out pairs, every ten steps."""
    steps = [10 * (i + 1) for i in range(len(losses))]
    runs: dict[str, tuple[list[int], list[float]]] = {
        "loss": (steps, losses),
        "runtime": (steps, [2.0] * len(steps)),
        "samples_per_second": (steps, [rows / 2.0] * len(steps)),
    }
    if accuracies:
        runs["rewards/accuracies"] = (steps, accuracies)
    return big(evaluations=runs, **changes)
