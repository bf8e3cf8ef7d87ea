"""What was read from a run directory and what was found in it: frozen records, a docstring under every field.

Data flows one way: directory -> :class:`Witness` -> :class:`Run` -> :class:`Analysis` -> :class:`Report` -> files.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dpo_report.core.plot import Figure
    from dpo_report.core.text import Text
    from dpo_report.core.thresholds import Limit
    from dpo_report.core.works import Work

Severity = Literal["info", "good", "caution", "warning"]
FindingStatus = Literal["found", "passed", "not_applicable", "failed"]
RunStatus = Literal["completed", "incomplete", "diverged", "running", "no-metrics", "unknown"]
Better = Literal["higher", "lower", "none"]
FEW = 20
"""Points of a value whose places are listed one by one."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value stands: a file and the place in it."""

    file: str
    """Path relative to the run directory, with forward slashes."""
    where: str = ""
    """The place in the file: ``log_history[12].loss``, ``line 40``, ``tag train/loss``."""

    def __str__(self) -> str:
        return f"{self.file}: {self.where}" if self.where else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """Something broken or contradictory, told to the reader of the report and on stderr."""

    where: str
    """A file of the run, or the plugin and object that failed."""
    message: str
    """What is wrong, in one line."""
    hint: str = ""
    """What to do about it."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One logged quantity over the steps of a run. Steps rise; NaN and infinities are kept."""

    name: str
    """The trainer's own key without the split prefix: ``loss``, ``rewards/margins``."""
    split: str
    """``train``, ``eval``, ``eval:NAME`` or ``test``."""
    steps: NDArray[np.float64]
    """Optimizer steps (or iterations, or epochs, where the trainer logs nothing else), shape (n,)."""
    values: NDArray[np.float64]
    """Logged values, shape (n,); non-finite ones included."""
    sources: tuple[Source, ...]
    """The files that gave the points; ``where`` holds ``{row}`` for the place of one point."""
    rows: NDArray[np.int64]
    """The row of each point in its source, shape (n,)."""
    which: NDArray[np.int64] | None = None
    """Index into ``sources`` of each point, shape (n,); None means all from the first."""

    def __len__(self) -> int:
        return len(self.values)

    def source_at(self, index: int) -> Source:
        """File and place of one point."""
        source = self.sources[0 if self.which is None else int(self.which[index])]
        return Source(source.file, source.where.replace("{row}", str(int(self.rows[index]))))

    def sources_at(self, indices: NDArray[np.int64]) -> tuple[Source, ...]:
        """Files and places of some points in their order; of many points of one file its first and last row."""
        if len(indices) <= FEW:
            return tuple(self.source_at(int(index)) for index in indices)
        import numpy as np

        which = np.zeros(len(indices), np.intp) if self.which is None else self.which[indices]
        found = []
        for number in dict.fromkeys(which.tolist()):
            rows, source = self.rows[indices][which == number], self.sources[number]
            found.append(Source(source.file, source.where.replace("{row}", f"{rows[0]} to {rows[-1]}")))
        return tuple(found)

    def where(self, keep: NDArray[np.bool_]) -> Series:
        """Some of its points; ``keep`` is of shape (n,)."""
        which = None if self.which is None else self.which[keep]
        return replace(self, steps=self.steps[keep], values=self.values[keep], rows=self.rows[keep], which=which)

    @property
    def source(self) -> Source:
        """File and place of the whole series: the source of most points."""
        return max(self.origins.items(), key=lambda item: item[1])[0]

    @property
    def origins(self) -> dict[Source, int]:
        """Every file and place that gave points, and how many."""
        counts = {0: len(self)} if self.which is None or not len(self) else Counter(self.which.tolist())
        found: dict[Source, int] = {}
        for number, count in sorted(counts.items()):
            place = Source(self.sources[number].file, self.sources[number].where.replace("{row}", "*"))
            found[place] = found.get(place, 0) + count
        return found


@dataclass(frozen=True, slots=True)
class Setting:
    """One hyper-parameter of the run."""

    name: str
    """The trainer's own name: ``learning_rate``, ``beta``."""
    value: Any
    """Text, number, boolean, None, or lists and mappings of these."""
    source: Source
    """The file that tells it."""
    is_default: bool | None = None
    """Whether the value equals the library's default in the run's version; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Datum:
    """One value of the trainer's own closing summary (``train_loss``, ``train_runtime``, ...)."""

    value: float | str
    """As written; numbers as float, NaN kept."""
    source: Source
    """Where it stands."""


