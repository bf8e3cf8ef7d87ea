"""What stands beside a ``.swanlab`` file: the configuration, and the logs of the local dashboard."""

from __future__ import annotations

from urllib.parse import unquote

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem, Setting
from dpo_report.plugins.readers.files import INVALID, lines, load_json, parse_json
from dpo_report.plugins.readers.numbers import number
from dpo_report.plugins.readers.settings import flatten, read_yaml
from dpo_report.plugins.readers.swanlab.store import Store

CONFIG, METADATA = "files/config.yaml", "files/swanlab-metadata.json"


def is_log(path: str) -> bool:
    """Whether a path is that of a local log: ``logs/<key>/<number>.log`` at its end."""
    parts = path.split("/")
    return len(parts) >= 3 and parts[-3] == "logs" and parts[-1].endswith(".log") and parts[-1][:-4].isdigit()


def settings(folder: Folder, entry: Entry, problems: list[Problem]) -> dict[str, Setting]:
    """Settings from ``config.yaml``, where each value stands under ``value`` beside ``desc`` and ``sort``."""
    config = read_yaml(folder, entry, problems)
    plain = {k: v["value"] if isinstance(v, dict) and "value" in v and "sort" in v else v for k, v in config.items()}
    return flatten(plain, entry.path)


def versions(folder: Folder, entry: Entry, problems: list[Problem]) -> dict[str, str]:
    """Versions of SwanLab and Python."""
    told = load_json(folder, entry, problems) or {}
    own, runtime = told.get("swanlab"), told.get("runtime")
    found = {
        "swanlab": own.get("version") if isinstance(own, dict) else None,
        "python": runtime.get("python_version") if isinstance(runtime, dict) else None,
    }
    return {package: version for package, version in found.items() if isinstance(version, str)}


def read_logs(folder: Folder, entries: list[Entry]) -> list[Store]:
    """The logs of the local dashboard: JSON lines with ``index`` (the step) and ``data``, one folder for each key."""
    found: list[Store] = []
    numbered = False
    for entry in entries:
        store = Store(entry.path)
        folder_name = entry.path.split("/")[-2]
        numbered = numbered or folder_name.isdigit()
        key = f"log {folder_name}" if folder_name.isdigit() else unquote(folder_name)
        broken = 0
        for line, words, whole in lines(folder, entry, store.problems):
            row = parse_json(words) if words.strip() else {}
            if row is INVALID or not isinstance(row, dict):
                broken = broken or line
                if not whole:
                    store.problems.append(Problem(entry.path, f"ends in the middle of line {line}"))
                continue
            step, value = number(row.get("index")), number(row.get("data"))
            if step is not None and value is not None:
                store.point(key, step, value, line)
        if broken:
            store.problems.append(Problem(entry.path, f"line {broken} is not valid JSON, left out"))
        found.append(store)
    if numbered and found:
        where = found[0].path.rpartition("/logs/")[0] or "."
        found[0].problems.append(Problem(where, "the .swanlab file, which holds the names of the curves, is missing"))
    return found
