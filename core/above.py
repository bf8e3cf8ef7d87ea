"""A checkpoint folder given on its own: what the folder above tells of the same run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dpo_report.core.errors import ReportError
from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Run, Setting, Source

if TYPE_CHECKING:
    from dpo_report.core.manager import Host

CHECKPOINT = re.compile(r"^checkpoint[-_](\d{1,18})$")

Load = Callable[[Folder, Path, "Host"], list[Run]]


def with_folder_above(run: Run, path: Path, host: Host, load: Load) -> Run:
    """A checkpoint's run with the settings, versions and facts that only the folder above tells.

    The rows stay the checkpoint's own. Of the folder above only its own files are looked at, and the checkpoint.
    """
    path = path.resolve()
    folder, newest = _above(path)
    step = int(CHECKPOINT.match(path.name).group(1))  # type: ignore[union-attr]
    problems = list(run.problems)
    if newest > step:
        said = f"this checkpoint is from step {step:,}; the folder above holds one from step {newest:,}"
        problems.append(Problem(".", said, "give that folder to report the whole run"))
    try:
        above = load(folder, path.parent, host)
    except ReportError:
        return replace(run, problems=tuple(problems))
    whole = next((other for other in above if _owns(other, path.name)), None)
    if whole is None:
        return replace(run, problems=tuple(problems))
    settings = {name: _told_above(setting, path.name) for name, setting in whole.settings.items()}
    return replace(
        run,
        trainer=run.trainer or whole.trainer,
        method=run.method or whole.method,
        method_why=run.method_why if run.method else whole.method_why,
        method_sure=run.method_sure if run.method else whole.method_sure,
        versions={**whole.versions, **run.versions},
        settings=settings | dict(run.settings),
        facts=dict(run.facts) or {name: _told_above(fact, path.name) for name, fact in whole.facts.items()},
        answers=run.answers or whole.answers,
        problems=tuple(problems),
    )


def _above(path: Path) -> tuple[Folder, int]:
    """The folder above with only its own files and the checkpoint, and the highest checkpoint beside it."""
    parent, newest = path.parent, -1
    entries = [Entry(f"{path.name}/{entry.path}", entry.size) for entry in Folder.open(path).entries]
    try:
        with os.scandir(parent) as listing:
            for item in listing:
                match = CHECKPOINT.match(item.name)
                if item.is_file(follow_symlinks=False):
                    entries.append(Entry(item.name, item.stat(follow_symlinks=False).st_size))
                elif match and item.is_dir(follow_symlinks=False):
                    newest = max(newest, int(match.group(1)))
    except OSError:
        pass
    return Folder(parent, None, tuple(sorted(entries, key=lambda entry: entry.path))), newest


def _owns(run: Run, checkpoint: str) -> bool:
    """Whether a run was read from that checkpoint."""
    return any(file.startswith(f"{checkpoint}/") for witness in run.witnesses for file in witness.files)


def _told_above(setting: Setting, checkpoint: str) -> Setting:
    """A setting with its source seen from within the checkpoint folder."""
    file = setting.source.file
    inside = file.removeprefix(f"{checkpoint}/")
    return replace(setting, source=Source(inside if inside != file else f"../{file}", setting.source.where))
