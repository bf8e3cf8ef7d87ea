"""Problems that the user can solve: one line that says what and where, one that says what to do."""

from __future__ import annotations


class ReportError(Exception):
    """A known problem. The command line prints ``message`` and ``hint`` and exits with 1."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NothingThereError(ReportError):
    """A path or URL that nothing is at."""
