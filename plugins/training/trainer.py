"""TRL's DPOTrainer with the shared forward pass, whole checkpoints only, and a closing row over all attempts."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from dpo_report.plugins.training import sharing
from dpo_report.plugins.training.attempts import Attempts

PARTS = ("optimizer.pt", "scheduler.pt", "trainer_state.json")
"""Written last into a checkpoint; one without them was cut short."""


COLUMNS = ("prompt_ids", "chosen_ids", "rejected_ids")


def trainer_class() -> Any:
    """The class; made when first needed, as its base is TRL's."""
    from trl import DPOTrainer

    class Trainer(DPOTrainer):
        """See the module."""

        def __init__(self, *args: Any, attempts: Attempts, share: bool, **kwargs: Any) -> None:
            self._attempts, self._share = attempts, share
            self.sharing = "off"
            """``on``, ``off``, or why common beginnings are not shared."""
            self.work = sharing.Work()
            self._prepared = False
            super().__init__(*args, **kwargs)
            self._install()

        def _install(self) -> None:
            """Replace the forward once, after TRL has put its head on and before the first pass."""
            if self._prepared:
                return
            self._prepared = True
            model = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
            if not self._share:
                return
            if (
                getattr(self.model, "active_peft_config", None) is not None
                and self.model.active_peft_config.is_prompt_learning
            ):
                self.sharing = "not with learned prompts"
                return
            why = sharing.why_not(model)
            self.sharing = f"off: {why}" if why else "on"
            if not why:
                sharing.install(model, self.work, bool(getattr(self, "use_weighting", False)))

        def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
            """The reference's log-probabilities as two more columns; every process computes its part.

            Unlike with TRL, training batches hold pairs of like length, and nothing goes through a cache file, which
            processes with data sets in memory do not share. Held-out batches are those of the evaluations, so that
            the first one is the exact tie that it should be.
            """
            self._install()  # TRL asks for these inside its own __init__
            if self.is_deepspeed_enabled or self.is_fsdp_enabled or not hasattr(self, "compute_ref_log_probs"):
                return super()._precompute_ref_logps(dataset, name, batch_size)
            import torch

            sizes = [sum(map(len, ids)) for ids in zip(*(dataset[c] for c in COLUMNS), strict=True)]
            order = sorted(range(len(sizes)), key=sizes.__getitem__ if name == "train" else None)
            mine, world = [order[i : i + batch_size] for i in range(0, len(order), batch_size)], self.args.world_size
            found: list[tuple[int, float, float]] = []
            model = self.ref_model or self.model
            for rows in mine[self.args.process_index :: world]:
                batch = self._prepare_inputs(self.data_collator([dataset[row] for row in rows]))
                chosen, rejected = self.compute_ref_log_probs(model, batch)
                found += zip(rows, chosen.tolist(), rejected.tolist(), strict=True)
            parts: list[Any] = [found]
            if world > 1:
                parts = [None] * world
                torch.distributed.all_gather_object(parts, found)
            found = sorted(one for part in parts for one in part)
            dataset = dataset.add_column("ref_chosen_logps", [one[1] for one in found])
            return dataset.add_column("ref_rejected_logps", [one[2] for one in found])

        def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
            folder = Path(self.args.output_dir, f"checkpoint-{self.state.global_step}")
            try:
                super()._save_checkpoint(*args, **kwargs)
            except BaseException:
                if self.args.should_save and not whole(folder):
                    shutil.rmtree(folder, ignore_errors=True)  # gives the space back and misleads nobody
                raise

        def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
            if "train_runtime" in logs and len(self._attempts.all) > 1:
                self._over_all_attempts(logs)
            super().log(logs, *args, **kwargs)

        def _over_all_attempts(self, logs: dict[str, float]) -> None:
            """The trainer's closing row describes its own attempt only; make it describe the run."""
            rows = [row for row in self.state.log_history if "loss" in row]
            if rows:
                weights = [b["step"] - a for a, b in zip([0, *(row["step"] for row in rows)], rows, strict=False)]
                total = sum(weight * row["loss"] for weight, row in zip(weights, rows, strict=True))
                logs["train_loss"] = total / max(sum(weights), 1)
            seconds = self._attempts.before + logs["train_runtime"]
            logs["train_runtime"] = round(seconds, 4)
            logs["train_steps_per_second"] = round(self.state.global_step / seconds, 3)
            planned = len(self.train_dataset) * self.args.num_train_epochs
            if self.args.max_steps > 0:
                planned = self.args.max_steps * self.args.train_batch_size * self.args.gradient_accumulation_steps
                planned *= self.args.world_size
            logs["train_samples_per_second"] = round(planned / seconds, 3)

    return Trainer


def whole(folder: Path) -> bool:
    """Whether a checkpoint was written to its end."""
    if not all((folder / name).is_file() for name in PARTS) or not list(folder.glob("rng_state*.pth")):
        return False
    with suppress(OSError, ValueError):
        return isinstance(json.loads((folder / "trainer_state.json").read_text(encoding="utf-8")), dict)
    return False


def last_whole(run: Path) -> Path | None:
    """The furthest whole checkpoint of a run."""
    found = [path for path in run.glob("checkpoint-*") if path.name.rpartition("-")[2].isdigit() and whole(path)]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def remove_broken(run: Path) -> None:
    """Delete checkpoints that were cut short."""
    for path in run.glob("checkpoint-*"):
        if path.is_dir() and path.name.rpartition("-")[2].isdigit() and not whole(path):
            shutil.rmtree(path, ignore_errors=True)
