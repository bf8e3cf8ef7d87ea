"""What stands in the sections of a report, before any markup: the same for every format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

from dpo_report.core import numbers
from dpo_report.core.contract import Metric
from dpo_report.core.filegroups import FileGroup, grouped, size
from dpo_report.core.glossary import Entry, entries
from dpo_report.core.model import Analysis, Finding, OpenQuestion, Setting, Value, Verdict
from dpo_report.core.plot import Figure
from dpo_report.core.portable import printed
from dpo_report.core.tables import Grid, grid
from dpo_report.core.text import Text, join
from dpo_report.core.thresholds import shown

TOP_LEVEL = 5
"""The highest rung of the claim ladder."""


@dataclass(frozen=True)
class Outline:
    """The contents of every section, by what the analysis may say."""

    analysis: Analysis
    """What was found."""
    metrics: tuple[Metric, ...] = ()
    """Whose texts explain the values."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """Titles of the report's sections by name."""
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of the values that stand in a section's own tables, by section."""

    def paragraphs(self, section: str) -> list[Text]:
        """What the findings say in a section: sentences in their order, a new paragraph with every ten of it."""
        return [join(map(text_of, group)) for group in self.groups(section)]

    def groups(self, section: str) -> list[list[Finding]]:
        """The findings of each of these paragraphs."""
        told = sorted((f for f in self.said if f.section == section), key=lambda finding: finding.order)
        return [list(group) for _, group in groupby(told, key=lambda finding: int(finding.order // 10))]

    @property
    def said(self) -> list[Finding]:
        """Findings with a sentence to print."""
        return [f for f in self.analysis.findings if f.status == "found" and f.text]

    @property
    def weighty(self) -> list[Finding]:
        """Those of them that are more than plain remarks and ask nothing: warnings first, what is good last."""
        order = ("warning", "caution", "good")
        told = [f for f in self.said if f.severity in order and not text_of(f).asks]
        return sorted(told, key=lambda finding: (order.index(finding.severity), finding.order))

    @property
    def compared(self) -> Grid:
        """Values that were measured on training or held-out pairs, side by side."""
        return grid(self._common, split=True)

    @property
    def totals(self) -> Grid:
        """Values of the run as a whole."""
        return grid(self._common, split=False)

    def grids(self, section: str) -> list[Grid]:
        """A section's own tables: its values of the run as a whole, then those of a split."""
        values = self.analysis.values
        mine = [values[name] for name in self.tables.get(section, ()) if name in values]
        return [table for split in (False, True) if (table := grid(mine, split=split)).lines]

    @property
    def _common(self) -> list[Value]:
        """Values that stand in no section's own table."""
        elsewhere = {name for names in self.tables.values() for name in names}
        return [value for name, value in self.analysis.values.items() if name not in elsewhere]

    @property
    def figure_rows(self) -> list[tuple[Figure, ...]]:
        """Figures as they stand on a page: a wide one alone, narrow ones in pairs."""
        rows: list[tuple[Figure, ...]] = []
        waiting: list[Figure] = []
        for figure in self.analysis.figures:
            if len(figure.panels) > 1:
                rows.append((figure,))
                continue
            waiting.append(figure)
            if len(waiting) == 2:
                rows.append(tuple(waiting))
                waiting.clear()
        return [*rows, tuple(waiting)] if waiting else rows

    @property
    def rung(self) -> Verdict | None:
        """The highest claim that the run supports; None where it supports none."""
        here = [v for v in self._ladder if v.allowed and v.level == self.analysis.level]
        return here[-1] if here else None

    @property
    def next_rung(self) -> Verdict | None:
        """The lowest claim above it that the run does not support."""
        above = [v for v in self._ladder if not v.allowed and v.level > self.analysis.level]
        return above[0] if above else None

    @property
    def blocked(self) -> list[Verdict]:
        """Claims in other words that the run does not carry."""
        return [v for v in self.analysis.verdicts if v.patterns and not v.allowed]

    @property
    def silent_on(self) -> list[str]:
        """What the run shows nothing about."""
        return [v.topic for v in self.analysis.verdicts if v.topic and not v.allowed]

    @property
    def _ladder(self) -> list[Verdict]:
        return sorted((v for v in self.analysis.verdicts if not v.patterns), key=lambda v: v.level)

    @property
    def limits(self) -> list[tuple[str, str, str, str]]:
        """The thresholds that counted: name, value, what it is for, and the default where the author set another.

        The rules are named where there is another than the one that gave the name.
        """
        return [
            (one.name, shown(one.value, one.unit),
             one.meaning + (f" ({', '.join(one.rules)})" if one.rules != (one.name.rpartition(".")[0],) else ""),
             shown(one.default, one.unit) if one.changed else "")
            for one in self.analysis.limits
        ]  # fmt: skip

    @property
    def settings(self) -> list[tuple[str, str, bool | None]]:
        """Name, printed value, and whether it is the library's default.

        Those that were set come first, then those of which it is not known, then the defaults.
        """
        told = self.analysis.run.settings.values()
        lines = [(printed(s.name), printed(s.value), s.is_default) for s in told if not _absent(s)]
        rank = {False: 0, None: 1, True: 2}
        return sorted(lines, key=lambda line: (rank[line[2]], line[0].casefold()))

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """Settings that are known to have been set for this run: name and printed value."""
        return [(name, value) for name, value, default in self.settings if default is False]

    @property
    def unset(self) -> list[str]:
        """Names of settings that hold nothing and were not set to nothing by the author, as far as is known."""
        return sorted((s.name for s in self.analysis.run.settings.values() if _absent(s)), key=str.casefold)

    @property
    def defaults_known(self) -> bool:
        """Whether it is known of any setting that it is a default or not."""
        return any(s.is_default is not None for s in self.analysis.run.settings.values())

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What whoever trained told beside the logs."""
        return [(s.name, printed(s.value)) for s in self.analysis.run.facts.values()]

    @property
    def files(self) -> list[FileGroup]:
        """Files of the run directory; those of several checkpoints together."""
        return grouped(self.analysis.run.files)

    @property
    def total_bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes for file in self.analysis.run.files)

    @property
    def open(self) -> list[OpenQuestion]:
        """Questions that only the author can answer and has not."""
        return [q for q in self.analysis.questions if q.answer is None]

    @property
    def answered(self) -> list[OpenQuestion]:
        """Questions with the author's answer."""
        return [q for q in self.analysis.questions if q.answer is not None]

    @property
    def glossary(self) -> list[Entry]:
        """Every value whose metric has a text, in the order of the report."""
        return entries(self.metrics, self.analysis.values)

    @property
    def subtitle(self) -> str:
        """Trainer, method, outcome and steps, as far as they are known."""
        run = self.analysis.run
        steps = ""
        if run.global_step is not None and not (run.trainer or run.method or run.max_steps):
            steps = f"logged up to step {numbers.count(run.global_step)}"
        elif run.global_step is not None:
            of = f" of {numbers.count(run.max_steps)}" if run.max_steps else ""
            steps = f"{numbers.count(run.global_step)}{of} optimizer steps"
        status = {"no-metrics": "no metrics logged", "unknown": ""}.get(run.status, run.status)
        trainer = run.trainer or (f"{run.method} run" if run.method else "")
        return ", ".join(filter(None, (trainer, status, steps)))

    @property
    def claim(self) -> str:
        """What the run carries, and what not; where no rule could be applied, why."""
        if self.analysis.unjudged:
            why = self.analysis.unjudged
            return f"The rules could not be applied ({why}), so this report neither claims nor cautions."
        said = f"This run carries no claim: {self.no_claim}."
        if self.rung:
            level = f"claim level {self.rung.level} of {self.top}"
            said = f"This run shows at most ({level}) that {self.sentence(self.rung)}."
        if self.next_rung:
            least = self.next_rung.licence
            said += f" It does not show that {self.sentence(self.next_rung)}; to show it, {least}."
        return said

    @property
    def no_claim(self) -> str:
        """Why no claim is made, to stand behind ``No claim:``."""
        failed = [finding.code for finding in self.analysis.findings if finding.status == "failed"]
        if failed:
            return f"rules failed ({', '.join(failed)}), so what they would have shown is not known"
        run = self.analysis.run
        if run.status == "running":
            return "training has not come to its end yet"
        if run.status == "completed" and None in (run.global_step, run.max_steps):
            unknown = "planned" if run.max_steps is None else "taken"
            return f"it records that training ended, but not how many steps were {unknown}"
        return "not even that training ran to its planned end"

    def sentence(self, verdict: Verdict) -> str:
        """A rung's sentence without its full stop, to go on with after a colon or ``that``."""
        return verdict.text[:1].lower() + verdict.text[1:].removesuffix(".")

    def outcome(self, finding: Finding) -> Text:
        """What became of a rule: where its sentence stands, what it saw, or why it cannot speak."""
        text = text_of(finding)
        if finding.status == "found":
            word = _SEVERITIES[finding.severity]
            home = self.titles.get(finding.section)
            return Text((f"{word}; see {home}.",)) if home else Text((f"{word}: ", *text.parts))
        words = {"passed": "Passed", "not_applicable": "Not applicable", "failed": "Failed"}[finding.status]
        return Text((f"{words}: ", *text.parts, ".")) if text else Text((f"{words}.",))

    capital = staticmethod(lambda text: text[:1].upper() + text[1:])
    size = staticmethod(lambda count: size(count))
    count = staticmethod(numbers.plural)
    top = TOP_LEVEL


_SEVERITIES = {"info": "Found", "good": "Good", "caution": "Caution", "warning": "Warning"}


def _absent(setting: Setting) -> bool:
    return setting.is_default is not False and setting.value in (None, "", [], {}, ())


def text_of(finding: Finding) -> Text:
    """A finding's sentence."""
    return finding.text if isinstance(finding.text, Text) else Text((finding.text,))
