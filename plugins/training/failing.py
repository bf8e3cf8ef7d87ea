"""Errors of the libraries that have a plain cause, as one line each."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from dpo_report.core.errors import ReportError

_FULL = ("no space left", "enforce fail at inline_container", "disk quota", "file write failed", "os error 28")
_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "defaultcpuallocator", "bad_alloc")
_ENDED = ("closed by peer", "reset by peer", "broken pipe")


@contextmanager
def one_line(folder: str) -> Iterator[None]:
    """Turn a full disk, too little memory and another process's end into known problems; all else stays as it is."""
    try:
        yield
    except ReportError:
        raise
    except MemoryError:
        raise _memory() from None
    except Exception as error:
        told = str(error).lower()
        if (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)) or any(
            w in told for w in _FULL
        ):
            hint = "free some space, then go on with --resume; what was written before is whole"
            raise ReportError(f"the disk of {folder} is full", hint) from None
        if any(word in told for word in _MEMORY):
            raise _memory() from None
        if "gloo/transport" in told and any(word in told for word in _ENDED):
            raise ReportError("another process of this training has ended", "its own lines tell why") from None
        raise


def _memory() -> ReportError:
    return ReportError("out of memory", "use a smaller micro_batch, [lora], or a smaller dpo.max_length")
