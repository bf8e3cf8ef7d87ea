"""What a plugin declares. Hooks return these objects; the host runs each one in its own guard.

Every ``needs`` is a tuple of words that the host checks before it calls the object, so that a missing input becomes
one sentence instead of an exception:

=====================  =====================================================================
``loss``               a training series of that name with at least one point
``eval:loss``          the same on any held-out split
``setting:beta``       a setting that the run tells
``summary:train_loss`` a value of the trainer's closing summary
``value:loss.train.mean``  a value that a metric computed (curves and checks only)
``method:dpo,ipo``     the run's method is one of these
=====================  =====================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import argparse

    from dpo_report.core.folder import Folder
    from dpo_report.core.model import Better, Finding, Problem, Run, Severity, Value, Witness
    from dpo_report.core.plot import Figure
    from dpo_report.core.render import Kit
    from dpo_report.core.text import Text

Values: TypeAlias = "Mapping[str, Value]"

API = 1
"""Version of what plugins see: this module, the hooks, and the records that they are given. A plugin may say which one
it was written for, ``DPO_REPORT_API = 1``; one that was written for another is refused by name. New fields and hooks
leave the number as it is; a change that breaks a working plugin raises it."""


CONVENTION = "a convention"
"""What a threshold rests on where neither a paper nor a library sets it."""


class NotApplicable(Exception):  # noqa: N818 - an answer, not an error
    """Raised by a metric, curve or check that cannot speak about this run; carries the reason as a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Match:
    """How surely a reader knows a folder."""

    sure: float
    """0 (does not know it) to 1 (can be nothing else). Below 0.2 it is an assumption, which gives way in every file
    that a surer reader has read."""
    why: str
    """The evidence, in a few words: ``checkpoint-4/trainer_state.json``."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that a trainer leaves."""

    pattern: str
    """Shell pattern on the file's own name: ``training_args.bin``, ``events.out.tfevents.*``."""
    role: str
    """As in :class:`~dpo_report.core.model.RunFile`."""
    meaning: str
    """What it is for, in one sentence."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Knows one family of run directories."""

    name: str
    """``hf_trainer``"""
    detect: Callable[[Folder], Match | None]
    """Looks at names and first bytes only; None where the folder is not of this family."""
    read: Callable[[Folder], Iterable[Witness]]
    """Reads what it knows. Broken files become problems of the witness, not exceptions."""
    title: str = ""
    """For people: ``Hugging Face Trainer and TRL``."""
    files: tuple[FileKind, ...] = ()
    """The files of this family."""
    glance: Callable[[Folder], Iterable[Witness]] | None = None
    """As ``read``, for a list of many runs: the last points and the settings suffice. None where reading is cheap."""
    one: Callable[[Folder, str], Iterable[Witness]] | None = None
    """As ``read``, of several runs at the top of a folder only the one of that identity, where this is much quicker."""
    damaged: Callable[[Folder], Iterable[Problem]] | None = None
    """Asked where no reader knows anything: files that may have been a run's, and why they cannot be read."""


