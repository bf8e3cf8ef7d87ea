"""Makes ``plugins/readers/hf/defaults.json``: the defaults of the training arguments, by library version.

Usage: ``python tests/tools/make_defaults.py WHEELS``, where WHEELS is a folder of transformers and trl wheels, made
by ``pip download --no-deps -d WHEELS trl==1.16.0`` and so on. Nothing in them is imported or run: the sources are
parsed, and only defaults that stand there as literals are taken.
"""

from __future__ import annotations

import argparse
import ast
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

TARGET = Path(__file__).parents[2] / "plugins" / "readers" / "hf" / "defaults.json"
BASE = "TrainingArguments"
CONFIGS = ("DPO", "SFT", "Reward", "KTO", "ORPO", "CPO", "GRPO", "RLOO")
COMMENT = (
    "Defaults of training-argument classes. 'examined' lists the releases that were looked at. Each class names its "
    "library, the first and last of those releases that have it ('tested'), its 'base' and its fields; a class holds "
    "only the fields that it declares itself or takes from classes of its own library. A field is a list of "
    "changes in ascending order: [version, default]; [version] where the class stops declaring it, so that the base "
    "decides; [version, null, 'computed'] where the default depends on other fields or on the machine. The default "
    "of a release between two examined ones is known only where both agree. A list of one word equals that word."
)
# Declared with a literal, but replaced from other fields or the machine before the arguments are saved.
COMPUTED = frozenset({
    "accelerator_config", "activation_checkpointing", "dataloader_pin_memory", "debug", "deepspeed_plugin",
    "disable_tqdm", "do_eval", "eval_steps", "fsdp", "fsdp_config", "generation_batch_size",
    "greater_is_better", "half_precision_backend", "hub_model_id", "hub_token",
    "include_num_input_tokens_seen", "local_rank", "logging_dir", "metric_for_best_model", "mp_parameters",
    "output_dir", "report_to", "run_name", "steps_per_generation", "torch_compile_backend",
})  # fmt: skip
BF16 = "self.bf16 = not self.fp16 if self.bf16 is None else self.bf16"
ABSENT, UNKNOWN = ("absent",), ("computed",)
State = tuple[Any, ...]


@dataclass
class Sources:
    """The classes of one wheel."""

    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)
    """For each class the names that its module imported under another one."""


def read_wheel(path: Path) -> Sources:
    """Classes of the modules that declare arguments; a class that only re-exports another stands for it."""
    found = Sources()
    with zipfile.ZipFile(path) as wheel:
        for name in sorted(wheel.namelist(), key=lambda name: ("experimental" not in name, name)):
            stem = PurePosixPath(name).stem
            if not name.endswith(".py") or not (
                stem.endswith("_config")
                or stem in ("training_args", "trainer_utils")
                or name.endswith("trainer/utils.py")
            ):
                continue
            tree = ast.parse(wheel.read(name))
            renamed = {
                one.asname: one.name
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom)
                for one in node.names
                if one.asname
            }
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    bases = [renamed.get(base, base) for base in _bases(node)]
                    if node.name not in bases:
                        found.classes[node.name] = node
                        found.aliases[node.name] = renamed
    return found


def _bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).split(".")[-1] for base in node.bases]


def defaults(sources: Sources, name: str) -> dict[str, State] | None:
    """State of every field of a class, those of its bases in the same library included; None if there is no class."""
    node = sources.classes.get(name)
    if node is None:
        return None
    fields: dict[str, State] = {}
    for base in reversed(_bases(node)):
        if base != BASE:
            fields |= defaults(sources, sources.aliases[name].get(base, base)) or {}
    fields |= dict(_declared(node, sources))
    body = ast.unparse(node)
    if BF16 in body.replace("(", "").replace(")", "") and fields.get("bf16") == (None,):
        fields["bf16"] = (True,)
    if "self.gradient_checkpointing = False" in body and fields.get("gradient_checkpointing") == (None,):
        fields["gradient_checkpointing"] = (False,)
    if "self.scale_rewards = {True: 'group'" in body and fields.get("scale_rewards") == (True,):
        fields["scale_rewards"] = ("group",)
    return fields


