"""Opening a run's files for any reader: first bytes, lines of bounded length, JSON of bounded size. Nothing raises."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache, partial
from io import FileIO
from pathlib import PurePosixPath
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.hf.state import LFS_HINT, LFS_PROBLEM, is_pointer

_NO_LOGS = frozenset(
    (
        *(
            "config.json",
            "generation_config.json",
            "adapter_config.json",
            "preprocessor_config.json",
            "trainer_state.json",
        ),
        *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json"),
        *("all_results.json", "train_results.json", "eval_results.json", "merges.txt", "vocab.txt", "requirements.txt"),
    )
)
HEAD = 4096
"""Bytes that are looked at to tell a file's kind."""
KEPT = 64 << 20
"""Bytes of first bytes that are remembered."""
_FIRST, _LAST = 48 << 10, 16 << 10
LINE = 16 << 20
"""Longer lines are left out."""
JSON = 64 << 20
"""Larger JSON files are not read whole."""
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class _Heads:
    """First bytes of files, kept while they are few: many readers look at each of a hundred thousand tiny files."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], bytes] = {}
        self.size = 0
        """Bytes of what is kept."""

    def of(self, path: str, size: int) -> bytes:
        """The first bytes of a file of that size; empty where it cannot be read."""
        found = self.kept.get((path, size))
        if found is None:
            found = _first_bytes(path)
            self.size += len(found) + len(path)
            if self.size > KEPT:
                self.kept.clear()
                self.size = len(found) + len(path)
            self.kept[path, size] = found
        return found


_heads = _Heads()


def head(folder: Folder, entry: Entry) -> bytes:
    """The first bytes of a file; empty where it cannot be read."""
    return _heads.of(_path(folder, entry), entry.size) if entry.size else b""


def _first_bytes(path: str) -> bytes:
    try:
        with FileIO(path) as stream:
            return stream.read(HEAD)
    except OSError:
        return b""


def glimpse(folder: Folder, entry: Entry) -> bytes:
    """The beginning and the end of a file: console output opens with pages of configuration before its first step."""
    return _glimpse(_path(folder, entry), entry.size) if entry.size > HEAD else head(folder, entry)


@lru_cache(maxsize=64)
def _glimpse(path: str, size: int) -> bytes:
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - a plain string is the cheaper key
            start = stream.read(_FIRST)
            if size <= _FIRST:
                return start
            stream.seek(max(_FIRST, size - _LAST))
            return start + b"\n" + stream.read(_LAST)
    except OSError:
        return b""


def _path(folder: Folder, entry: Entry) -> str:
    """Where a file is; joined by hand, for a folder may hold a hundred thousand of them."""
    return f"{folder.root}/{entry.path}" if folder.fetch is None else str(folder.path(entry))


def first_line(data: bytes) -> str:
    """The first line of some bytes, without a byte-order mark."""
    text, _ = decoder(data)
    return text(data).lstrip("\ufeff").split("\n", 1)[0].rstrip("\r")


def with_suffix(folder: Folder, suffixes: Collection[str]) -> list[Entry]:
    """Files whose name ends in one of these (lower case, with the dot); a single given file always counts.

    Files that a Hugging Face trainer leaves by the dozen are left out by their names.
    """
    if folder.only is not None:
        return list(folder.entries)
    found = []
    for entry in folder.entries:
        ending = entry.path.rpartition(".")[2]
        if "." + ending.lower() in suffixes and entry.path.rpartition("/")[2] not in _NO_LOGS:
            found.append(entry)
    return found


def subs(folder: Folder, homes: Collection[str]) -> dict[str, Folder]:
    """The parts of a folder below each of these paths, found in one pass: :meth:`Folder.sub` for many."""
    inside: dict[str, list[Entry]] = {home: [] for home in homes if home}
    for entry in folder.entries:
        home = entry.parent
        while home:
            if home in inside:
                inside[home].append(Entry(entry.path[len(home) + 1 :], entry.size))
            home = home.rpartition("/")[0]
    found = {
        home: Folder(folder.root / PurePosixPath(home), None, tuple(own), fetch=folder.fetch)
        for home, own in inside.items()
    }
    return found | {"": folder}


def named(folder: Folder, *names: str) -> list[Entry]:
    """Files with exactly one of these names."""
    return [entry for entry in folder.entries if entry.path.rpartition("/")[2] in names]


def decoder(data: bytes) -> tuple[Callable[[bytes], str], str]:
    """How to turn bytes that begin like these into text, and the encoding's name."""
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    return (lambda raw: raw.decode(encoding, "replace")), encoding


