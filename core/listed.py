"""One run of a list, as little of it as tells it from the others; copies and resumed runs among them are marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import file_digest
from pathlib import Path
from typing import Any

from dpo_report.core.continued import Span, continued, span
from dpo_report.core.folder import natural
from dpo_report.core.loader import place_of
from dpo_report.core.merge import merge
from dpo_report.core.model import Run, RunStatus, Witness


@dataclass(frozen=True, slots=True)
class Listed:
    """A run in a list."""

    path: str
    """Relative to the parent, with the identity of one of several runs in a folder as its last part."""
    method: str | None = None
    status: RunStatus = "unknown"
    step: int | None = None
    planned: int | None = None
    loss: float | None = None
    """The last training loss."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Plain values by name."""
    file: str = ""
    """The file that told most, relative to the parent."""
    failed: str = ""
    """Why the run could not be read."""
    copy_of: str = ""
    """The path of the run that this one repeats byte by byte."""
    span: Span | None = None
    """Which steps it logged, where it was read whole."""
    glanced: bool = False
    """Whether only one of its logs was looked at, and others may tell more."""
    goes_on_with: str = ""
    """The path of the run that this one seems to be the resumed part of."""
    name: str = ""
    """How the run calls itself."""


def of_witness(witness: Witness, root: Path) -> Listed:
    """A run as one witness alone tells it."""
    return of_run(merge([witness], root / witness.folder, ""), root)


def of_run(run: Run, root: Path) -> Listed:
    """A run that was read."""
    home, first = run.directory, run.witnesses[0]
    inner = home.relative_to(root).as_posix() if home.is_relative_to(root) else "."
    loss = run.get("loss")
    return Listed(
        place_of(run, root),
        run.method,
        run.status,
        run.global_step,
        run.max_steps,
        float(loss.values[-1]) if loss is not None and len(loss) else None,
        {name: setting.value for name, setting in run.settings.items()},
        (Path(inner) / first.files[0]).as_posix() if first.files else "",
        span=span(run),
        name=next((witness.name for witness in run.witnesses if witness.name), ""),
    )


def marked(root: Path, listed: Iterable[Listed]) -> tuple[Listed, ...]:
    """The runs in natural order, copies told (the same file, byte by byte, with the same outcome) and resumed runs."""
    ordered = sorted(listed, key=lambda one: natural(one.path))
    twins: dict[tuple[Any, ...], list[Listed]] = {}
    for one in ordered:
        key = (one.file.rpartition("/")[2], one.step, one.planned, str(one.loss), one.status)
        if one.file and one.step is not None:
            twins.setdefault(key, []).append(one)
    copies: dict[str, str] = {}
    for group in twins.values():
        if len(group) > 1:
            copies |= _copies(root, group)
    before = continued({one.path: one.span for one in ordered if one.span and one.path not in copies})
    return tuple(
        replace(one, copy_of=copies.get(one.path, ""), goes_on_with=before.get(one.path, "")) for one in ordered
    )


def _copies(root: Path, group: Sequence[Listed]) -> dict[str, str]:
    """Runs whose file equals that of another one; of both the one whose path says ``latest`` is the copy."""
    first: dict[bytes, Listed] = {}
    found: dict[str, str] = {}
    if len({one.file for one in group}) == 1:
        return found
    for one in sorted(group, key=lambda one: "latest" in one.path):
        try:
            with (root / one.file).open("rb") as stream:
                owner = first.setdefault(file_digest(stream, "blake2b").digest(), one)
        except OSError:
            continue
        if owner.file != one.file:  # several runs of one file are no copies of each other
            found[one.path] = owner.path
    return found
