"""Small JSON files of a run: an object, or a problem that says why there is none."""

from __future__ import annotations

import json
from typing import Any

from dpo_report.core.folder import Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.hf.state import LFS_HINT, LFS_PROBLEM, is_pointer

MAX_FILE = 8 << 20


def read_object(folder: Folder, path: str, problems: list[Problem]) -> dict[str, Any] | None:
    """The object in a file; None, with a problem, where there is none."""
    try:
        data = folder.read(path, MAX_FILE + 1)
        if len(data) > MAX_FILE:
            problems.append(Problem(path, f"is larger than {MAX_FILE >> 20} MiB, not read"))
            return None
        if is_pointer(data):
            problems.append(Problem(path, LFS_PROBLEM, LFS_HINT))
            return None
        value = json.loads(data)
    except OSError as error:
        problems.append(Problem(path, f"cannot be read ({error.strerror or type(error).__name__})"))
        return None
    except RecursionError:
        problems.append(Problem(path, "is nested too deeply"))
        return None
    except ValueError:
        problems.append(Problem(path, "is not valid JSON" if data else "is empty"))
        return None
    if not isinstance(value, dict):
        problems.append(Problem(path, "holds no JSON object"))
        return None
    return value
