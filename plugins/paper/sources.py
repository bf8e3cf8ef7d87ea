"""The files of a paper: found, decoded, read; nothing outside the paper's own folder is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dpo_report.core.errors import ReportError
from dpo_report.core.folder import is_own_report
from dpo_report.plugins.paper import markdown, tex
from dpo_report.plugins.paper.prose import Prose

MAX_BYTES = 64 << 20
MAX_FILES = 2_000
_TEX = frozenset((".tex", ".ltx"))
_MARKDOWN = frozenset((".md", ".markdown", ".qmd", ".txt"))
_SKIPPED = frozenset(("node_modules", "build", "_build", "__pycache__"))


@dataclass(slots=True)
class Paper:
    """All files that were read."""

    files: list[Prose] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be read, one line each."""


def read(path: Path) -> Paper:
    """Read a file and what it reads in, or all papers of a folder.

    Raises:
        ReportError: there is nothing that could be checked.
    """
    hint = "give a .tex or .md file, or a folder that holds some"
    if path.is_dir():
        files = list(_papers(path))
        if not files:
            raise ReportError(f"no .tex or .md file in {path}", hint)
        return _Reader(path).all(files)
    if not path.exists():
        raise ReportError(f"no such file or folder: {path}", hint)
    if not path.is_file():
        raise ReportError(f"{path} is neither a file nor a folder", hint)
    if path.suffix.lower() not in _TEX | _MARKDOWN:
        raise ReportError(f"{path} is no .tex or .md file", hint)
    return _Reader(path.parent).all([path], must=True)


def _papers(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in _SKIPPED)
        for name in sorted(names):
            path = Path(parent) / name
            if path.suffix.lower() in (_TEX | _MARKDOWN) - {".txt"} and path.is_file() and not path.is_symlink():
                yield path


def _generated(path: Path) -> bool:
    """Whether the file is a part of a report of ours: made from the run, so only its macros can be out of date."""
    if path.name == "numbers.tex":
        return False
    for folder in (path.parent, path.parent.parent):
        with suppress(OSError), os.scandir(folder) as listing:
            if is_own_report(list(listing)):
                return True
    return False


class _Reader:
    """Files of one folder, each read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inside = Path(os.path.realpath(root))
        self.seen: set[Path] = set()
        self.paper = Paper()

    def all(self, paths: list[Path], must: bool = False) -> Paper:
        """These files and all that they read in."""
        for path in paths:
            self._file(path, must)
        return self.paper

    def _file(self, path: Path, must: bool = False) -> None:
        real = Path(os.path.realpath(path))
        if real in self.seen or len(self.seen) >= MAX_FILES or (not must and _generated(path)):
            return
        self.seen.add(real)
        name = os.path.relpath(path, self.root)
        shown = str(path) if not self.root.name or self.root == Path() else name
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            if must:
                raise ReportError(f"cannot read {path}: {error.strerror}") from None
            self.paper.notes.append(f"{name}: cannot be read ({error.strerror})")
            return
        if len(data) > MAX_BYTES or b"\0" in data[:4096]:
            why = f"is larger than {MAX_BYTES >> 20} MiB" if len(data) > MAX_BYTES else "is no text"
            if must:
                raise ReportError(f"{path} {why}", "give the source of the paper")
            self.paper.notes.append(f"{name}: {why}, left out")
            return
        text = self._decoded(data, name)
        prose = (tex if path.suffix.lower() in _TEX else markdown).read(text, name if shown == name else shown)
        self.paper.files.append(prose)
        self.paper.notes += [f"{name}:{line}: {note}" for line, note in prose.notes]
        for target, line in prose.inputs:
            self._input(target, path, f"{name}:{line}")

    def _decoded(self, data: bytes, name: str) -> str:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            at = data.count(b"\n", 0, error.start) + 1
            self.paper.notes.append(f"{name}:{at}: is not UTF-8, read as Latin-1")
            text = data.decode("latin-1")
        return re.sub(r"\r\n?", "\n", text)

    def _input(self, target: str, origin: Path, where: str) -> None:
        """``\\input{sections/results}``, relative to the paper's folder as TeX has it, or to the file."""
        if not target or "\\" in target or "#" in target:
            return
        outside = False
        for base in (self.root, origin.parent):
            for name in (target, f"{target}.tex"):
                path = base / name
                if not path.is_file():
                    continue
                real = Path(os.path.realpath(path))
                if not real.is_relative_to(self.inside):
                    outside = True
                elif path.suffix.lower() in _TEX | _MARKDOWN:
                    self._file(path)
                    return
                else:
                    return
        if outside:
            self.paper.notes.append(f"{where}: {target} lies outside the paper's folder, left out")
