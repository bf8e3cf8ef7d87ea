"""``dpo-report train``: from pairs to a trained model with its report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dpo_report.core.errors import ReportError
from dpo_report.plugins.training import decide, facts, hardware, lengths, memory, options, pairs
from dpo_report.plugins.training.attempts import Attempts
from dpo_report.plugins.training.needed import TRAIN, need, quiet
from dpo_report.plugins.training.options import Options
from dpo_report.plugins.training.pairs import Pairs


def run(args: argparse.Namespace) -> int:
    """The command."""
    asked = options.gather(args)
    if args.print_config:
        return _print_config(asked)
    asked.need()
    main = int(os.environ.get("RANK", "0")) == 0
    train, held = data(asked, main)
    if args.check_data:
        return 0
    need(*TRAIN)
    quiet()
    from dpo_report.plugins.training import failing, session

    with failing.one_line(asked["output_dir"]):
        return session.train(asked, train, held, resume=args.resume, main=main)


def say(line: str, main: bool = True) -> None:
    """A remark on stderr, by one process only."""
    if main:
        sys.stderr.write(f"dpo-report: {line}\n")


def data(asked: Options, main: bool) -> tuple[Pairs, Pairs | None]:
    """Training and held-out pairs, with all that is wrong with them told."""
    train = pairs.read_pairs(asked["data"])
    held = None
    if asked["eval_data"]:
        held = pairs.read_pairs(asked["eval_data"])
    elif asked["eval_split"]:
        train, held = pairs.split(train, asked["eval_split"], int(asked.dpo.get("seed", 42)))
    if held is not None and held.chat != train.chat:
        train.pairs, held.pairs = ([pairs.as_chat(pair) for pair in side.pairs] for side in (train, held))
    for side in (train, held):
        for line in side.said() if side else ():
            say(line, main)
    said = f"{len(train.pairs):,} training pairs"
    if held is not None:
        said += f", {len(held.pairs):,} held out"
        shared = pairs.leaked(train.pairs, held.pairs)
        if shared:
            rows = ", ".join(str(pair.row) for pair in shared[:5]) + (", ..." if len(shared) > 5 else "")
            what = (
                f"{len(shared):,} held-out {'pair has its prompt' if len(shared) == 1 else 'pairs have their prompts'}"
            )
            say(f"leakage: {what} in the training set too (rows {rows} of {held.name})", main)
    say(said, main)
    return train, held


def _print_config(asked: Options) -> int:
    library: Mapping[str, Any] = {}
    decided: decide.Decided = {}
    trl = "(not installed)"
    try:
        need(*TRAIN)
    except ReportError as error:
        say(f"{error.message}; trl's own defaults are left out")
    else:
        library, trl = decide.library_defaults(), facts.versions()["trl"]
        here = hardware.machine()
        decided = decide.defaults(here, decide.precision(asked["precision"], here), 1, _holds_out(asked))
    sys.stdout.write(options.printed(asked, decided, library, trl) + "\n")
    return 0


def _holds_out(asked: Options) -> bool:
    return bool(asked["eval_data"] or asked["eval_split"])


def effective_given(asked: Options, library: Mapping[str, Any]) -> tuple[int, int]:
    """Pairs per device and accumulation steps, as asked or as trl has them."""
    names = ("per_device_train_batch_size", "gradient_accumulation_steps")
    size, accumulation = (int(asked.dpo.get(name, library[name])) for name in names)
    if size < 1 or accumulation < 1:
        raise ReportError(f"{names[0]} and {names[1]} must be at least 1")
    return size, accumulation


def micro(
    asked: Options, model: Any, tokenizer: Any, train: Pairs, library: Mapping[str, Any], half: bool, world: int
) -> memory.Plan:
    """The micro-batch that will be done."""
    given = effective_given(asked, library)
    limit = asked.dpo.get("max_length", library.get("max_length"))
    share = asked["sharing"] == "auto"
    wanted = memory.need_of(model, lengths.measured(tokenizer, train, share, limit), half)
    if asked.lora is not None:  # the adapter is added later; it is a few hundredths of the model
        wanted = replace(wanted, trainable=wanted.parameters // 50)
    checkpointing = asked.dpo.get("gradient_checkpointing")
    return memory.plan(
        wanted,
        given,
        asked["micro_batch"],
        len(train.pairs),
        world,
        hardware.available() // max(world, 1),
        checkpointing,
    )


def check_size(train: Pairs, given: tuple[int, int], world: int) -> None:
    """A data set smaller than one optimizer step is told, as a step is then not what was asked for."""
    effective = given[0] * given[1] * world
    if len(train.pairs) < effective:
        raise ReportError(
            f"{len(train.pairs)} training pairs are fewer than the {effective} of one optimizer step",
            "lower dpo.per_device_train_batch_size or dpo.gradient_accumulation_steps",
        )


def start_of(run: Path, resume: bool, hashes: Mapping[str, str]) -> Path | None:
    """The checkpoint to go on from, or None to begin.

    Raises:
        ReportError: the folder holds a run and no ``--resume`` was given, or its data were others.
    """
    from dpo_report.plugins.training.trainer import last_whole

    held = (run / "trainer_state.json").exists() or any(run.glob("checkpoint-*")) or Attempts(run, False).all
    if held and not resume:
        raise ReportError(f"{run} already holds a run", "go on with --resume, or give another output_dir")
    if resume and not held:
        say(f"nothing to go on from in {run}; beginning")
    if not held:
        return None
    before = facts.read(run).get("data", {})
    for name, now in hashes.items():
        if isinstance(before, dict) and before.get(name, now) != now:
            raise ReportError(f"the {name.removesuffix('_sha256')} data are not those that {run} was begun with")
    return last_whole(run)
