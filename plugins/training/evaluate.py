"""``dpo-report evaluate``: held-out pairs scored by a trained model and the one that it started from."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dpo_report.core.errors import ReportError
from dpo_report.plugins import reading
from dpo_report.plugins.training import facts, failing, hardware, measures, models, pairs
from dpo_report.plugins.training.measures import Scored
from dpo_report.plugins.training.needed import need, quiet
from dpo_report.plugins.training.train import say

FOLDER = "evaluation"


def run(args: argparse.Namespace) -> int:
    """The command."""
    where: Path = args.run
    if not where.is_dir():
        raise ReportError(f"there is no run folder {where}", "give the folder that train or a trainer wrote")
    held = pairs.read_pairs(args.data)
    for line in held.said():
        say(line)
    need("torch", "transformers")
    if (policy_folder(where) / "adapter_config.json").exists():
        need("peft")
    quiet_or_not()
    with failing.one_line(str(where)):
        result, tables = evaluate(where, held, args)
        _write(where, result, tables)
    _tell(result)
    _report(where, args.report)
    return 0


def quiet_or_not() -> None:
    """Silence the libraries; data sets are not needed here."""
    from importlib.util import find_spec

    if find_spec("datasets"):
        quiet()


def policy_folder(where: Path) -> Path:
    """The folder with the trained weights: the run's own, else its furthest checkpoint.

    Raises:
        ReportError: neither holds weights.
    """
    checkpoints = [path for path in where.glob("checkpoint-*") if path.name.rpartition("-")[2].isdigit()]
    for folder in (where, *sorted(checkpoints, key=lambda path: -int(path.name.rpartition("-")[2]))):
        names = ("*.safetensors", "pytorch_model*.bin", "adapter_model.*")
        if any(next(folder.glob(name), None) for name in names):
            return folder
    raise ReportError(f"{where} holds no weights", "evaluate needs the model that was trained")


def reference_of(where: Path, policy: Path, asked: str | None) -> str:
    """The starting model: as asked, as the run's facts have it, as the adapter names it, as the model card says."""
    told = facts.read(where).get("reference")
    if asked:
        return asked
    if isinstance(told, str):
        return str(where / told) if (where / told).is_dir() else told
    if (policy / "adapter_config.json").exists():
        named = json.loads((policy / "adapter_config.json").read_text(encoding="utf-8")).get("base_model_name_or_path")
        if named:
            return str(named)
    for card in (policy / "README.md", where / "README.md"):
        if card.exists():
            found = re.search(r"^base_model:\s*(\S+)\s*$", card.read_text(encoding="utf-8", errors="replace"), re.M)
            if found:
                return found[1]
    raise ReportError(f"{where} does not tell which model it started from", "give it with --reference MODEL")


