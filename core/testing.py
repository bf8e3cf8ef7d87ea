"""For the tests of plugins: hosts that hold what they are given and nothing that is installed, and hand-made runs.

Authors of plugins import this as :mod:`dpo_report.testing`, which adds pytest fixtures.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dpo_report.core.analysis import analyse
from dpo_report.core.build import build_runs
from dpo_report.core.manager import Host
from dpo_report.core.model import (
    Analysis,
    Datum,
    Finding,
    Problem,
    Run,
    RunStatus,
    Series,
    Setting,
    Source,
    Value,
    Witness,
)

STATE = "trainer_state.json"
ARGUMENTS = "training_args.bin"
VERSIONS = {"trl": "1.16.0", "transformers": "5.23.0", "torch": "2.13.0"}


def host_of(*plugins: object, builtin: bool = True) -> Host:
    """A host with these plugins (modules, classes or objects) and, unless told otherwise, the built-in ones.

    Raises:
        AssertionError: one of them declares something that is not well made.
    """
    host = Host(discover=False, extra=plugins, modules=None if builtin else ())
    assert not host.problems, "\n".join(f"{p.where}: {p.message} ({p.hint})" for p in host.problems)
    return host


def made_series(
    name: str, values: Iterable[float], split: str = "train", every: float = 1, steps: Iterable[float] | None = None
) -> Series:
    """A series logged every ``every`` steps, or at ``steps``."""
    data = np.asarray(list(values), dtype=np.float64)
    at = np.asarray(list(steps) if steps is not None else every * np.arange(1, len(data) + 1), dtype=np.float64)
    prefix = "" if split == "train" else split.replace(":", "_") + "_"
    return Series(name, split, at, data, (Source(STATE, f"log_history[{{row}}].{prefix}{name}"),), np.arange(len(data)))


def made_run(
    *,
    method: str | None = "dpo",
    status: RunStatus = "completed",
    steps: int | None = None,
    max_steps: int | None = None,
    epoch: float | None = None,
    versions: Mapping[str, str] = VERSIONS,
    settings: Mapping[str, Any] | None = None,
    summary: Mapping[str, float | str] | None = None,
    answers: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
    problems: Iterable[Problem] = (),
    rows: Iterable[Series] = (),
    every: float = 1,
    evaluations: Mapping[str, tuple[Iterable[float], Iterable[float]]] | None = None,
    **train: Iterable[float],
) -> Run:
    """A run as a reader would give it, without files.

    Training series come by keyword (``loss=[...]``, ``rewards__margins=[...]`` for ``rewards/margins``), logged every
    ``every`` steps; ``rows`` are further series, and ``evaluations`` maps a key to (steps, values) of the split
    ``eval``. The other arguments are those of :class:`~dpo_report.core.model.Run`; what is not given of the steps
    follows from the series.
    """
    curves = [made_series(name.replace("__", "/"), values, every=every) for name, values in train.items()]
    curves += [made_series(name, values, "eval", steps=at) for name, (at, values) in (evaluations or {}).items()]
    curves += list(rows)
    last = max((int(c.steps[-1]) for c in curves if len(c)), default=None)
    done = steps if steps is not None else last

    def told(given: Mapping[str, Any] | None) -> dict[str, Setting]:
        return {name: Setting(name, value, Source(ARGUMENTS, name)) for name, value in (given or {}).items()}

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
        settings=told(settings),
        summary={
            name: Datum(value if isinstance(value, str) else float(value), Source(STATE, f"log_history[-1].{name}"))
            for name, value in (summary or {}).items()
        },
        series={(c.name, c.split): c for c in curves},
        files=(),
        facts=told(facts),
        answers=dict(answers or {}),
        problems=tuple(problems),
        witnesses=(Witness("hf_trainer", ".", (STATE,), global_step=done, series=tuple(curves), status=status),),
    )


def analysed(run: Run, *plugins: object) -> Analysis:
    """All that the built-in plugins and these say about a run.

    Raises:
        AssertionError: a plugin is not well made, or something of it failed on this run.
    """
    analysis = analyse(run, host_of(*plugins))
    failed = [f"{p.where}: {p.message}" for p in analysis.problems if p not in run.problems]
    assert not failed, "\n".join(failed)
    return analysis


def value(run: Run, name: str, *plugins: object) -> Value:
    """One value; a KeyError where no metric gives it for this run."""
    return analysed(run, *plugins).values[name]


def finding(run: Run, code: str, *plugins: object) -> Finding:
    """What one rule says."""
    return next(f for f in analysed(run, *plugins).findings if f.code == code)


def sentence(run: Run, code: str, *plugins: object) -> str:
    """The sentence that a rule prints; empty where it prints none."""
    said = finding(run, code, *plugins)
    return str(said.text) if said.status == "found" else ""


def report_files(path: Path | str, format: str, *plugins: object) -> dict[str, bytes]:  # noqa: A002 - as on the command line
    """The files of a report on a run directory, by path, made in a folder that is gone again."""
    with tempfile.TemporaryDirectory() as folder:
        (report,) = build_runs(path, format, Path(folder) / "report", host_of(*plugins))
        return {file.relative_to(report.directory).as_posix(): file.read_bytes() for file in report.files}