def _declared(node: ast.ClassDef, sources: Sources) -> Iterator[tuple[str, State]]:
    constants: dict[str, list[ast.expr]] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name):
            constants.setdefault(inner.targets[0].id, []).append(inner.value)
    for inner in node.body:
        if not isinstance(inner, ast.AnnAssign) or not isinstance(inner.target, ast.Name) or inner.value is None:
            continue
        name = inner.target.id
        if name in COMPUTED:
            yield name, UNKNOWN
        elif "ClassVar" not in ast.unparse(inner.annotation):
            state = _state(inner.value, constants, sources)
            yield name, UNKNOWN if state == ("auto",) and name == "pad_to_multiple_of" else state


def _state(value: ast.expr, constants: dict[str, list[ast.expr]], sources: Sources) -> State:
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "field":
        given = {one.arg: one.value for one in value.keywords}
        if "default" in given:
            return _state(given["default"], constants, sources)
        factory = given.get("default_factory")
        if isinstance(factory, ast.Lambda):
            return _state(factory.body, constants, sources)
        if factory is not None and ast.unparse(factory) in ("list", "dict"):
            return ([] if ast.unparse(factory) == "list" else {},)
        return UNKNOWN
    if isinstance(value, ast.Name) and len(constants.get(value.id, ())) == 1:
        return _state(constants[value.id][0], {}, sources)
    if isinstance(value, ast.Attribute):
        return _member(ast.unparse(value), sources)
    try:
        return (ast.literal_eval(value),)
    except ValueError:
        return UNKNOWN


def _member(dotted: str, sources: Sources) -> State:
    """The value of ``Enum.MEMBER`` or ``Enum.MEMBER.value``."""
    owner, _, member = dotted.removesuffix(".value").rpartition(".")
    for inner in sources.classes[owner].body if owner in sources.classes else ():
        if isinstance(inner, ast.Assign) and ast.unparse(inner.targets[0]) == member:
            return (ast.literal_eval(inner.value),)
    return UNKNOWN


def changes(states: list[tuple[str, State]]) -> list[list[Any]]:
    """The change list of one field."""
    found: list[list[Any]] = []
    before: State = ABSENT
    for version, state in states:
        if repr(state) != repr(before):
            entry = (
                [version] if state is ABSENT else [version, None, "computed"] if state is UNKNOWN else [version, *state]
            )
            found.append(entry)
        before = state
    return found


def table(wheels: Path) -> dict[str, Any]:
    """The whole file."""
    releases: dict[str, list[tuple[str, Sources]]] = {"transformers": [], "trl": []}
    for path in sorted(wheels.glob("*.whl"), key=lambda path: [int(n) for n in path.name.split("-")[1].split(".")]):
        library, version = path.name.split("-")[:2]
        releases[library].append((version, read_wheel(path)))
    result: dict[str, Any] = {
        "comment": COMMENT,
        "examined": {library: [version for version, _ in found] for library, found in releases.items()},
    }
    for name in (BASE, *(f"{config}Config" for config in CONFIGS)):
        library = "transformers" if name == BASE else "trl"
        found = [(version, defaults(sources, name)) for version, sources in releases[library]]
        having = [(version, fields) for version, fields in found if fields is not None]
        names = sorted({one for _, fields in having for one in fields})
        result[name] = {
            "library": library,
            **({} if name == BASE else {"base": BASE}),
            "tested": [having[0][0], having[-1][0]],
            "fields": {
                one: changes([(version, fields.get(one, ABSENT)) for version, fields in having]) for one in names
            },
        }
    return result


def written(content: dict[str, Any]) -> str:
    """JSON with one line a field."""

    def dump(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    parts = []
    for key, value in content.items():
        if "fields" in value and isinstance(value, dict):
            lines = ",\n".join(f"{dump(name)}:{dump(entry)}" for name, entry in value["fields"].items())
            head = dump({**value, "fields": {}}).removesuffix("{}}")
            parts.append(f"{dump(key)}:{head}{{\n{lines}}}}}")
        else:
            parts.append(f"{dump(key)}:{dump(value)}")
    return "{" + ",\n".join(parts) + "}\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheels", type=Path)
    TARGET.write_text(written(table(parser.parse_args().wheels)), encoding="utf-8")
