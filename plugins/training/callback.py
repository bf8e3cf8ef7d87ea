"""``DPOReportCallback``: two lines in a script of one's own, and the run has its facts and its report.

    from dpo_report import DPOReportCallback
    trainer.add_callback(DPOReportCallback())

It works with every transformers or TRL trainer. Whatever fails in it is told on stderr, and training goes on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dpo_report.plugins.training import facts, hardware, models


@cache
def _made() -> Any:
    """The class; made when first asked for, as its base is the library's."""
    from transformers import TrainerCallback

    class DPOReportCallback(TrainerCallback):
        """Writes ``dpo-report.toml`` when training begins and ends, and builds the report after the end.

        ``formats`` are those of ``dpo-report build --format``; an empty one builds none. ``extra`` are further
        facts of one's own (``{"data_source": "..."}``).
        """

        def __init__(self, formats: Sequence[str] = ("latex", "markdown"), extra: dict[str, Any] | None = None) -> None:
            self.formats = tuple(formats)
            self.extra = dict(extra or {})
            self._start = 0.0

        def on_train_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:
            """Note the machine, the versions and the size of the data."""
            self._start = time.perf_counter()
            self._quietly(state, lambda: facts.write(self._run(args), self._facts(args, known)))

        def on_train_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:
            """Note time and memory, save the state where the script may forget to, and build the report."""

            def end() -> None:
                run = self._run(args)
                seconds = round(time.perf_counter() - self._start, 3)
                facts.write(run, {"seconds": seconds, "peak_memory_gib": round(hardware.peak() / 2**30, 2)})
                if not (run / "trainer_state.json").exists():
                    state.save_to_json(str(run / "trainer_state.json"))
                if self.formats:
                    from dpo_report.core.build import build

                    report = build(run, formats=self.formats)
                    sys.stderr.write(f"dpo-report: report in {report.directory}\n")

            self._quietly(state, end)

        def _run(self, args: Any) -> Path:
            run = Path(args.output_dir)
            run.mkdir(parents=True, exist_ok=True)
            return run

        def _facts(self, args: Any, known: dict[str, Any]) -> dict[str, Any]:
            found: dict[str, Any] = {
                "hardware": str(hardware.machine()),
                "world_size": int(args.world_size),
                "versions": facts.versions(),
            }
            model = known.get("model")
            name = getattr(getattr(model, "config", None), "_name_or_path", "")
            if name:
                found["base_model"] = models.short(name)
            loader = known.get("train_dataloader")
            rows = getattr(loader, "dataset", None)
            if rows is not None and hasattr(rows, "__len__"):
                found["train_rows"] = len(rows)
            held = getattr(known.get("eval_dataloader"), "dataset", None)
            if held is not None and hasattr(held, "__len__"):
                found["eval_rows"] = len(held)
            return found | self.extra

        def _quietly(self, state: Any, work: Callable[[], None]) -> None:
            """Do it in the main process only; a failure is one line, never the end of the training."""
            if not state.is_world_process_zero:
                return
            try:
                work()
            except Exception as error:  # whatever it is, the training matters more
                why = " ".join(str(error).split())[:200]
                sys.stderr.write(f"dpo-report: no report ({type(error).__name__}: {why})\n")

    return DPOReportCallback


def __getattr__(name: str) -> Any:
    if name == "DPOReportCallback":
        return _made()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
