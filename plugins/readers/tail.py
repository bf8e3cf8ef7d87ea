"""Lines of a text file that grows: whole ones only, and at its end a word that more may come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.files import LINE, decoder, head, no_text
from dpo_report.plugins.readers.hf.state import is_pointer

WAIT = (0, "", True)
"""Stands where the file ends for now: no line has the number 0."""


def may_be_followed(folder: Folder, entry: Entry) -> bool:
    """Whether a file is text in UTF-8, as far as its first bytes tell."""
    start = head(folder, entry)
    return bool(start) and not is_pointer(start) and decoder(start)[1] == "utf-8"


@dataclass(slots=True)
class Tail:
    """How far a file was read."""

    offset: int = 0
    """Bytes of whole lines."""
    number: int = 0
    """Lines."""
    broken: int = 0
    """The first line that is no UTF-8, or 0."""

    def lines(self, path: Path) -> Iterator[tuple[int, str, bool]]:
        """Number, text and True of every whole line, then :data:`WAIT`; go on, and it reads what was added meanwhile.

        Raises:
            OSError: the file cannot be read.
        """
        while True:
            with path.open("rb") as stream:
                stream.seek(self.offset)
                for raw in iter(partial(stream.readline, LINE), b""):
                    if not raw.endswith(b"\n"):
                        break
                    self.offset += len(raw)
                    self.number += 1
                    text = raw.decode("utf-8", "replace")
                    if not self.broken and "\ufffd" in text:
                        self.broken = self.number
                    yield self.number, (text.lstrip("\ufeff") if self.number == 1 else text).rstrip("\r\n"), True
            yield WAIT

    def problems(self, file: str) -> list[Problem]:
        """What is wrong with the lines so far."""
        return [Problem(file, no_text(self.broken))] if self.broken else []
