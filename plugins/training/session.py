"""One training session: model and trainer made, trained, saved, its facts written, its report built."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, TypeVar

from dpo_report.core.errors import ReportError
from dpo_report.plugins.training import decide, facts, hardware, memory, models, processes, told, trainer, watch
from dpo_report.plugins.training import train as parts
from dpo_report.plugins.training.attempts import Attempts
from dpo_report.plugins.training.options import Options
from dpo_report.plugins.training.pairs import Pairs

_T = TypeVar("_T")


def train(asked: Options, rows: Pairs, held: Pairs | None, *, resume: bool, main: bool) -> int:
    """Train as asked and build the report; gives the exit status: 0, or 130 and 143 after a signal."""
    if os.environ.get("ACCELERATE_DEEPSPEED_ZERO_STAGE") == "3":
        raise ReportError("train loads the model whole, which DeepSpeed's ZeRO-3 does not allow", "use zero_stage 2")
    run, here = Path(asked["output_dir"]), hardware.machine()
    with processes.together(cpu=not here.accelerator) as state:
        status = _train(asked, rows, held, run, here, state, resume, main)
    if main and not status:  # the other processes are done
        report(run, asked["report"], "trained and saved")
    return status


def _train(
    asked: Options,
    rows: Pairs,
    held: Pairs | None,
    run: Path,
    here: hardware.Machine,
    state: Any,
    resume: bool,
    main: bool,
) -> int:
    """What all processes do together; model and trainer are gone with its end."""
    import torch

    world = int(state.num_processes)
    library = decide.library_defaults()
    given = parts.effective_given(asked, library)
    parts.check_size(rows, given, world)
    hashes = {"train_sha256": rows.sha256} | ({"eval_sha256": held.sha256} if held else {})
    with state.main_process_first():
        checkpoint = parts.start_of(run, resume, hashes) if main else trainer.last_whole(run) if resume else None
        threads = _threads(asked["threads"], here, world)
        torch.set_num_threads(threads)
        source = models.prepare(asked["model"], run, rows.pairs, int(asked.dpo.get("seed", 42)))
    model, tokenizer = models.load(source)
    _chat_or_stop(rows, tokenizer, asked["model"])
    half = decide.precision(asked["precision"], here)
    planned = decide.steps(asked.dpo, library, len(rows.pairs), given[0] * given[1] * world)
    decided = decide.defaults(here, half, planned, held is not None)
    plan = _agreed(parts.micro(asked, model, tokenizer, rows, library, half[0], world))
    if plan.checkpointing and not asked.dpo.get("gradient_checkpointing"):
        decided["gradient_checkpointing"] = (True, "memory asks for it")
    if checkpoint:  # the evaluation before the first step was made then
        decided["eval_on_start"] = (False, "resumed")
        asked.dpo.pop("eval_on_start", None)
    config = _config(asked, decided, plan, here, run)
    _tell(here, threads, half, plan, given, config, main)
    attempts, stop = Attempts(run, main), watch.Stop()
    with stop:
        made = trainer.trainer_class()(
            model=model,
            args=config,
            processing_class=tokenizer,
            train_dataset=_dataset(rows),
            eval_dataset=_dataset(held) if held else None,
            peft_config=_lora(asked),
            callbacks=[watch.callback(stop, attempts, run, plan.micro * plan.accumulation * world, main)],
            attempts=attempts,
            share=asked["sharing"] == "auto",
        )
        for old in [c for c in made.callback_handler.callbacks if type(c).__name__ == "PrinterCallback"]:
            made.remove_callback(old)
        if main:
            run.mkdir(parents=True, exist_ok=True)
            trainer.remove_broken(run)
            facts.write(run, told.before(asked, rows, held, made, plan, given, here, world, threads, half, source))
        made.work.reset()  # the reference's passes came before the clock starts
        started = time.perf_counter()
        try:
            output = made.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        except BaseException:
            attempts.end("failed")
            raise
        seconds = time.perf_counter() - started
    if stop.by:
        attempts.end("interrupted")
        if main:
            facts.write(run, told.after(made, attempts, seconds))
            parts.say(f"stopped by {stop.by} at step {made.state.global_step} of {made.state.max_steps}")
            parts.say("go on with the same command and --resume")
        state.wait_for_everyone()  # a launcher kills the others when the first one ends with such a status
        return 143 if stop.by == "SIGTERM" else 130
    attempts.end("completed")
    _save(made, output, held is not None)
    if main:
        facts.write(run, told.after(made, attempts, seconds))
    return 0


def _agreed(mine: _T) -> _T:
    """What the first process decided, for all of them: free memory differs from one moment to the next."""
    from accelerate.utils import broadcast_object_list

    found: _T = broadcast_object_list([mine])[0]
    return found


def _threads(asked: Any, here: hardware.Machine, world: int) -> int:
    return max(1, here.cores // world) if asked == "auto" else int(asked)


def _chat_or_stop(rows: Pairs, tokenizer: Any, model: str) -> None:
    if rows.chat and not getattr(tokenizer, "chat_template", None):
        hint = "give the pairs as texts, or a model with a chat template"
        raise ReportError(f"the pairs are chat messages, and {model} has no chat template", hint)


def _dataset(side: Pairs) -> Any:
    from datasets import Dataset

    return Dataset.from_list([pair.columns() for pair in side.pairs])


def _lora(asked: Options) -> Any:
    if asked.lora is None:
        return None
    from peft import LoraConfig

    try:
        return LoraConfig(**{"task_type": "CAUSAL_LM", **asked.lora})
    except TypeError as error:
        raise ReportError(f"[lora]: {error}", "the fields are those of peft.LoraConfig") from None


def _config(asked: Options, decided: decide.Decided, plan: memory.Plan, here: hardware.Machine, run: Path) -> Any:
    from trl import DPOConfig

    values = {name: value for name, (value, _) in decided.items()} | asked.dpo
    values |= {"per_device_train_batch_size": plan.micro, "gradient_accumulation_steps": plan.accumulation}
    values.setdefault("per_device_eval_batch_size", plan.micro)
    if not here.accelerator:
        values["use_cpu"] = True
    try:
        return DPOConfig(output_dir=str(run), **values)
    except TypeError as error:
        raise ReportError(f"[dpo]: {error}", "the fields are those of trl.DPOConfig") from None
    except ValueError as error:
        raise ReportError(f"[dpo]: {' '.join(str(error).split())[:200]}") from None


def _tell(
    here: hardware.Machine,
    threads: int,
    half: tuple[bool, str],
    plan: memory.Plan,
    given: tuple[int, int],
    config: Any,
    main: bool,
) -> None:
    number = "bf16" if config.bf16 else "fp32"
    parts.say(f"{here}; {threads} {'thread' if threads == 1 else 'threads'}, {number} ({half[1]})", main)
    said = f"micro-batches of {plan.micro} × {plan.accumulation}"
    if (plan.micro, plan.accumulation) != given:
        said += f", for the {given[0]} × {given[1]} asked for"
    saving = ", gradient checkpointing" if config.gradient_checkpointing else ""
    parts.say(f"{said}{saving}; about {plan.bytes / 2**30:.1f} GiB of memory", main)


def _save(made: Any, output: Any, held: bool) -> None:
    """What ``trainer.train()`` alone does not leave: results, state, weights."""
    metrics = dict(output.metrics)
    closing: dict[str, Any] = next((row for row in reversed(made.state.log_history) if "train_runtime" in row), {})
    metrics |= {key: closing[key] for key in metrics if key in closing}
    made.save_metrics("train", metrics)
    last = next((row for row in reversed(made.state.log_history) if "eval_loss" in row), None)
    if held and last is not None:
        made.save_metrics("eval", {key: value for key, value in last.items() if key != "step"})
    made.save_state()
    made.save_model()


def report(run: Path, formats: str, done: str) -> None:
    """Build the report; what was ``done`` stands also where this fails."""
    if formats == "none":
        return
    from dpo_report.core.build import build

    try:
        report = build(run, formats=tuple(name.strip() for name in formats.split(",")))
    except ReportError as error:
        parts.say(f"{done} in {run}; no report: {error.message}")
        return
    parts.say(f"{done} in {run}; report in {report.directory}")