@dataclass(frozen=True, slots=True)
class Metric:
    """Computes numbers from a run."""

    name: str
    """Name of its first value: ``loss.train.mean``."""
    label: str
    """``mean training loss``"""
    compute: Callable[[Run], Value | Iterable[Value]]
    """Returns one value or several, or raises :class:`NotApplicable`."""
    needs: tuple[str, ...] = ()
    """See the module's table."""
    unit: str = ""
    """Unit of its values where they name none."""
    better: Better = "none"
    """Direction of its values where they name none."""
    keys: tuple[str, ...] = ()
    """The trainer's own keys that it explains: ``train_loss``."""
    meaning: str = ""
    """What the number means: the definition."""
    paper: str = ""
    """How to put it into a paper; ``{value}`` is replaced by the printed number."""
    context: str = ""
    """What it does not mean: the traps."""
    compare: str = ""
    """What it may be compared with."""
    source: str = ""
    """Paper or library code of the definition."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Builds a figure."""

    name: str
    """File name of the figure: ``loss``."""
    title: str
    """``Training and held-out loss``"""
    build: Callable[[Run, Values], Figure]
    """Returns lines and axes as data, or raises :class:`NotApplicable`."""
    needs: tuple[str, ...] = ()
    """See the module's table."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number at which rules draw a line: a convention, which the user may change and every report shows."""

    name: str
    """The rule's code and a word: ``C7.flat``. Rules that share one name it after the first of them."""
    value: float
    """The default; a whole number where only whole ones make sense."""
    meaning: str
    """What lies on which side, in few words: ``rows below which no trend is told``."""
    unit: str = ""
    """``nats``, ``s``; empty for a pure number."""
    low: float = 0.0
    """The smallest value that makes sense."""
    high: float = float("inf")
    """The largest."""
    source: str = CONVENTION
    """What it rests on."""

    def of(self, run: Run) -> float:
        """Its value for a run: as the user set it, or the default."""
        return run.limits.get(self.name, self.value)


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of what may be said."""

    code: str
    """``C2``"""
    title: str
    """``The mean is not the final loss``"""
    explain: Callable[[Run, Values], Finding]
    """Returns :func:`found` or :func:`passed`, or raises :class:`NotApplicable`."""
    needs: tuple[str, ...] = ()
    """See the module's table."""
    section: str = "discussion"
    """The section in which its sentence stands."""
    order: float = 50.0
    """Its place there."""
    source: str = ""
    """What the rule rests on: library code, a paper, or a convention of ours."""
    forbids: str = ""
    """What may never be printed because of this rule."""
    thresholds: tuple[Threshold, ...] = ()
    """The numbers at which it draws its lines; ``explain`` reads each with :meth:`Threshold.of`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that a report may or may not carry."""

    level: int
    """0 pipeline, 1 optimisation, 2 fit, 3 in-distribution, 4 behaviour, 5 robust."""
    text: str
    """The sentence; or, where ``patterns`` are given, what those phrases claim."""
    needs: tuple[str, ...]
    """Evidence flags that checks grant (``Finding.grants``)."""
    licence: str = ""
    """The cheapest experiment that would license it. Where it has ``thresholds``, names of them and numbers
    stand in braces, of which the largest is printed: ``{100, D2.pairs} held-out pairs``."""
    code: str = "K1"
    """The rule that blocks it."""
    patterns: tuple[str, ...] = ()
    """Regular expressions (case-insensitive) of phrases that make the claim; empty for a rung of the ladder."""
    topic: str = ""
    """What a run without the evidence shows nothing about: ``robustness``; empty where it is a mere misnaming."""
    methods: tuple[str, ...] = ()
    """Methods whose runs it is said of, before a claim of its level that is said of every run; empty: every run."""
    thresholds: tuple[Threshold, ...] = ()
    """The thresholds of rules that ``licence`` names."""

    def licensed(self, limits: Mapping[str, float]) -> str:
        """Its ``licence`` with the thresholds that the user set (``limits``, by name), the others by default."""
        if not self.thresholds:
            return self.licence
        values = {one.name: limits.get(one.name, one.value) for one in self.thresholds}
        return _BRACES.sub(lambda found: _largest(found[1].split(","), values), self.licence)


_BRACES = re.compile(r"\{([^{}]+)\}")


def _largest(names: Iterable[str], values: Mapping[str, float]) -> str:
    """The largest of some numbers and named values, as it is written in a sentence."""
    largest = max(values[name.strip()] if name.strip() in values else float(name) for name in names)
    return f"{largest:g}"


@dataclass(frozen=True, slots=True)
class Question:
    """What only the author knows."""

    id: str
    """``hardware``"""
    text: str
    """The question."""
    why: str
    """Why it matters."""
    standards: tuple[str, ...] = ()
    """Who asks for it."""
    known: Callable[[Run], str | None] = lambda _run: None
    """The answer where the run tells it; then the question is not asked."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the report."""

    name: str
    """``results``; also the template's file name. A section without a template of its own in some family is written by
    ``section`` there: what the rules say in it, then its values."""
    title: str
    """``Results``"""
    order: float
    """Its place in the report."""
    appendix: bool = False
    """Whether it stands after the references."""
    values: tuple[str, ...] = ()
    """Names of values that stand in a table of its own, and not in the general ones."""
    optional: bool = False
    """Whether it stands only in a report that asks for it, with ``build --section NAME``."""


@dataclass(frozen=True, slots=True)
class Format:
    """A way of writing the report."""

    name: str
    """``latex``"""
    suffix: str
    """``.tex``; the main file is ``report`` plus this."""
    convert: Callable[[Kit], Mapping[str, bytes]]
    """Gives the files, by path relative to the report folder."""
    base: str | None = None
    """Template family (folder under ``templates/``) and escaping that it uses; None for none."""
    merge: Callable[[Kit, bytes | None], bytes] | None = None
    """For ``--in-place``: gives the run's own file ``main`` with the report in it, from what stands there now."""
    main: str = ""
    """Name of the main file where it is not ``report`` and the suffix: ``README.md``."""


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command of ``dpo-report``, declared without importing what it needs."""

    name: str
    """``train``"""
    help: str
    """One line."""
    configure: Callable[[argparse.ArgumentParser], None]
    """Adds its arguments."""
    run: Callable[[argparse.Namespace], int]
    """Does it; returns the exit status."""


def found(
    text: Text, severity: Severity = "info", *, evidence: tuple[str, ...] = (), grants: tuple[str, ...] = ()
) -> Finding:
    """A finding with a sentence to print."""
    from dpo_report.core.model import Finding  # here, because `--help` reads declared commands without the model

    return Finding("found", severity, text, evidence, grants)


def passed(text: Text | str = "", *, evidence: tuple[str, ...] = (), grants: tuple[str, ...] = ()) -> Finding:
    """A check that looked and has nothing to say in the report; ``text`` says what was seen, for the terminal."""
    from dpo_report.core.model import Finding

    return Finding("passed", "info", text, evidence, grants)


Declared = Reader | Metric | Curve | Check | Claim | Question | Section | Format | Command
"""Everything that a hook may return."""
