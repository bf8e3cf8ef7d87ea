"""What no run directory holds: questions to the author, why they matter and which standard asks them."""

from __future__ import annotations

from collections.abc import Callable

from dpo_report.core.contract import Question
from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.model import Run
from dpo_report.plugins import reading
from dpo_report.plugins.reading.rows import held_out_saved

NEURIPS, PINEAU, REFORMS, CARDS, GEBRU = (
    "NeurIPS checklist",
    "ML Reproducibility Checklist",
    "REFORMS",
    "model cards",
    "datasheets for datasets",
)


_OF_TRL = reading.PAIRED | reading.POLICY_GRADIENT | reading.IMPLICIT_REWARD


def _setting(*names: str) -> Callable[[Run], str | None]:
    """The answer where the run's settings or facts tell it."""

    def known(run: Run) -> str | None:
        told = reading.setting(run, *names) or reading.fact(run, *names)
        return None if told is None else str(told)

    return known


def _versions(run: Run) -> str | None:
    """Every version that is told, where those of the libraries that trained are among them."""
    trained = {"transformers", "torch"} | ({"trl"} if run.method in _OF_TRL else set())
    told = ", ".join(f"{name} {version}" for name, version in sorted(run.versions.items()))
    return told if trained <= run.versions.keys() else None


def _preferences(run: Run) -> str | None:
    """Only preference methods are asked how preferences were made."""
    if run.method in reading.PAIRED | {"kto", "online_dpo"}:
        return None
    return "no preference data were used" if run.method else "the run tells of no preference data"


def _tested(run: Run) -> str | None:
    logged = reading.held_out(run, "loss") or reading.held_out(run, "rewards/accuracies")
    return None if logged or held_out_saved(run) else "no held-out evaluation was logged"


QUESTIONS = (
    Question("hardware", "Which device (model, count), memory and operating system did the run use?",
             "Times and throughput mean nothing without the machine.", (NEURIPS, PINEAU, REFORMS),
             _setting("hardware", "device")),
    Question("versions",
             "Which versions of the program that trained and of its libraries (TRL, Transformers, PyTorch) were used?",
             "What train_loss and the logged learning rate mean depends on them.", (PINEAU,), _versions),
    Question("base-model", "Which model, at which revision, was the starting point?",
             "It fixes the reference model and the licence.", (CARDS, PINEAU),
             _setting(*reading.BASE_MODEL)),
    Question("data-source", "Where do the training data come from, under which licence, in which language?",
             "Readers cannot judge or repeat the run without it.", (NEURIPS, GEBRU, REFORMS),
             _setting("data_source", "dataset_name")),
    Question("preferences", "Who or what decided which response is preferred, and by which instructions?",
             "The preferences are what is being learned.", (GEBRU, REFORMS), _preferences),
    Question("split", "How was the held-out set split off, and may it share prompts with the training set?",
             "A leaking split turns memory into apparent generalisation.", (REFORMS, PINEAU), _tested),
    Question("selection", "How were the hyper-parameters chosen: ranges, trials, criterion?",
             "The best of many trials is optimistic.", (PINEAU, NEURIPS)),
    Question("compute", "How much compute did the whole project use, failed runs included?",
             "One run is not the cost of the result.", (NEURIPS,)),
    Question("use", "What is the model meant for, and what not?",
             "Limits cannot be stated without a purpose.", (CARDS, NEURIPS)),
)  # fmt: skip


@hookimpl
def register_questions() -> tuple[Question, ...]:
    """Every built-in question."""
    return QUESTIONS
