"""``training_args.bin``: the trainer's arguments, read without torch and without building anything."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from typing import Any

from dpo_report.core.folder import Entry, Folder
from dpo_report.core.model import Problem
from dpo_report.plugins.readers.hf.pickles import Record, Unreadable, plain, unpickle
from dpo_report.plugins.readers.hf.state import LFS_HINT, LFS_PROBLEM, is_pointer

MAX_FILE = 32 << 20
MAX_PICKLE = 4 << 20
_LEGACY_PICKLES = 6
"""The old torch format puts a magic number, a protocol and system facts, each pickled, before the object."""
_INTERNAL = ("distributed_state", "deepspeed_plugin", "hf_deepspeed_config")
_SECRET = frozenset({"hub_token", "push_to_hub_token"})


@dataclass(slots=True)
class Arguments:
    """What the file tells."""

    file: str
    config: str = ""
    """Dotted path of the arguments' class: ``trl.trainer.dpo_config.DPOConfig``."""
    values: dict[str, Any] = field(default_factory=dict)
    """Public fields by name."""
    world_size: int | None = None
    """Data-parallel devices: processes times the devices that each one used."""
    problems: list[Problem] = field(default_factory=list)


def read_args(folder: Folder, entry: Entry) -> Arguments:
    """Read the arguments. Never raises for what the file holds."""
    found = Arguments(entry.path)
    try:
        data = folder.read(entry, MAX_FILE)
        if is_pointer(data):
            found.problems.append(Problem(entry.path, LFS_PROBLEM, LFS_HINT))
            return found
        record = _main_record(data)
    except OSError as error:
        found.problems.append(Problem(entry.path, f"cannot be read ({error.strerror or type(error).__name__})"))
        return found
    except Unreadable as error:
        found.problems.append(Problem(entry.path, f"{error}; the settings in it are not known"))
        return found
    found.config = record.path if record.of is not None else ""
    found.values = {key: plain(value) for key, value in record.state.items() if key[:1] != "_"}
    for name in _INTERNAL:
        found.values.pop(name, None)
    for name in _SECRET & found.values.keys():
        if found.values[name]:
            found.values[name] = "<secret, not shown>"
    found.world_size = _world_size(record)
    return found


def _world_size(record: Record) -> int | None:
    """Processes (accelerate's PartialState) × devices of each (``_n_gpu``, above 1 under DataParallel)."""
    shared = record.state.get("distributed_state")
    processes = shared.state.get("num_processes") if isinstance(shared, Record) else None
    local = record.state.get("_n_gpu")
    if type(processes) is not int or processes < 1:
        return None
    return processes * (local if type(local) is int and local > 1 else 1)


def _main_record(data: bytes) -> Record:
    """The arguments object of a torch file, new (zip) or old, or of a plain pickle."""
    if data.startswith(b"PK"):
        value, _ = unpickle(_from_zip(data))
        candidates = [value]
    else:
        candidates, place = [], 0
        while place < len(data) and len(candidates) < _LEGACY_PICKLES:
            try:
                value, place = unpickle(data[: place + MAX_PICKLE], place)
            except Unreadable:
                if candidates:
                    break
                raise
            candidates.append(value)
    for value in candidates:
        if isinstance(value, Record) and value.state:
            return value
        if isinstance(value, dict) and "output_dir" in value:
            return Record(None, (), value)
    raise Unreadable("holds no training arguments")


def _from_zip(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inner = [item for item in archive.infolist() if item.filename.rpartition("/")[2] == "data.pkl"]
            content = b""
            for item in inner[:1]:
                with archive.open(item) as stream:
                    content = stream.read(MAX_PICKLE + 1)
    except Exception as error:  # damaged archives raise a dozen kinds, from zipfile, zlib, lzma and struct
        raise Unreadable("is a broken archive") from error
    if len(content) > MAX_PICKLE:
        raise Unreadable(f"holds a pickle of more than {MAX_PICKLE >> 20} MiB")
    return content
