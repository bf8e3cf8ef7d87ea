"""A run at a URL: its files are listed first, and each is brought here only when a reader opens it.

Nothing is written there. Files stay in a cache folder, laid out as there, and are checked by size and time of change,
so that a second look is quick.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dpo_report.core.errors import NothingThereError, ReportError
from dpo_report.core.folder import (
    MAX_FILES,
    REPORT_HEAD,
    SKIPPED_FOLDERS,
    Entry,
    Folder,
    is_own_report_file,
    natural,
)
from dpo_report.core.model import Problem
from dpo_report.core.unreached import WHERE, line_of, told, without_password

T = TypeVar("T")
CACHE = "DPO_REPORT_CACHE"
"""Environment variable with the cache folder's path."""
LARGEST = 512 << 20
"""Bytes of the largest file that is fetched."""
MOST = 4 << 30
"""Bytes that are fetched from one URL altogether."""
SMALL = 1 << 20
"""Files up to this size are fetched whole even where only their beginning is wanted."""
DEEPEST = 12
"""Folders in folders that are listed."""
_URL = re.compile(r"^([a-z][a-z0-9+.-]+):/{1,2}(?=[^/])", re.IGNORECASE)
PATIENCE = 30
"""Seconds in which a server must give its first answer."""
_OPTIONS: dict[str, dict[str, Any]] = {
    "sftp": {"timeout": PATIENCE, "banner_timeout": PATIENCE, "auth_timeout": PATIENCE},
}
"""What file systems are given that connect before they are asked."""
_PARENT = re.compile(r"(?:^|[/\\])\.\.?(?:[/\\]|$)")


def is_url(path: Path | str) -> bool:
    """Whether a path is a URL; one that went through ``Path`` and lost a slash still is."""
    return bool(_URL.match(str(path))) and not os.path.lexists(path)


def open_url(url: str) -> Folder:
    """The files at a URL, listed and not fetched.

    Raises:
        ReportError: fsspec or what it needs is not installed, the URL cannot be reached, or nothing is there.
    """
    url = _URL.sub(r"\1://", url)
    shown = without_password(url)
    try:
        import fsspec
    except ImportError:
        raise ReportError(f"{shown} is far away, which needs fsspec", "pip install 'dpo-report[remote]'") from None
    scheme = url.partition(":")[0].lower()
    try:
        files, top = fsspec.core.url_to_fs(url, **_OPTIONS.get(scheme, {}))
        info = _soon(lambda: files.info(top))
        found, only, problems = _listed(files, top, info)
    except ReportError:
        raise
    except Exception as error:  # every file system raises its own kinds, for names, rights and networks
        raise told(error, shown, scheme) from None
    if not found:
        raise NothingThereError(f"nothing is at {shown}", WHERE)
    root = _cache(url if only is None else url.rpartition("/")[0])
    store = _Store(files, top.rstrip("/") if only is None else top.rpartition("/")[0], root, found)
    entries = [Entry(name, _size(info)) for name, info in found.items() if not name.rpartition("/")[2].startswith("._")]
    folder = Folder(root, only, tuple(sorted(entries, key=lambda entry: natural(entry.path))), fetch=store)
    folder = folder if only is not None else _without_reports(folder)
    folder.problems += problems
    return folder


def _soon(ask: Callable[[], T]) -> T:
    """The first answer of a server; a thread waits for it, for some file systems try again for minutes.

    Raises:
        TimeoutError: there is none in time.
    """
    from concurrent.futures import Future
    from threading import Thread

    answer: Future[T] = Future()

    def wait() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=wait, daemon=True).start()
    try:
        return answer.result(PATIENCE)
    except TimeoutError:
        raise TimeoutError(f"no answer within {PATIENCE} seconds") from None


def _without_reports(folder: Folder) -> Folder:
    """The folder without reports of ours, as :mod:`dpo_report.core.folder` leaves them out on disk."""
    homes = []
    for entry in folder.named("report.json"):
        with suppress(OSError):
            if entry.parent and is_own_report_file(folder.read(entry, REPORT_HEAD)):
                homes.append(f"{entry.parent}/")
    return folder.holding(entry for entry in folder.entries if not entry.path.startswith(tuple(homes)))


