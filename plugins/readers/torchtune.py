"""torchtune: the log of its DiskLogger in ``logs/``, or what its StdoutLogger prints, and its configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dpo_report.core.contract import FileKind
from dpo_report.core.folder import Folder
from dpo_report.core.model import Setting
from dpo_report.plugins.readers.collect import Method
from dpo_report.plugins.readers.layout import Found
from dpo_report.plugins.readers.settings import also_named, from_yaml
from dpo_report.plugins.readers.textlogs import STEP, pairs, printed

_STEP = re.compile(r"^Step (\d{1,12}) \| ")
_NO_CURVE = ("tokens_per_second", "peak_memory_")
_CONFIG = "torchtune_config.yaml"
_LOSSES = {
    "DPOLoss": "dpo",
    "SimPOLoss": "simpo",
    "PPOLoss": "ppo",
    "CrossEntropyLoss": "sft",
    "CEWithChunkedOutputLoss": "sft",
    "LinearCrossEntropyLoss": "sft",
}
_ALIASES = {
    "loss.beta": "beta",
    "optimizer.lr": "learning_rate",
    "epochs": "num_train_epochs",
    "batch_size": "per_device_train_batch_size",
    "lr_scheduler.num_warmup_steps": "warmup_steps",
    "checkpointer.checkpoint_dir": "base_model",
}


def parse(line: str) -> dict[str, Any] | None:
    """``Step 1 | loss:1.25 lr:2e-05 tokens_per_second_per_gpu:812`` of torchtune's DiskLogger."""
    match = _STEP.match(line)
    found = pairs(line[match.end() :]) if match else {}
    kept = {key: cell for key, cell in found.items() if not key.startswith(_NO_CURVE)}
    return {STEP: match.group(1), **kept} if match and found else None


def _complete(folder: Folder, found: Found) -> None:
    found.extra["trainer"] = "torchtune"
    if "identity" in found.extra:  # one of several logs: named after its file alone, for the run is the folder above
        found.extra["identity"] = found.extra["identity"].rpartition("/")[2]
    config = next((entry for entry in folder.entries if entry.path == _CONFIG), None)
    if config is None:
        return
    found.files.append(config.path)
    settings = also_named(from_yaml(folder, config, found.problems), _ALIASES)
    found.extra |= {"settings": settings, "method": _method(settings)}


def _method(settings: Mapping[str, Setting]) -> Method | None:
    """The method that the configured loss tells."""
    component = settings.get("loss._component_")
    loss = str(component.value).rpartition(".")[2] if component else ""
    method = _LOSSES.get(loss)
    return (method, f"{_CONFIG} says that the loss is {loss}", 1.0) if method else None


def _home(parent: str) -> str:
    """A run's folder: the logs lie in ``logs`` below it, as torchtune's recipes have it."""
    above, _, last = parent.rpartition("/")
    return above if last == "logs" else parent


READER = printed(
    "torchtune",
    "torchtune",
    parse,
    own=lambda key: key.replace("log_probs/", "logps/"),
    complete=_complete,
    home=_home,
    files=(
        FileKind(_CONFIG, "config", "the configuration of a torchtune run"),
        FileKind("recipe_state.pt", "checkpoint", "what torchtune needs to resume"),
    ),
).reader()
