"""``dpo-report train`` and ``dpo-report evaluate``: DPO on the machine at hand, with the report at the end.

Only this package uses torch, transformers, trl, datasets, peft and accelerate (the extra ``[train]``), and only inside
functions: what is declared here costs ``--help`` nothing.
"""

from __future__ import annotations

from dpo_report.core.contract import Command
from dpo_report.core.hookspecs import hookimpl
from dpo_report.plugins.training import arguments


@hookimpl
def register_commands() -> tuple[Command, ...]:
    """The two commands; what they need is imported when they run."""
    return (
        Command("train", "train with DPO on this machine, then report", arguments.for_train, _train),
        Command(
            "evaluate", "score held-out pairs with a trained model and its reference", arguments.for_evaluate, _evaluate
        ),
    )


def _train(args: object) -> int:
    from dpo_report.plugins.training.train import run

    return run(args)  # type: ignore[arg-type]


def _evaluate(args: object) -> int:
    from dpo_report.plugins.training.evaluate import run

    return run(args)  # type: ignore[arg-type]