@dataclass(slots=True)
class _Store:
    """Fetches files, each once."""

    files: Any
    """The fsspec file system."""
    top: str
    """The run's folder there."""
    root: Path
    """The run's folder here."""
    known: Mapping[str, Mapping[str, Any]]
    """What was listed, by path relative to ``top``."""
    spent: int = 0
    """Bytes fetched so far."""
    here: set[Path] = field(default_factory=set)
    """Files that are in their place."""

    def whole(self, path: Path) -> None:
        """Have a file in its place, fetched or kept from before.

        Raises:
            OSError: it is larger than what is fetched, or cannot be had.
        """
        if path in self.here:
            return
        name, size, stamp = self._about(path)
        if not _is_kept(path, size, stamp):
            if size > LARGEST or self.spent + size > MOST:
                raise OSError(errno.EFBIG, f"too large to be fetched: {size:,} bytes")
            self.spent += size
            _write(path, self._bytes(name, None), stamp)
        self.here.add(path)

    def head(self, path: Path, limit: int) -> bytes:
        """The first bytes of a file; a small one is kept."""
        name, size, stamp = self._about(path)
        if path in self.here or size <= max(limit, SMALL) or _is_kept(path, size, stamp):
            self.whole(path)
            with path.open("rb") as stream:
                return stream.read(limit)
        self.spent += limit
        return self._bytes(name, limit)

    def _about(self, path: Path) -> tuple[str, int, str]:
        name = path.relative_to(self.root).as_posix()
        info = self.known.get(name)
        if info is None:
            raise FileNotFoundError(errno.ENOENT, "not in the list of files")
        return name, _size(info), _stamp(info)

    def _bytes(self, name: str, limit: int | None) -> bytes:
        try:
            data = self.files.cat_file(
                f"{self.top}/{name}" if self.top else name, start=None if limit is None else 0, end=limit
            )
        except OSError:
            raise
        except Exception as error:  # as in open_url
            raise OSError(errno.EIO, line_of(error)) from error
        return bytes(data)


def _listed(
    files: Any, top: str, info: Mapping[str, Any]
) -> tuple[dict[str, Mapping[str, Any]], str | None, list[Problem]]:
    """Files below a folder by relative path, with what the listing tells of each; the name where it is one file; and
    what was listed and is not to be had."""
    if info.get("type") == "file" and not _is_page(files, info):
        name = top.rstrip("/").rpartition("/")[2]
        return {name: info}, name, []
    base = top.rstrip("/")
    found: dict[str, Mapping[str, Any]] = {}
    problems: list[Problem] = []
    pending = [(base, 0)]
    while pending and len(found) < MAX_FILES:
        folder, depth = pending.pop()
        for one in files.ls(folder, detail=True):
            path = str(one["name"]).rstrip("/")
            inside = path.removeprefix(base).lstrip("/")
            if not path.startswith(base + "/") or path == folder or _PARENT.search(inside) or "?" in inside:
                continue
            if one.get("type") == "directory" or str(one["name"]).endswith("/"):
                if depth < DEEPEST and path.rpartition("/")[2] not in SKIPPED_FOLDERS:
                    pending.append((path, depth + 1))
            elif inside:
                try:
                    found[inside] = one if _has_size(one) else files.info(one["name"])
                except FileNotFoundError:
                    problems.append(Problem(inside, "is listed, but the server does not give it"))
    return found, None, problems


def _is_page(files: Any, info: Mapping[str, Any]) -> bool:
    """Whether what a web server calls a file is a page that lists a folder."""
    return "http" in files.protocol and str(info.get("mimetype") or "").startswith("text/html")


def _has_size(info: Mapping[str, Any]) -> bool:
    return isinstance(info.get("size"), int | float)


def _size(info: Mapping[str, Any]) -> int:
    return int(info.get("size") or 0)


def _stamp(info: Mapping[str, Any]) -> str:
    """What changes when a file does, as far as the file system tells."""
    told = (
        info.get(key)
        for key in ("ETag", "etag", "blob_id", "LastModified", "Last-Modified", "last_modified", "mtime", "created")
    )
    return "|".join(str(value) for value in told if value)


def _cache(url: str) -> Path:
    """The folder where the files of a URL are kept: its path as it stands, so that runs share what was fetched for the
    folder above them, below a name for the server (a password may be in its address)."""
    from hashlib import blake2b

    given = os.environ.get(CACHE)
    base = Path(given) if given else Path(tempfile.gettempdir()) / f"dpo-report-{_user()}"
    scheme, _, rest = url.rstrip("/").partition("://")
    server, *parts = [rest] if "?" in rest else rest.split("/")
    parts = [part for part in parts if part]
    if _PARENT.search("/".join(parts)):
        server, parts = rest, [parts[-1]]
    home = re.sub(r"[^A-Za-z0-9._-]+", "-", server.rpartition("@")[2].rpartition("/")[2]).strip(".-") or "run"
    folder = base.joinpath(blake2b(f"{scheme}://{server}".encode(), digest_size=8).hexdigest(), home, *parts)
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not given and (base.is_symlink() or (hasattr(os, "getuid") and base.stat().st_uid != os.getuid())):
            raise PermissionError(errno.EPERM, "it belongs to somebody else")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = f"set {CACHE} to a folder of yours"
        raise ReportError(f"cannot keep files in {base}: {error.strerror}", hint) from None
    return folder


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "cache"


def _is_kept(path: Path, size: int, stamp: str) -> bool:
    note = path.with_name(f".{path.name}.stamp")
    with suppress(OSError):
        return path.stat().st_size == size and bool(stamp) and note.read_text() == stamp
    return False


def _write(path: Path, data: bytes, stamp: str) -> None:
    """Put a file in its place at once, so that a second process never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".fetching-")
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
    Path(temporary).replace(path)
    if stamp:
        path.with_name(f".{path.name}.stamp").write_text(stamp)
