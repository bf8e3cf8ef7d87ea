"""Hand-made runs for tests of rules: what a reader would give, without files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dpo_report.core.analysis import analyse
from dpo_report.core.manager import default_host
from dpo_report.core.model import Analysis, Datum, Finding, Run, Series, Setting, Source, Witness

STATE = "trainer_state.json"
NEW = {"trl": "1.16.0", "transformers": "5.23.0", "torch": "2.13.0"}
OLD = {"trl": "0.9.6", "transformers": "4.42.4", "torch": "2.13.0"}


def series(name: str, values: Iterable[float], split: str = "train", every: float = 1, steps: Any = None) -> Series:
    """A series logged every ``every`` steps, or at ``steps``."""
    data = np.asarray(list(values), dtype=np.float64)
    at = np.asarray(steps if steps is not None else every * np.arange(1, len(data) + 1), dtype=np.float64)
    prefix = "" if split == "train" else split.replace(":", "_") + "_"
    return Series(name, split, at, data, (Source(STATE, f"log_history[{{row}}].{prefix}{name}"),), np.arange(len(data)))


def run(
    *,
    method: str | None = "dpo",
    status: Any = "completed",
    steps: int | None = None,
    max_steps: int | None = None,
    epoch: float | None = None,
    versions: Mapping[str, str] = NEW,
    settings: Mapping[str, Any] | None = None,
    summary: Mapping[str, float | str] | None = None,
    answers: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
    rows: Iterable[Series] = (),
    every: float = 1,
    evaluations: Mapping[str, tuple[Iterable[float], Iterable[float]]] | None = None,
    **train: Iterable[float],
) -> Run:
    """A run; training series by keyword (``loss=[...]``, ``rewards__margins=[...]``), logged every ``every`` steps.

    ``evaluations`` maps a key to (steps, values) of the split ``eval``.
    """
    curves = [series(name.replace("__", "/"), values, every=every) for name, values in train.items()]
    curves += [series(name, values, "eval", steps=list(at)) for name, (at, values) in (evaluations or {}).items()]
    curves += list(rows)
    last = max((int(c.steps[-1]) for c in curves if len(c)), default=None)
    done = steps if steps is not None else last
    args = Source("training_args.bin", "")

    def setting(name: str, value: Any) -> Setting:
        return Setting(name, value, Source(args.file, name))

    witness = Witness("hf_trainer", ".", (STATE,), global_step=done, series=tuple(curves), status=status)
    return Run(
        directory=Path("run"),
        name="run",
        reader="hf_trainer",
        trainer="trl.DPOTrainer" if method == "dpo" else None,
        method=method,
        method_why="made for a test",
        status=status,
        global_step=done,
        max_steps=max_steps if max_steps is not None else done,
        epoch=epoch,
        versions=dict(versions),
        settings={name: setting(name, value) for name, value in (settings or {}).items()},
        summary={
            name: Datum(value if isinstance(value, str) else float(value), Source(STATE, f"log_history[-1].{name}"))
            for name, value in (summary or {}).items()
        },
        series={(c.name, c.split): c for c in curves},
        files=(),
        facts={name: setting(name, value) for name, value in (facts or {}).items()},
        answers=dict(answers or {}),
        problems=(),
        witnesses=(witness,),
    )


def analysis(made: Run) -> Analysis:
    """All that the built-in plugins say about it; a failing check fails the test."""
    result = analyse(made, default_host())
    failed = [f"{f.code}: {f.text}" for f in result.findings if f.status == "failed"]
    assert not failed, failed
    return result


def finding(made: Run, code: str) -> Finding:
    """What one rule says."""
    return next(f for f in analysis(made).findings if f.code == code)


def says(made: Run, code: str) -> str:
    """The sentence that a rule prints; empty where it prints none."""
    one = finding(made, code)
    return str(one.text) if one.status == "found" else ""


FIRST_USER = {
    "num_train_epochs": 2.0,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 4,
    "learning_rate": 5e-6,
    "loss_type": "sigmoid",
    "beta": 0.1,
    "logging_steps": 10,
    "warmup_steps": 0,
    "seed": 42,
}
"""The settings of the first user's run."""

FIRST_SUMMARY = {
    "train_runtime": 19.619,
    "train_samples_per_second": 0.816,
    "train_steps_per_second": 0.204,
    "train_loss": 0.4595,
    "epoch": 2.0,
}
"""Its five numbers."""


def first_user(**changes: Any) -> Run:
    """The first user's run: no log rows at all, five numbers in the end."""
    given: dict[str, Any] = {"settings": FIRST_USER, "summary": FIRST_SUMMARY, "steps": 4, "epoch": 2.0, **changes}
    return run(**given)
