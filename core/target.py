"""Folders of files written all or none: a temporary folder beside each target, then renames."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from dpo_report.core.errors import ReportError
from dpo_report.core.folder import TEMPORARY, is_own_report

Files = Mapping[str, bytes]
"""Content by path relative to the target folder."""


def check(target: Path) -> None:
    """Whether a folder may be written: absent, empty, or a report of ours.

    Raises:
        ReportError: it is anything else; nothing of it is touched.
    """
    elsewhere = "give another folder with -o, or move it away"
    if target.is_symlink():
        raise ReportError(f"{target} is a link; a report is only written into a real folder", elsewhere)
    if not target.exists():
        return
    if not target.is_dir():
        raise ReportError(f"{target} is a file; a report is a folder", elsewhere)
    try:
        with os.scandir(target) as listing:
            items = list(listing)
    except OSError as error:
        raise ReportError(f"cannot read {target}: {error.strerror}", elsewhere) from None
    if items and not is_own_report(items):
        raise ReportError(f"{target} holds files that are not a report of dpo-report; nothing was written", elsewhere)


def content(path: Path) -> bytes | None:
    """What stands in a file of a run that may be written anew; None where there is none.

    Raises:
        ReportError: it is no plain file, or cannot be read.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ReportError(f"{path} is no plain file; nothing was written", "leave out --in-place")
    try:
        return path.read_bytes() if path.exists() else None
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}; nothing was written") from None


def write(targets: Mapping[Path, Files], own: Mapping[Path, bytes] | None = None) -> None:
    """Write every folder or none: an old report stands until all new ones are complete.

    ``own`` are single files of the runs themselves, put in their places last.

    Raises:
        ReportError: a target is not ours to replace, or the disk refuses.
    """
    for target in targets:
        check(target)
    with _undone_on_failure() as undo:
        try:
            staged = {target: _stage(target, files, undo) for target, files in targets.items()}
            singles = {path: _stage_file(path, content, undo) for path, content in (own or {}).items()}
            old = [_swap(new, target, undo) for target, new in staged.items()]
            old += [_swap(new, path, undo) for path, new in singles.items()]
        except OSError as error:
            where = error.filename or next(iter(targets))
            raise ReportError(
                f"cannot write the report: {error.strerror or error} ({where}); nothing was changed",
                "give a folder that can be written with -o",
            ) from error
    for folder in filter(None, old):
        try:
            shutil.rmtree(folder, ignore_errors=True)
        except KeyboardInterrupt:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def write_file(path: Path, content: bytes) -> None:
    """Write one file at once, in place of an old one.

    Raises:
        ReportError: the disk refuses.
    """
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ReportError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def _undone_on_failure() -> Iterator[list[tuple[str, Path, Path]]]:
    """Take back, last first, what was noted when anything stops the block, an interrupt included."""
    done: list[tuple[str, Path, Path]] = []
    try:
        yield done
    except BaseException:
        for what, path, other in reversed(done):
            with suppress(OSError):
                if what == "moved":
                    path.rename(other)
                elif what == "made":
                    path.rmdir()
                elif what == "file":
                    path.unlink(missing_ok=True)
                else:
                    shutil.rmtree(path, ignore_errors=True)
        raise


def _stage(target: Path, files: Files, undo: list[tuple[str, Path, Path]]) -> Path:
    """A complete copy of the new folder beside its target."""
    for parent in reversed([p for p in target.parents if not p.exists()]):
        parent.mkdir()
        undo.append(("made", parent, parent))
    new = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=target.parent))
    undo.append(("staged", new, new))
    umask = os.umask(0)
    os.umask(umask)
    new.chmod(0o777 & ~umask)
    for name, content in files.items():
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts:
            raise ReportError(f"a format gave a file outside the report folder: {name}")
        path = new / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return new


def _stage_file(path: Path, content: bytes, undo: list[tuple[str, Path, Path]]) -> Path:
    """The new file beside the old one, with its permissions."""
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
    new = Path(name)
    undo.append(("file", new, new))
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    umask = os.umask(0)
    os.umask(umask)
    new.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~umask)
    return new


def _swap(new: Path, target: Path, undo: list[tuple[str, Path, Path]]) -> Path | None:
    """Put the new folder or file in the target's place; gives where the old one was put."""
    old = None
    if target.exists():
        old = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=target.parent))
        undo.append(("made", old, old))
        kept = old / target.name
        target.rename(kept)
        undo.append(("moved", kept, target))
    new.rename(target)
    undo.append(("moved", target, new))
    return old