@dataclass(frozen=True, slots=True)
class RunFile:
    """One file of the run directory."""

    path: str
    """Relative to the run directory."""
    bytes: int
    """Size on disk."""
    role: str = "other"
    """``weights``, ``checkpoint``, ``config``, ``state``, ``metrics``, ``tokenizer``, ``card``, ``log``, ``other``."""
    meaning: str = ""
    """What the file is for, in one sentence."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What one file, or one set of files that belong together, tells of one run."""

    reader: str
    """Name of the reader."""
    identity: str
    """Witnesses with the same folder and identity tell of the same run; others never do. Empty for a folder's own run,
    else what tells this one from it: ``checkpoint-9``."""
    files: tuple[str, ...]
    """The files that were read, the most telling first."""
    name: str = ""
    """How the run calls itself, if it does; the folder's name otherwise."""
    trainer: str | None = None
    """The training class: ``trl.DPOTrainer``."""
    method: str | None = None
    """``dpo``, ``sft``, ``kto``, ``grpo``, ...; None where nothing tells it."""
    method_why: str = ""
    """What the method was told from."""
    status: RunStatus = "unknown"
    """How the run ended, as far as this witness can tell."""
    global_step: int | None = None
    """The last optimizer step."""
    max_steps: int | None = None
    """The planned number of optimizer steps."""
    epoch: float | None = None
    """Epochs done, as logged."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Library versions that the run itself tells."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    """Hyper-parameters by name."""
    summary: Mapping[str, Datum] = field(default_factory=dict)
    """The trainer's last words by key."""
    series: tuple[Series, ...] = ()
    """Logged curves."""
    problems: tuple[Problem, ...] = ()
    """What could not be read or contradicts itself."""
    precision: int = 0
    """Among witnesses of one run the higher one wins where both tell the same value."""
    folder: str = ""
    """The run's own folder within the one that was read, to which its paths are relative; empty for the same one."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run, merged from its witnesses."""

    directory: Path
    """The run directory. Never printed: reports name only its last part."""
    name: str
    """Short name of the run."""
    reader: str
    """The reader whose witness weighed most."""
    trainer: str | None
    """As in :class:`Witness`."""
    method: str | None
    """As in :class:`Witness`."""
    method_why: str
    """As in :class:`Witness`."""
    status: RunStatus
    """How the run ended."""
    global_step: int | None
    """The last optimizer step."""
    max_steps: int | None
    """The planned number of optimizer steps."""
    epoch: float | None
    """Epochs done, as logged."""
    versions: Mapping[str, str]
    """Library versions that the run itself tells."""
    settings: Mapping[str, Setting]
    """Hyper-parameters by name."""
    summary: Mapping[str, Datum]
    """The trainer's last words by key."""
    series: Mapping[tuple[str, str], Series]
    """Curves by (name, split)."""
    files: tuple[RunFile, ...]
    """Every file of the directory with its purpose."""
    facts: Mapping[str, Setting]
    """``[facts]`` of the run's ``dpo-report.toml``: hardware, data, versions, told by whoever trained."""
    answers: Mapping[str, str]
    """``[answers]`` of the run's ``dpo-report.toml``: the author's answers by question id."""
    problems: tuple[Problem, ...]
    """What could not be read or contradicts itself."""
    witnesses: tuple[Witness, ...] = ()
    """What the run was merged from."""
    siblings: tuple[Run, ...] = ()
    """The other runs of its method that it is reported with, each without siblings of its own; under ``build --all``
    also without files and witnesses, and with only the ends of its series."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Thresholds of rules that the user set, by name; the others have their defaults."""

    def get(self, name: str, split: str = "train") -> Series | None:
        """The series of that name and split, or None."""
        return self.series.get((name, split))

    def setting(self, name: str, default: Any = None) -> Any:
        """The value of a setting, or ``default`` where the run does not tell it."""
        known = self.settings.get(name)
        return default if known is None else known.value

    def number(self, name: str) -> float | None:
        """A finite number of the summary, or None."""
        datum = self.summary.get(name)
        if datum is None or not isinstance(datum.value, int | float) or not math.isfinite(datum.value):
            return None
        return float(datum.value)


