"""Folders of files written all or none: a temporary folder beside each target, then renames.

A report takes the place of an older one. Files in it that no report of ours wrote (a compiled PDF, notes) stay.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from dpo_report.core.errors import ReportError
from dpo_report.core.folder import TEMPORARY, is_own_report
from dpo_report.core.strangers import files_of, strangers, tidy, twin

Files = Mapping[str, bytes]
"""Content by path relative to the target folder."""
_ATTEMPTS = 20
"""How often a report is put in its place before another process that does the same to that folder is left to it."""


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
        before = target.stat()
        with os.scandir(target) as listing:
            items = list(listing)
        ours = not items or is_own_report(items)
        again = not ours and not os.path.samestat(before, target.stat())
    except FileNotFoundError:
        again = True
    except OSError as error:
        raise ReportError(f"cannot read {target}: {error.strerror}", elsewhere) from None
    if again:  # another process has just put its report there
        check(target)
    elif not ours:
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
        tidy(target.parent)
        check(target)
    with _undone_on_failure() as undo:
        try:
            staged = {target: _stage(target, files, undo) for target, files in targets.items()}
            singles = {path: _stage_file(path, content, undo) for path, content in (own or {}).items()}
            old = [folder for target, new in staged.items() for folder in _swap(new, target, undo)]
            old += [_swap_file(new, path, undo) for path, new in singles.items()]
        except OSError as error:
            where = error.filename or next(iter(targets))
            raise ReportError(
                f"cannot write the report: {error.strerror or error} ({where}); nothing was changed",
                "give a folder that can be written with -o",
            ) from error
    for folder in old:
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


def _swap(new: Path, target: Path, undo: list[tuple[str, Path, Path]]) -> list[Path]:
    """Put the new folder in the target's place; gives where what stood there was put.

    Raises:
        ReportError: what stood there was not a report of ours, or a file of it has the name of one of the new files.
    """
    ours = frozenset(files_of(new))
    old: list[Path] = []
    for attempt in range(1, _ATTEMPTS + 1):
        if os.path.lexists(target):
            old.append(Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=target.parent)))
            undo.append(("made", old[-1], old[-1]))
            kept = old[-1] / target.name
            with suppress(FileNotFoundError):  # another process moved it away just now
                target.rename(kept)
                undo.append(("moved", kept, target))
                _carry_over(kept, new, ours, target)
        try:
            new.rename(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or attempt == _ATTEMPTS:
                raise  # else another process has just put its report there
        else:
            undo.append(("moved", target, new))
            break
    return old


def _swap_file(new: Path, path: Path, undo: list[tuple[str, Path, Path]]) -> Path:
    """Put the new file in the old one's place in one step; gives the folder in which the old one is kept."""
    old = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=path.parent))
    undo.append(("staged", old, old))
    kept = old / path.name
    if path.exists():
        twin(path, kept)
    new.rename(path)
    undo.append(("moved", kept, path) if kept.exists() else ("file", path, path))
    return old


def _carry_over(kept: Path, new: Path, ours: frozenset[str], target: Path) -> None:
    """Give the new folder what somebody else put into the old one.

    Raises:
        ReportError: the folder that was moved away is not a report of ours after all, or its files are in the way.
    """
    try:
        check(kept)
    except ReportError:
        raise ReportError(f"{target} changed while its report was made; nothing was written") from None
    for name in strangers(kept, ours):
        if name in ours or any(one.startswith(f"{name}/") or name.startswith(f"{one}/") for one in ours):
            said = f"{target / name} was not written by dpo-report, and the new report has a file of that name"
            raise ReportError(f"{said}; nothing was written", "move it away, or give another folder with -o")
        if not os.path.lexists(new / name):
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            twin(kept / name, new / name)
