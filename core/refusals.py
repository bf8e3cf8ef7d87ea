"""Why a path gives no run, and what to do: nothing there tells of one, or there are several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from dpo_report.core.errors import ReportError
from dpo_report.core.folder import Folder
from dpo_report.core.model import Problem, RunStatus
from dpo_report.core.unreached import without_password

if TYPE_CHECKING:
    from dpo_report.core.manager import Host

Candidate = tuple[str, RunStatus, int | None]
"""A run's path from a parent, how it ended, and its last step."""
_WHOLE: tuple[RunStatus, ...] = ("completed", "incomplete", "running", "unknown", "diverged", "no-metrics")
"""How a run ended, the best example first."""


def offer(parent: Path | str, runs: Iterable[Candidate]) -> str:
    """What to do with a folder of several runs: an example of one that has a path and is as whole as any, or all."""
    shown = without_password(parent).removesuffix("/") or "/"
    ranked = [(step is None, _WHOLE.index(status), path) for path, status, step in runs if path != "."]
    each = f"report each: dpo-report build {quote(shown)} --all -o DIR"
    if not ranked:
        return each
    chosen = min(ranked, key=lambda one: one[:2])[2]
    example = quote(chosen if shown == "." else f"{shown.removesuffix('/')}/{chosen}")
    return f"choose one by its path, for example {example}, or {each}"


def damage(folder: Folder, host: Host) -> list[Problem]:
    """Why a folder that no reader knows may tell nothing: files in it that are broken."""
    told: list[Problem] = []
    for provided in host.readers:
        if provided.item.damaged is not None:
            found = host.guard(provided, provided.item.damaged, folder)
            told += [found] if isinstance(found, Problem) else found
    return told


def nothing(path: Path | str, folder: Folder, problems: Sequence[Problem]) -> ReportError:
    """Why there is nothing to report, in one line."""
    path = without_password(path)
    hint = "give the output directory of a training run"
    failed = next((problem for problem in problems if problem.where.startswith("plugin")), None)
    if failed:
        return ReportError(f"{path} cannot be read: {failed.where}: {failed.message}", failed.hint)
    if folder.only is not None and problems and problems[0].where == folder.only:
        return ReportError(f"{path} {problems[0].message}", problems[0].hint or hint)
    if folder.only is not None:
        packed = folder.only.lower().endswith((".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z"))
        unpack = "unpack it and give the folder"
        return ReportError(f"{path} is no training log that a reader knows", unpack if packed else hint)
    if problems:
        seen = f"{problems[0].where}: {problems[0].message}"
        return ReportError(f"nothing in {path} tells of a training run ({seen})", problems[0].hint or hint)
    if not folder.entries:
        return ReportError(f"{path} is empty", hint)
    seen = ", ".join(entry.path for entry in folder.entries[:3]) + (", ..." if len(folder.entries) > 3 else "")
    return ReportError(f"nothing in {path} tells of a training run (it holds {seen})", hint)
