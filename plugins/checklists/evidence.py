"""What a run tells of the things that checklists ask, each time with the files that say so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dpo_report import __version__
from dpo_report.core import numbers
from dpo_report.core.filegroups import size as in_bytes
from dpo_report.core.model import Analysis, Source
from dpo_report.core.outline import Outline
from dpo_report.core.text import Code, Text, join, listing, say
from dpo_report.plugins import reading
from dpo_report.plugins.checklists.items import Evidence

_FILES = 3
"""Files that are named behind a sentence."""
_LEARNING: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("learning rate", ("learning_rate",)),
    ("schedule", ("lr_scheduler_type",)),
    ("warm-up steps", ("warmup_steps",)),
    ("optimizer", ("optim",)),
    ("loss type", ("loss_type",)),
    ("β", ("beta",)),
    ("maximal length", ("max_length",)),
    ("seed", ("seed",)),
)
"""Settings that a reader needs to repeat a run, and the trainer's names of each."""
_WANTED = ("learning rate", "schedule", "seed")
_NEEDED = (
    ("base-model", "the starting model"),
    ("data-source", "the origin of the data"),
    ("versions", "all versions"),
)
"""Questions without whose answers no run can be repeated."""
_COUNTS = ("epochs.done", "steps.done", "batch.effective", "data.rows", "data.eval_rows")


def claims(analysis: Analysis) -> Evidence:
    """The rung that the run reaches, and the next one, which it does not."""
    rungs = sorted((v for v in analysis.verdicts if not v.patterns), key=lambda v: v.level)
    reached = [v for v in rungs if v.allowed and v.level == analysis.level]
    above = [v for v in rungs if not v.allowed and v.level > analysis.level]
    said = [
        say(
            "The strongest claim that the run carries (level {level} of 5): {claim}",
            level=analysis.level,
            claim=_inside(reached[-1].text),
        )
        if reached
        else say("The run carries no claim: {why}.", why=Outline(analysis).no_claim)
    ]
    if above:
        said.append(say("It does not show that {claim}", claim=_inside(above[0].text)))
    return Evidence(join(said))


def limits(analysis: Analysis) -> Evidence:
    """The rules that spoke in the section on limitations."""
    codes = sorted({f.code for f in analysis.findings if f.status == "found" and f.section == "limitations"})
    if not codes:
        return Evidence()
    words = listing([Text((code,)) for code in codes])
    name = "rule" if len(codes) == 1 else "rules"
    text = say("The section Limitations of this report states what the run does not show ({rules} {codes}).",
               rules=name, codes=words)  # fmt: skip
    return Evidence(text, "Yes")


def settings(analysis: Analysis) -> Evidence:
    """Values that were set, versions, model and data; settled where nothing that a repetition needs is unknown."""
    known, sources, lacking = _settings(analysis)
    counted, more = _values(analysis, _COUNTS)
    said = [_sentence("Told by the run", [*counted, *known], [*more, *sources])] if counted or known else []
    said += [packages(analysis).text, _model(analysis), _origin(analysis)]
    missing = [*lacking, *(words for question, words in _NEEDED if _answer(analysis, question) is None)]
    if missing:
        said.append(say("Not known from it: {what}.", what=listing(missing, "or")))
    return Evidence(join(said), "" if missing else "Yes")


def tuning(analysis: Analysis) -> Evidence:
    """The settings again, and how they were chosen, which is the author's to tell."""
    known, sources, _ = _settings(analysis)
    chosen = _answer(analysis, "selection")
    said = [_sentence("Values of the run", known, sources)] if known else []
    counted, places = _values(analysis, ("data.rows", "data.eval_rows"))
    said += [_sentence("Data", counted, places)] if counted else []
    said += [say("How they were chosen, as the author tells: {how}", how=_stop(chosen))] if chosen else []
    return Evidence(join(said), "Yes" if chosen and known else "")


def spread(analysis: Analysis) -> Evidence:
    """Intervals, what they are over, and whether there is more than one run."""
    said = _intervals(analysis)
    more = " beyond the sampling of pairs" if said else ""
    if analysis.run.siblings:
        said.append(say("{n} runs of the same method are reported side by side.", n=1 + len(analysis.run.siblings)))
        return Evidence(join(said))
    bare = not said
    said.append(say("This is one run{seed}: no spread over seeds is given{more}.", seed=_seed(analysis), more=more))
    return Evidence(join(said), "No" if bare else "")


def summaries(analysis: Analysis) -> Evidence:
    """What the report's numbers summarise; its labels say it of each."""
    named = "Means over the run, last logged windows, single evaluations and the best of several are named as such."
    said = say("Numbers are of one run{seed}. {named}", seed=_seed(analysis), named=named)
    return Evidence(join([said, *_intervals(analysis)]), "Yes")


def compute(analysis: Analysis) -> Evidence:
    """Time, operations, devices and the cost of the whole project; settled only where all are known."""
    told, sources = _values(
        analysis, ("runtime.train", "compute.flos", "tokens.seen", "energy.kwh", "model.parameters")
    )
    said = [_sentence("This run", told, sources)] if told else []
    hardware, whole = _answer(analysis, "hardware"), _answer(analysis, "compute")
    said += [say("Hardware: {what}", what=_stop(hardware))] if hardware else []
    said += [say("The whole project: {what}", what=_stop(whole))] if whole else []
    timed = "runtime.train" in analysis.values
    missing = [
        word
        for word, there in (
            ("the wall-clock time", timed),
            ("the hardware", hardware),
            ("the cost of the whole project", whole),
        )
        if not there
    ]
    if missing:
        said.append(say("Not known from it: {what}.", what=listing(missing, "or")))
    return Evidence(join(said), "" if missing else "Yes")


