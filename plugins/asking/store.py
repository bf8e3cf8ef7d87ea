"""Answers in a TOML file: read, and written one by one; comments and everything else in the file stay."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from dpo_report.core.errors import ReportError

TABLE = "answers"
_ELSEWHERE = "keep the answers in another file with --answers FILE"


class Answers:
    """The ``[answers]`` of one file."""

    def __init__(self, path: Path) -> None:
        """Read what is there; an absent file is an empty one.

        Raises:
            ReportError: the file cannot be read, or holds something else.
        """
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        self.path = path
        if path.is_symlink():
            raise ReportError(f"{path} is a link; answers are only written into a real file", _ELSEWHERE)
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ReportError(f"{path} is no plain file (a pipe, a device or a socket)", _ELSEWHERE)
        try:
            text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
            self._document = tomlkit.parse(text)
        except OSError as error:
            raise ReportError(f"cannot read {path}: {error.strerror}", _ELSEWHERE) from None
        except (TOMLKitError, ValueError, RecursionError) as error:
            why = " ".join(str(error).split())[:120]
            raise ReportError(f"{path} is not valid TOML ({why})", "correct it or remove it") from None
        table = self._document.get(TABLE)
        if table is None:
            self._document[TABLE] = tomlkit.table()
        elif not isinstance(table, dict):
            raise ReportError(f"[{TABLE}] in {path} is not a table", "correct it or remove it")

    def get(self, name: str) -> str | None:
        """The answer to a question, if it was given."""
        told = self._document[TABLE].get(name)
        return None if told is None else str(told)

    def keep(self, name: str, answer: str) -> None:
        """Add or change one answer, and write the file: the new one takes the old one's place in one step.

        Raises:
            ReportError: it cannot be written; the old file stands as it was.
        """
        import tomlkit

        self._document[TABLE][name] = answer
        text = tomlkit.dumps(self._document)
        temporary = None
        try:
            handle, temporary = tempfile.mkstemp(prefix=".dpo-report-", suffix=".toml", dir=self.path.parent)
            with os.fdopen(handle, "wb") as stream:
                stream.write(text.encode("utf-8", "replace"))
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).chmod(self._mode())
            Path(temporary).replace(self.path)
        except BaseException as error:
            if temporary is not None:
                with suppress(OSError):
                    Path(temporary).unlink()
            if isinstance(error, OSError):
                raise ReportError(f"cannot write {self.path}: {error.strerror}", _ELSEWHERE) from None
            raise

    def _mode(self) -> int:
        """The mode of the file as it is, or of a new one."""
        with suppress(OSError):
            return self.path.stat().st_mode & 0o777
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