@dataclass(frozen=True, slots=True)
class Value:
    """One number that a report may print, with all that is needed to print it rightly."""

    name: str
    """Stable name, lower case, parts joined by dots: ``loss.train.mean``."""
    value: float | int | str
    """The number (NaN kept), or a word where the quantity is one."""
    sources: tuple[Source, ...]
    """The file and place of every part."""
    label: str = ""
    """What it is, for a table: ``mean training loss``. Filled from the metric where empty."""
    unit: str = ""
    """``s``, ``pairs/s``, ``nats``; empty for a pure number."""
    kind: str = "number"
    """How it is rounded: ``loss``, ``count``, ``share``, ``seconds``, ``rate``, ``number``,
    ``p``, ``exact``, ``text``.
    """
    low: float | None = None
    """Lower end of the interval, if one may be given."""
    high: float | None = None
    """Upper end of the interval."""
    level: float | None = None
    """Confidence level of the interval, 0.95."""
    n: int | None = None
    """How many independent units the value rests on."""
    better: Better = "none"
    """Which direction is better, where one is."""
    formula: str = ""
    """How it follows from its sources, with the numbers put in."""
    note: str = ""
    """What a reader must know beside the number: window, assumption."""
    metric: str = ""
    """Name of the metric that computed it, which explains it. Filled by the host."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has to say."""

    status: FindingStatus
    """``found`` has a sentence, ``passed`` looked and has nothing to say, and so on."""
    severity: Severity = "info"
    """How much it weighs."""
    text: Text | str = ""
    """The sentence to print; for ``not_applicable`` and ``failed`` the reason."""
    evidence: tuple[str, ...] = ()
    """Names of the values that the sentence rests on."""
    grants: tuple[str, ...] = ()
    """Evidence flags that claims may need: ``complete``, ``objective-fell``."""
    code: str = ""
    """The rule: ``C2``. Filled by the host from the check, like the next three."""
    title: str = ""
    """What the rule is about."""
    section: str = ""
    """Where its sentence stands."""
    order: float = 0.0
    """Its place within the section."""
    source: str = ""
    """What the rule rests on."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one declared claim."""

    text: str
    """The sentence, or a description of the phrases."""
    level: int
    """Its level on the ladder, 0 to 5."""
    allowed: bool
    """Whether the run carries it."""
    because: str = ""
    """The rule that blocks it."""
    missing: tuple[str, ...] = ()
    """The evidence that is missing."""
    licence: str = ""
    """The cheapest experiment that would license it."""
    patterns: tuple[str, ...] = ()
    """Regular expressions of the phrases that make this claim."""
    topic: str = ""
    """What the run shows nothing about without the evidence, in a word or two."""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """What only the author knows, with the answer if it was given."""

    id: str
    """Stable name."""
    text: str
    """The question."""
    why: str
    """Why a reader of the paper needs it."""
    standards: tuple[str, ...] = ()
    """Which reporting standards ask for it."""
    answer: str | None = None
    """The author's answer."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that the report of one run may say."""

    run: Run
    """What was read."""
    values: Mapping[str, Value]
    """By name, in the order in which reports list them."""
    figures: tuple[Figure, ...]
    """In the order of their curves."""
    findings: tuple[Finding, ...]
    """Of every check, also those that found nothing."""
    level: int
    """The claim level that the run reaches, 0 to 5; -1 when not even completion is shown."""
    verdicts: tuple[Verdict, ...]
    """Allowed and blocked claims."""
    questions: tuple[OpenQuestion, ...]
    """Open and answered."""
    problems: tuple[Problem, ...]
    """Of the run and of the plugins."""
    works: Mapping[str, Work] = field(default_factory=dict)
    """The literature that plugins know, by bibliography key."""
    unjudged: str = ""
    """Why no rule could be applied, so that nothing is known of any claim; empty where rules were."""
    limits: tuple[Limit, ...] = ()
    """Thresholds of the rules that spoke or looked, in the order of the rules."""


@dataclass(frozen=True, slots=True)
class Report:
    """What stands on disk after a build."""

    analyses: tuple[Analysis, ...]
    """One for each run."""
    directory: Path
    """The folder that was written."""
    files: tuple[Path, ...]
    """Every file in it."""