def artefacts(analysis: Analysis) -> Evidence:
    """The model and the data that were used."""
    return Evidence(join([_model(analysis), _origin(analysis)]))


def packages(analysis: Analysis) -> Evidence:
    """Libraries and their versions."""
    if not analysis.run.versions:
        return Evidence()
    told = ", ".join(f"{name} {version}" for name, version in analysis.run.versions.items())
    return Evidence(say("Software: {told}.", told=told), "Yes")


def splits(analysis: Analysis) -> Evidence:
    """Sizes of the data, by split."""
    told, sources = _values(analysis, ("data.rows", *(n for n in analysis.values if n.startswith("data.eval_rows"))))
    both = "data.rows" in analysis.values and len(told) > 1
    return Evidence(_sentence("Sizes", told, sources), "Yes" if both else "") if told else Evidence()


def released(analysis: Analysis) -> Evidence:
    """What the run left behind."""
    files = analysis.run.files
    if not files:
        return Evidence()
    size = sum(file.bytes for file in files)
    saved = sorted({f.path.partition("/")[0] for f in files if f.path.startswith("checkpoint-")}, key=len)
    kept = say(", among them {names}", names=listing(Code(name) for name in saved)) if saved else Text()
    return Evidence(say("The run left {n} of {size}{kept}.", n=numbers.plural(len(files), "file"),
                        size=in_bytes(size), kept=kept))  # fmt: skip


def purpose(analysis: Analysis) -> Evidence:
    """What the author says the model is for."""
    use = _answer(analysis, "use")
    return Evidence(say("Intended use, as the author tells: {use}", use=_stop(use))) if use else Evidence()


def people(analysis: Analysis) -> Evidence:
    """Who judged the preferences, where the author says it."""
    who = _answer(analysis, "preferences")
    return Evidence(say("Preferences: {who}", who=_stop(who))) if who else Evidence()


def drafted(_analysis: Analysis) -> Evidence:
    """How the sentences of the report came to be."""
    return Evidence(say("The sentences of this report were put together by the rules of dpo-report {v}; "
                        "no language model wrote them.", v=__version__))  # fmt: skip


def _settings(analysis: Analysis) -> tuple[list[str], list[Source], list[str]]:
    """Printed settings, where they stand, and what is missing among those without which no run can be repeated."""
    told, sources, lacking = [], [], []
    for label, names in _LEARNING:
        found = next((analysis.run.settings[n] for n in names if n in analysis.run.settings), None)
        if found is not None and found.value is not None:
            told.append(f"{label} {numbers.setting(found.value)}")
            sources.append(found.source)
        elif label in _WANTED:
            lacking.append(f"the {label}")
    return told, sources, lacking


def _values(analysis: Analysis, names: Sequence[str]) -> tuple[list[str], list[Source]]:
    there = [analysis.values[name] for name in names if name in analysis.values]
    printed = [f"{value.label} {numbers.display(value, unit=value.unit not in value.label)}" for value in there]
    return printed, [source for value in there for source in value.sources]


def _sentence(head: str, told: Sequence[str], sources: Iterable[Source]) -> Text:
    return say("{head}: {told}{files}.", head=head, told="; ".join(told), files=_files(sources))


def _files(sources: Iterable[Source]) -> Text:
    """`` (training_args.bin and checkpoint-30/trainer_state.json)``."""
    names = list(dict.fromkeys(source.file for source in sources if source.file))
    shown: list[Text | Code | str] = [Code(name) for name in names[:_FILES]]
    if len(names) > _FILES:
        shown.append(f"{len(names) - _FILES} more")
    return say(" ({files})", files=listing(shown)) if shown else Text()


def _model(analysis: Analysis) -> Text:
    told = _answer(analysis, "base-model")
    return say("Starting model: {model}", model=_stop(told)) if told else Text()


def _origin(analysis: Analysis) -> Text:
    told = _answer(analysis, "data-source")
    return say("Data: {data}", data=_stop(told)) if told else Text()


def _answer(analysis: Analysis, question: str) -> str | None:
    """What the author or the run answers to one of the questions."""
    return next((q.answer for q in analysis.questions if q.id == question), None)


def _intervals(analysis: Analysis) -> list[Text]:
    """The last shares that were measured, with their intervals."""
    return [
        say("{label}: {value}{over}, 95 % Wilson interval {interval}{files}.", label=_capital(value.label),
            value=numbers.display(value), over="" if value.n is None or value.n < 100 else f" of {value.n:,}",
            interval=numbers.display_interval(value), files=_files(value.sources))
        for value in analysis.values.values()
        if value.low is not None and value.kind == "share" and value.name.endswith(".last")
    ]  # fmt: skip


def _inside(sentence: str) -> str:
    """A sentence to go on with after a colon or ``that``."""
    return sentence[:1].lower() + sentence[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _seed(analysis: Analysis) -> str:
    seed = reading.setting(analysis.run, "seed")
    return "" if seed is None else f" (seed {numbers.setting(seed)})"


def _stop(told: str) -> str:
    return told if told.endswith((".", "!", "?")) else f"{told}."
