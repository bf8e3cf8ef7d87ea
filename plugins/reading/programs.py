"""Which program trained a run, as a reader of the report calls it."""

from __future__ import annotations

from dpo_report.core.facts import TOLD
from dpo_report.core.model import Run
from dpo_report.plugins.reading.rows import ended

_PROGRAMS = {
    "transformers": "Transformers",
    "llamafactory": "LLaMA-Factory",
    "swift": "ms-swift",
    "sentence_transformers": "Sentence Transformers",
    "setfit": "SetFit",
    "simpletransformers": "Simple Transformers",
    "lightning": "Lightning",
    "keras": "Keras",
    "paddle": "PaddleFormers",
    "stable_baselines3": "Stable-Baselines3",
    "spacy": "spaCy",
    "allennlp": "AllenNLP",
    "flair": "Flair",
    "ludwig": "Ludwig",
    "ultralytics": "Ultralytics",
}
"""How programs that train are written, by the first part of a trainer's name; others are written as they are there."""


def program(run: Run) -> tuple[str, str] | None:
    """The program that trained: its package and its name; None where the run does not tell.

    A run of no known trainer with a Trainer's arguments or closing row, or a known method, is one of Transformers'.
    """
    if run.trainer:
        package = run.trainer.partition(".")[0]
        return package, _PROGRAMS.get(package, package)
    known = run.method or run.reader == "hf_trainer" or "per_device_train_batch_size" in run.settings
    if known or ended(run):
        return "transformers", _PROGRAMS["transformers"]
    return None


def counts_updates(run: Run) -> bool:
    """Whether the run's last step is known to be an optimizer step.

    What a general log or a tracker calls a step is whatever its user counted: batches, updates, calls of the logger.
    """
    told = any(witness.reader == TOLD and witness.global_step is not None for witness in run.witnesses)
    return told or run.max_steps is not None or program(run) is not None