def evaluate(where: Path, held: pairs.Pairs, args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """The result, and its tables of pairs and of generations."""
    import torch

    from dpo_report.core.loader import load

    known = load(where)
    here = hardware.machine()
    torch.set_num_threads(here.cores if args.threads == "auto" else int(args.threads))
    told = reading.beta(known)
    beta = args.beta or (told.value if told else 0.1)
    if not args.beta and (told is None or told.assumed):
        say("the run does not tell β; 0.1 is taken (--beta sets it)")
    limit = args.max_length or reading.whole(reading.setting(known, "max_length")) or 1024
    policy, start = policy_folder(where), time.perf_counter()
    name = reference_of(where, policy, args.reference)
    sides = _both(policy, name, held, limit, args)
    kept = [i for i, ids in enumerate(sides["ids"]) if ids is not None]
    if not kept:
        raise ReportError(f"no answer of {held.name} fits into {limit} tokens", "raise --max-length")
    scored = [
        Scored(held.pairs[i].row, p[0], p[1], r[0], r[1], len(sides["ids"][i].chosen), len(sides["ids"][i].rejected))
        for i, p, r in zip(kept, sides["policy"], sides["reference"], strict=True)
    ]
    texts = [{part: pairs.text(value) for part, value in held.pairs[i].columns().items()} for i in kept]
    prompts = {pairs.prompt_key(held.pairs[i]) for i in kept}
    result: dict[str, Any] = {
        "schema": 1,
        "kind": "preference-evaluation",
        "generator": "dpo-report",
        "name": args.name or Path(held.name).stem,
        "step": known.global_step,
        "beta": beta,
        "pairs": len(scored),
        "data": {
            "file": held.name,
            "sha256": held.sha256,
            "left_out": len(held.faults),
            "too_long": len(held.pairs) - len(kept),
            "cut": sum(sides["ids"][i].cut for i in kept),
            "prompts": len(prompts),
            **_leakage(where, held, args.train_data),
        },
        "policy": {"folder": policy.relative_to(where).as_posix(), "sha256": models.weights_hash(policy)},
        "reference": {
            "model": models.short(name),
            "sha256": models.weights_hash(Path(name)) if Path(name).is_dir() else "",
        },
        "max_length": limit,
        "hardware": str(here),
        "seconds": round(time.perf_counter() - start, 1),
        "versions": facts.versions(),
        "values": measures.values(scored, beta),
        "shown": measures.extremes(scored, beta, texts),
    }
    tables: dict[str, list[Any]] = {"pairs": [one.record(beta) for one in scored]}
    if sides["answers"]:
        tables["generations"], result["generations"] = [], {}
        for how, (mine, theirs) in sides["answers"].items():
            result["generations"][how] = measures.answers(mine, theirs)
            for row, one, other in zip(sides["asked"], mine, theirs, strict=True):
                tables["generations"].append(
                    {"row": row, "how": how, "policy": asdict(one), "reference": asdict(other)}
                )
    return result, tables


def _both(policy: Path, name: str, held: pairs.Pairs, limit: int, args: argparse.Namespace) -> dict[str, Any]:
    """Scores and answers of both models, one in memory at a time (LoRA: one model, the adapter on and off)."""
    from dpo_report.plugins.training import generations, scoring

    adapter = (policy / "adapter_config.json").exists()
    model, tokenizer = models.load(name if adapter else str(policy))
    ids = scoring.tokenise(tokenizer, held.pairs, limit)
    usable = [one for one in ids if one is not None]
    every = max(1, len(held.pairs) // max(args.samples, 1))
    picked = held.pairs[::every][: args.samples]
    prompts = [_prompt(tokenizer, pair) for pair in picked]
    found: dict[str, Any] = {"ids": ids, "asked": [pair.row for pair in picked], "answers": {}}

    def side(which: str, one: Any) -> None:
        one.eval()
        base = one.get_base_model() if hasattr(one, "get_base_model") else one
        say(f"scoring {len(usable):,} pairs with the {which}")
        found[which] = scoring.score(base, usable, args.batch, tokenizer.pad_token_id or 0)
        for how in ("greedy", "drawn") if prompts else ():
            answers = generations.generate(one, tokenizer, prompts, args.max_new_tokens, how == "drawn")
            found["answers"].setdefault(how, []).append(answers)

    if adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(policy))
        side("policy", model)
        with model.disable_adapter():
            side("reference", model)
    else:
        side("policy", model)
        del model
        side("reference", models.load(name)[0])
    return found


def _prompt(tokenizer: Any, pair: pairs.Pair) -> list[int]:
    if isinstance(pair.prompt, str):
        ids: list[int] = tokenizer(pair.prompt)["input_ids"]
        return ids
    made = tokenizer.apply_chat_template(pair.prompt, add_generation_prompt=True, tokenize=True, return_dict=True)
    return list(made["input_ids"])


def _leakage(where: Path, held: pairs.Pairs, asked: str | None) -> dict[str, Any]:
    """How many held-out pairs have their prompt in the training set; nothing where that cannot be checked."""
    if asked:
        train = pairs.read_pairs(asked)
        return {"train_file": train.name, "pairs_in_train": len(pairs.leaked(train.pairs, held.pairs))}
    data = facts.read(where).get("data", {})
    same = isinstance(data, dict) and held.sha256 and data.get("eval_sha256") == held.sha256
    if same and "eval_prompts_in_train" in data:
        return {"train_file": data.get("train_file", ""), "pairs_in_train": data["eval_prompts_in_train"]}
    return {}


def _write(where: Path, result: dict[str, Any], tables: dict[str, list[Any]]) -> None:
    folder = where / FOLDER
    folder.mkdir(exist_ok=True)
    for table, rows in tables.items():
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        facts.replace(folder / f"{result['name']}.{table}.jsonl", lines)
    facts.replace(folder / f"{result['name']}.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def _tell(result: dict[str, Any]) -> None:
    """The main numbers, and the surest and the least sure pairs, answers side by side."""
    out = sys.stdout.write
    found = result["values"]
    accuracy, ranking = found["accuracy"], found["ranking"]
    out(f"{result['pairs']} pairs, β = {result['beta']:g}\n")
    for label, one in (("implicit-reward accuracy", accuracy), ("ranking by the policy's own likelihood", ranking)):
        out(f"  {label}: {one['k']} of {one['n']}, {one['low']:.2f} to {one['high']:.2f} (95 %), p = {one['p']:.2g}\n")
    for label, key in (("margin", "margin"), ("chosen, nats", "drift_chosen"), ("rejected, nats", "drift_rejected")):
        one = found[key]
        interval = f" ({one['low']:.4g} to {one['high']:.4g})" if "low" in one else ""
        out(f"  {label}: {one['value']:.4g}{interval}\n")
    for title, key in (("surest pairs", "most_certain"), ("least sure pairs", "least_certain")):
        out(f"\n{title}\n")
        for one in result["shown"][key]:
            out(f"  row {one['row']}, margin {one['margin']:+.3f}\n")
            for part in ("chosen", "rejected"):
                out(f"    {part:9} {' '.join(one[part].split())[:150]}\n")


def _report(where: Path, formats: str) -> None:
    from dpo_report.plugins.training.session import report

    report(where, formats, "evaluated")
