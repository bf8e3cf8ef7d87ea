"""Why a URL could not be read, in one line, and what to do about it."""

from __future__ import annotations

import re
from pathlib import Path

from dpo_report.core.errors import NothingThereError, ReportError

_EXTRAS = {
    "s3": "pip install 'dpo-report[remote]' s3fs",
    "gs": "pip install 'dpo-report[remote]' gcsfs",
    "hf": "pip install 'dpo-report[remote]' huggingface_hub",
    "sftp": "pip install 'dpo-report[remote]' paramiko",
    "http": "pip install 'dpo-report[remote]' aiohttp",
    "https": "pip install 'dpo-report[remote]' aiohttp",
}
_RIGHTS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, as for the aws command",
    "gs": "log in with `gcloud auth application-default login`",
    "hf": "log in with `hf auth login`, or set HF_TOKEN",
    "sftp": "is your key in the SSH agent or in ~/.ssh? else sftp://USER:PASSWORD@HOST/PATH",
}
"""How each kind of server learns who asks."""
_UNREACHED = "is there a network, and is the address right?"
WHERE = "give the URL of a training run's output folder"

_LOGIN = re.compile(r"^([a-z][a-z0-9+.-]*:/{1,2})([^/@]*)@", re.IGNORECASE)


def told(error: Exception, shown: str, scheme: str) -> ReportError:
    """What went wrong, and what to do about it."""
    kind, line = type(error).__name__, line_of(error)
    if isinstance(error, ImportError):
        hint = _EXTRAS.get(scheme, f"install the package that fsspec needs for {scheme}")
        return ReportError(f"{shown} cannot be opened: {line}", hint)
    cause = error.__cause__ if isinstance(error, FileNotFoundError) else None
    if any(re.search("(?<!File)NotFoundError$", type(one).__name__) for one in (error, cause)):
        return NothingThereError(f"nothing is at {shown}, or it is private", _rights(scheme))
    if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError):  # how fsspec tells a dead server
        return ReportError(f"{shown} cannot be reached: {line_of(cause)}", _UNREACHED)
    if isinstance(error, FileNotFoundError):
        more = ": its bucket does not exist" if re.search(r"\bbucket\b.*\b(?:exist|found)", line) else ""
        return NothingThereError(f"nothing is at {shown}{more}", WHERE)
    if isinstance(error, PermissionError):
        return ReportError(f"{shown} may not be read: {line}", f"is it yours, or shared with you? {_rights(scheme)}")
    if re.search("credential|authenti|unauthorized", f"{kind} {line}", re.IGNORECASE):
        return ReportError(f"{shown} cannot be opened: {line}", _rights(scheme))
    if isinstance(error, ValueError):
        return ReportError(f"{shown} cannot be opened: {line}", "known: s3, gs, hf, sftp, https ...")
    return ReportError(f"{shown} cannot be reached: {line}", _UNREACHED)


def _rights(scheme: str) -> str:
    return _RIGHTS.get(scheme, "does it ask for a password?")


def line_of(error: BaseException) -> str:
    """The first line of what an error says."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def without_password(url: Path | str) -> str:
    """A path or URL as it may be printed: with the user's name, except on the web, where tokens stand in its place.

    >>> without_password("sftp://me:secret@host/run")
    'sftp://me@host/run'
    """
    match = _LOGIN.match(str(url))
    if match is None:
        return str(url)
    user = "" if match[1].lower().startswith("http") else match[2].partition(":")[0]
    return f"{match[1]}{user}{'@' if user else ''}{str(url)[match.end() :]}"
