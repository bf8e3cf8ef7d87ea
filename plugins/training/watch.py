"""What happens beside the training: the line or bar of progress, signals, the state on disk, NaN."""

from __future__ import annotations

import math
import signal
import sys
import time
from pathlib import Path
from typing import Any

from dpo_report.core.errors import ReportError
from dpo_report.plugins.training.attempts import Attempts
from dpo_report.plugins.training.facts import replace

LINE = 10.0
"""Seconds between two lines where there is no terminal."""
STATE = 5.0
"""Seconds between two writings of the trainer's state."""


class Stop:
    """SIGINT and SIGTERM ask for a stop after the running step; the second SIGINT does not wait."""

    def __init__(self) -> None:
        self.by = ""
        self._old: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._old[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, old in self._old.items():
            signal.signal(number, old)

    def _ask(self, number: int, _frame: object) -> None:
        if self.by and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.by = signal.Signals(number).name
        sys.stderr.write(f"\n{self.by}: stopping after this step, with a checkpoint\n")


def callback(stop: Stop, attempts: Attempts, run: Path, pairs: int, show: bool) -> Any:
    """The transformers callback that does all of it; ``pairs`` are those of one optimizer step."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        def __init__(self) -> None:
            self.progress = Progress(pairs) if show else None
            self.saved = time.perf_counter()

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            attempts.begin(state.global_step)
            if self.progress:
                self.progress.begin(state.global_step, state.max_steps)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            attempts.beat(state.global_step)
            if self.progress:
                self.progress.step(state.global_step)
            if _anyone(bool(stop.by), args.world_size):
                stop.by = stop.by or "another process"
                control.should_save = control.should_training_stop = True
                control.should_evaluate = False

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
            logs = logs or {}
            loss = logs.get("loss")
            if self.progress:
                self.progress.log(logs)
            ending = "train_runtime" in logs
            if state.is_world_process_zero and (ending or time.perf_counter() - self.saved > STATE):
                self._write(state)
            if loss is not None and not math.isfinite(loss) and not ending:
                if state.is_world_process_zero:
                    self._write(state)
                raise ReportError(
                    f"the loss is {loss} at step {state.global_step}; training stopped",
                    "lower dpo.learning_rate or set dpo.max_grad_norm; the rows so far are in trainer_state.json",
                )

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            attempts.save()

        def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            attempts.beat(state.global_step)
            if self.progress:
                self.progress.end()

        def _write(self, state: Any) -> None:
            """The state as the trainer saves it, whole or not at all: readable after a kill."""
            self.saved = time.perf_counter()
            other = run / ".trainer_state.json"
            try:
                state.save_to_json(str(other))
                replace(run / "trainer_state.json", other.read_text(encoding="utf-8"))
            except OSError:
                pass  # a full disk; the checkpoints will tell
            finally:
                other.unlink(missing_ok=True)

    return Watch()


def _anyone(asked: bool, world: int) -> bool:
    """Whether any process was asked to stop; all must stop after the same step."""
    if world < 2:
        return asked
    import torch

    flag = torch.tensor([float(asked)])
    if torch.distributed.get_backend() == "nccl":
        flag = flag.cuda()
    torch.distributed.all_reduce(flag)
    return bool(flag.item() > 0)


class Progress:
    """A bar on a terminal, plain lines elsewhere: step, loss, margin, accuracy, pairs/s, time left."""

    def __init__(self, pairs: int) -> None:
        self.pairs = pairs
        self.bar = sys.stderr.isatty()
        self.told: dict[str, float] = {}
        self.first = self.last = self.total = 0
        self.start = self.shown = time.perf_counter()

    def begin(self, step: int, total: int) -> None:
        self.first = self.last = step
        self.total = total
        self.start = time.perf_counter()

    def step(self, step: int) -> None:
        self.last = step

    def log(self, logs: dict[str, Any]) -> None:
        held = {key: value for key, value in logs.items() if key.startswith("eval_") and isinstance(value, float)}
        if "eval_loss" in held:
            parts = [f"held-out loss {held['eval_loss']:.4f}"]
            if "eval_rewards/accuracies" in held:
                parts.append(f"accuracy {held['eval_rewards/accuracies']:.2f}")
            self._say(f"step {self.last}/{self.total}  {'  '.join(parts)}", whole=True)
        elif "loss" in logs:
            self.told = {
                key: float(logs[key]) for key in ("loss", "rewards/margins", "rewards/accuracies") if key in logs
            }
            now = time.perf_counter()
            if self.bar or now - self.shown >= LINE or self.last in (1, self.total):
                self.shown = now
                self._say(self._line())

    def end(self) -> None:
        if self.bar:
            sys.stderr.write("\n")

    def _line(self) -> str:
        seconds = max(time.perf_counter() - self.start, 1e-9)
        done = self.last - self.first
        parts = [f"step {self.last}/{self.total}"]
        names = {"loss": "loss", "rewards/margins": "margin", "rewards/accuracies": "accuracy"}
        parts += [f"{names[key]} {value:.4f}" for key, value in self.told.items()]
        if done:
            parts.append(f"{done * self.pairs / seconds:.2f} pairs/s")
            parts.append(f"{_clock(seconds / done * (self.total - self.last))} left")
        return "  ".join(parts)

    def _say(self, line: str, whole: bool = False) -> None:
        if not self.bar:
            sys.stderr.write(line + "\n")
        else:
            width = 20
            full = round(width * self.last / self.total) if self.total else 0
            bar = "█" * full + "░" * (width - full)
            sys.stderr.write(f"\r\x1b[2K{line}\n" if whole else f"\r\x1b[2K{bar} {line}")
        sys.stderr.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