def lines(folder: Folder, entry: Entry, problems: list[Problem]) -> Iterator[tuple[int, str, bool]]:
    """Lines of a text file with their numbers (from 1) and whether they are whole (end in a line break).

    A Git LFS pointer, an unreadable or an empty file gives a problem and no lines. Bytes that are no UTF-8 become
    replacement characters and are told once; UTF-16 is recognised by its mark. Longer lines than ``LINE`` are left out.
    """
    start = head(folder, entry)
    if is_pointer(start):
        problems.append(Problem(entry.path, LFS_PROBLEM, LFS_HINT))
        return
    _, encoding = decoder(start)
    broken = long = number = 0
    try:
        with folder.path(entry).open("rb") as stream:
            for number, raw in numbered(stream, encoding):
                if raw is None:
                    long = long or number
                    continue
                text = raw.decode(encoding, "replace")
                if number == 1:
                    text = text.lstrip("\ufeff")
                if not broken and "\ufffd" in text:
                    broken = number
                yield number, text.rstrip("\r\n"), text[-1:] == "\n"
    except OSError as error:
        problems.append(Problem(entry.path, f"cannot be read ({error.strerror or type(error).__name__})"))
        return
    if not number:
        problems.append(Problem(entry.path, "is empty"))
    if broken:
        problems.append(Problem(entry.path, no_text(broken)))
    if long:
        problems.append(Problem(entry.path, f"line {long} is longer than {LINE >> 20} MiB, left out"))


def no_text(line: int) -> str:
    """What is said of a file whose first broken line has this number."""
    return f"line {line} holds bytes that are no UTF-8 text"


def numbered(stream: Any, encoding: str) -> Iterator[tuple[int, bytes | None]]:
    """Numbered raw lines; None for one that is too long."""
    if encoding.startswith("utf-16"):
        data = stream.read(JSON)
        for number, text in enumerate(data.decode(encoding, "replace").splitlines(keepends=True), 1):
            yield number, text.encode(encoding, "replace")
        return
    number, inside = 0, False
    for raw in iter(partial(stream.readline, LINE), b""):
        ended = raw.endswith(b"\n")
        if not inside:
            number += 1
            yield number, raw if ended or len(raw) < LINE else None
        inside = not ended


def load_json(folder: Folder, entry: Entry, problems: list[Problem], kind: type = dict) -> Any:
    """A JSON file's value, of that kind (``dict`` or ``list``); None, with a problem, where there is none."""
    if entry.size > JSON:
        problems.append(Problem(entry.path, f"is larger than {JSON >> 20} MiB, not read"))
        return None
    try:
        data = folder.read(entry, JSON)
    except OSError as error:
        problems.append(Problem(entry.path, f"cannot be read ({error.strerror or type(error).__name__})"))
        return None
    if is_pointer(data):
        problems.append(Problem(entry.path, LFS_PROBLEM, LFS_HINT))
        return None
    value = parse_json(data)
    if value is INVALID:
        problems.append(Problem(entry.path, "is not valid JSON" if data.strip() else "is empty"))
        return None
    if not isinstance(value, kind):
        problems.append(Problem(entry.path, f"holds no JSON {'object' if kind is dict else 'list'}"))
        return None
    return value


INVALID = object()
"""What :func:`parse_json` gives for text that is no JSON."""


def parse_json(data: bytes | str) -> Any:
    """Any JSON value, with the words NaN and Infinity; :data:`INVALID` where there is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return INVALID
