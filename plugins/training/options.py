"""The options of ``train``: a TOML file, the command line over it, defaults under it, each with its origin."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dpo_report.core.errors import ReportError

DEFAULTS: dict[str, tuple[Any, str]] = {
    "model": (None, "a folder, a GGUF file, a hub id, or tiny"),
    "output_dir": (None, "the run's folder"),
    "data": (None, "pairs with prompt, chosen and rejected"),
    "eval_data": (None, "held-out pairs"),
    "eval_split": (0.0, "share of the prompts to hold out where there is no eval_data"),
    "micro_batch": ("auto", "pairs in one forward pass: auto, as-given, or a number"),
    "precision": ("auto", "auto, fp32 or bf16"),
    "threads": ("auto", "auto (the physical cores), or a number"),
    "sharing": ("auto", "auto: common beginnings are computed once; off: as plain TRL"),
    "report": ("latex,markdown", "formats of the report at the end, or none"),
}
"""Every option outside the tables: its default and its meaning."""
PATHS = ("model", "output_dir", "data", "eval_data")
SUFFIXES = (".jsonl", ".json", ".csv", ".parquet", ".gguf")
WORDS = {"precision": ("auto", "fp32", "bf16"), "sharing": ("auto", "off")}
NEEDED = ("model", "output_dir", "data")


@dataclass(slots=True)
class Options:
    """What was asked."""

    values: dict[str, Any]
    """The options outside the tables, by name."""
    dpo: dict[str, Any]
    """Fields of trl's DPOConfig that were asked for."""
    lora: dict[str, Any] | None
    """Fields of peft's LoraConfig; None trains the whole model."""
    origin: dict[str, str] = field(default_factory=dict)
    """Where each option comes from, by ``name`` or ``table.name``."""

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def need(self) -> None:
        """Raise a ReportError naming what is missing."""
        missing = [name for name in NEEDED if not self.values[name]]
        if missing:
            hint = " ".join(f"--{name.replace('_', '-')} ..." for name in missing)
            raise ReportError(f"train needs {', '.join(missing)}", f"in the configuration file, or {hint}")


def gather(args: argparse.Namespace) -> Options:
    """The options of a command line and of the file that it names.

    Raises:
        ReportError: the file is missing or no TOML, or a word is unknown or of the wrong kind.
    """
    options = Options({name: default for name, (default, _) in DEFAULTS.items()}, {}, None)
    options.origin = dict.fromkeys(DEFAULTS, "default")
    if args.config is not None:
        _from_file(options, args.config)
    for name in DEFAULTS:
        told = getattr(args, name, None)
        if told is not None:
            options.values[name], options.origin[name] = told, "command line"
    for word in args.sets:
        _set(options, word)
    _check(options)
    return options


def _from_file(options: Options, path: Path) -> None:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}", "give a TOML file with the options") from None
    except ValueError as error:
        raise ReportError(f"{path} is not valid TOML: {' '.join(str(error).split())}") from None
    for key, value in content.items():
        if key in ("dpo", "lora"):
            if not isinstance(value, dict):
                raise ReportError(f"{path}: {key} is not a table", f"write [{key}] on a line of its own")
            table = options.dpo if key == "dpo" else _lora(options)
            table.update(value)
            options.origin.update({f"{key}.{name}": path.name for name in value})
        elif key in DEFAULTS:
            options.values[key] = _beside(path, key, value) if key in PATHS else value
            options.origin[key] = path.name
        else:
            known = ", ".join(DEFAULTS)
            hint = f"options: {known}; what is trl's own belongs into [dpo], peft's into [lora]"
            raise ReportError(f"{path}: unknown option {key!r}", hint)


def _beside(config: Path, name: str, value: Any) -> Any:
    """A path of the file, relative to the file; what may be a word or a hub id only where it is there."""
    if not isinstance(value, str) or not value or Path(value).is_absolute():
        return value
    found = config.parent / value
    is_path = name == "output_dir" or found.exists() or value.startswith(".") or Path(value).suffix in SUFFIXES
    return str(found) if is_path else value


def _lora(options: Options) -> dict[str, Any]:
    options.lora = {} if options.lora is None else options.lora
    return options.lora


def _set(options: Options, word: str) -> None:
    """One ``table.key=value``; the value is TOML, or plain text where it is none."""
    name, equals, text = word.partition("=")
    table, dot, key = name.strip().partition(".")
    if not equals or not dot or table not in ("dpo", "lora"):
        raise ReportError(f"cannot set {word!r}", "write dpo.NAME=VALUE or lora.NAME=VALUE")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        value = text.strip()
    (options.dpo if table == "dpo" else _lora(options))[key] = value
    options.origin[f"{table}.{key}"] = "command line"


def _check(options: Options) -> None:
    for name in ("micro_batch", "threads"):
        value = options.values[name]
        words = ("auto", "as-given") if name == "micro_batch" else ("auto",)
        if isinstance(value, str) and value.isdigit():
            value = options.values[name] = int(value)
        whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
        if not whole and value not in words:
            raise ReportError(f"{name} = {value!r} is neither {' nor '.join(words)} nor a whole number above 0")
    for name, choices in WORDS.items():
        if options.values[name] not in choices:
            raise ReportError(f"{name} = {options.values[name]!r} is not one of {', '.join(choices)}")
    share = options.values["eval_split"]
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
        raise ReportError(f"eval_split = {share!r} is no share from 0 up to 1")
    if share and options.values["eval_data"]:
        raise ReportError("eval_data and eval_split exclude each other", "leave one of them out")
    if options.dpo.get("output_dir"):
        raise ReportError("output_dir stands outside [dpo]", "write output_dir = ... above the tables")


def printed(options: Options, decided: Mapping[str, tuple[Any, str]], library: Mapping[str, Any], trl: str) -> str:
    """Every option as TOML, its origin behind it; ``decided`` are our [dpo] defaults with their reasons."""
    lines = []
    for name, (_, meaning) in DEFAULTS.items():
        value = options.values[name]
        shown = f"{name} = {toml(value)}" if value is not None else f"# {name} ="
        lines.append(f"{shown}  # {options.origin[name]}; {meaning}")
    lines += ["", "[dpo]"]
    for name in dict.fromkeys((*options.dpo, *decided, *library)):
        if name in options.dpo:
            value, origin = options.dpo[name], options.origin[f"dpo.{name}"]
        elif name in decided:
            value, origin = decided[name][0], f"dpo-report: {decided[name][1]}"
        else:
            value, origin = library[name], f"default of trl {trl}"
        if name != "output_dir":
            lines.append(f"{name} = {toml(value)}  # {origin}" if value is not None else f"# {name} =  # {origin}")
    if options.lora is not None:
        lines += ["", "[lora]"]
        lines += [f"{name} = {toml(value)}  # {options.origin[f'lora.{name}']}" for name, value in options.lora.items()]
    return "\n".join(lines)


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    import json

    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(str(value), ensure_ascii=False)
