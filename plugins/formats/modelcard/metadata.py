"""The metadata of a model card: what hubs index, each entry only where the run tells it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from dpo_report.core.standin import one_line
from dpo_report.core.tables import grid
from dpo_report.plugins import reading

if TYPE_CHECKING:
    from dpo_report.core.model import Run, Value
    from dpo_report.core.render import Kit

_HUB = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
"""A name on a hub: neither a path of some machine nor a sentence."""
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]{1,40}")
_TASK = {"type": "text-generation", "name": "Text generation"}


def metadata(kit: Kit) -> dict[str, Any]:
    """Key by key, in the order in which cards list them."""
    run = kit.analysis.run
    told: dict[str, Any] = {}
    licence = str(reading.fact(run, "license", "licence") or "").lower()
    if _LICENCE.fullmatch(licence):
        told["license"] = licence
    if libraries := [name for name in ("peft", "transformers") if name in run.versions]:
        told["library_name"] = libraries[0] if "peft" in libraries and _adapter(run) else libraries[-1]
    if base := _on_hub(run, *reading.BASE_MODEL):
        told["base_model"] = base
    if data := _on_hub(run, "dataset_name", "data_source"):
        told["datasets"] = [data]
    tags = [run.method, "trl" if "trl" in run.versions else None, "dpo-report"]
    told["tags"] = [one_line(tag) for tag in tags if tag]
    told["model_name"] = one_line(run.name)
    if results := _results(kit, told.get("datasets", [None])[0]):
        told["model-index"] = [{"name": one_line(run.name), "results": results}]
    return told


def _adapter(run: Run) -> bool:
    return any(file.path.rpartition("/")[2] == "adapter_config.json" for file in run.files)


def _on_hub(run: Run, *names: str) -> str:
    told = reading.setting(run, *names) or reading.fact(run, *names)
    return told if isinstance(told, str) and _HUB.fullmatch(told) and ".." not in told else ""


def _results(kit: Kit, data: str | None) -> list[dict[str, Any]]:
    """What was measured on held-out data and has a better direction, a result for each split."""
    if kit.analysis.run.method is None:
        return []  # the task is not known
    table = grid(kit.analysis.values.values(), split=True)
    results = []
    for column, head in enumerate(table.heads):
        values = [line.cells[column].value for line in table.lines]
        metrics = [_metric(value) for value in values if value is not None and _comparable(value)]
        if metrics and head != "Training":
            results.append({"task": _TASK, "dataset": {"type": data or "held-out", "name": head}, "metrics": metrics})
    return results


def _comparable(value: Value) -> bool:
    """Whether it may stand in a list of results: neither where training began nor the best of several looks."""
    number = value.value
    chosen = re.search(r"\.(first|lowest|best\w*|highest)$", value.name)
    return value.better != "none" and not chosen and isinstance(number, int | float) and math.isfinite(number)


def _metric(value: Value) -> dict[str, Any]:
    told = float(f"{value.value:.6g}")
    return {"type": value.name.partition(".")[0], "name": one_line(value.label), "value": told}
