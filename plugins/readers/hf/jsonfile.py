"""Small JSON files of a run: an object, or a problem that says why there is none."""

from __future__ import annotations

import json
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.hf.state import LFS_HINT, LFS_PROBLEM, is_pointer

MAX_FILE = 8 << 20


def read_object(folder: Folder, entry: Entry, problems: list[Problem]) -> dict[str, Any] | None:
    """The object in a file; None, with a problem, where there is none."""
    if entry.size > MAX_FILE:
        problems.append(Problem(entry.path, f"is larger than {MAX_FILE >> 20} MiB, not read"))
        return None
    try:
        data = folder.read(entry, MAX_FILE)
        if is_pointer(data):
            problems.append(Problem(entry.path, LFS_PROBLEM, LFS_HINT))
            return None
        value = json.loads(data)
    except OSError as error:
        problems.append(Problem(entry.path, f"cannot be read ({error.strerror or type(error).__name__})"))
        return None
    except RecursionError:
        problems.append(Problem(entry.path, "is nested too deeply"))
        return None
    except ValueError:
        problems.append(Problem(entry.path, "is not valid JSON" if entry.size else "is empty"))
        return None
    if not isinstance(value, dict):
        problems.append(Problem(entry.path, "holds no JSON object"))
        return None
    return value
