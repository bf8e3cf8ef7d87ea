"""Which file and row the numbers of a sentence or a table come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from dpo_report.core import numbers
from dpo_report.core.model import Source, Value
from dpo_report.core.portable import printed
from dpo_report.core.text import Text

if TYPE_CHECKING:
    from markupsafe import Markup

    from dpo_report.core.model import Finding
    from dpo_report.core.plot import Figure
    from dpo_report.core.render import Kit

_PLAIN = (
    r"(?<![\w.,⁻⁰¹²³⁴⁵⁶⁷⁸⁹/])[−-]?\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+(?:,\d{3})*)?"
    r"(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?: %)?(?!\w|[.,]\d)"
)
MOST = 4
"""So many sources of one number are named; the others are counted."""


class Trace:
    """Knows the sources of the numbers of one report."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.run = kit.analysis.run
        self.values = kit.analysis.values

    def sentence(self, finding: Finding) -> Markup:
        """A finding's sentence, each number in it with what it is and where it stands."""
        text = finding.text if isinstance(finding.text, Text) else Text((finding.text,))
        known = [self.values[name] for name in finding.evidence if name in self.values]
        places = self._resting_on(finding, known)
        rule = f"said by rule {finding.code}: {finding.title}"
        return self._text(text, known, f"{rule}\nwhich rests on {_places(places)}" if places else rule, not places)

    def caption(self, figure: Figure) -> Markup:
        """A figure's caption; its numbers come from the series that are drawn."""
        series = [line.series for panel in figure.panels for line in panel.lines if line.series is not None]
        places = [source for one in series for source in (one.source,)]
        return self._text(figure.caption, [], f"from the rows drawn here\n{_places(places)}" if places else "", False)

    def value(self, text: str, value: Value | None) -> Markup:
        """A printed number of a table."""
        from markupsafe import Markup

        return self._marked(text, _about(value)) if value else Markup(self.kit.typeset(text))

    def setting(self, name: str, text: str) -> Markup:
        """A printed setting."""
        from markupsafe import Markup

        found = self._by_printed_name.get(name)
        return self._marked(text, str(found)) if found else Markup(self.kit.typeset(text))

    def places(self, value: Value) -> str:
        """Where a value stands."""
        return _places(value.sources)

    def sources(self, names: Iterable[str]) -> list[tuple[Value, str]]:
        """Values by name, with where they stand."""
        return [(self.values[name], _places(self.values[name].sources)) for name in names if name in self.values]

    def _text(self, text: Text, known: list[Value], rest: str, guess: bool) -> Markup:
        """Text with its numbers marked.

        Args:
            text: any sentence.
            known: values that it is known to print.
            rest: what is told of its other numbers.
            guess: whether these may be settings that have just this value.
        """
        from markupsafe import Markup

        forms = {form: _about(value) for value in reversed(known) for form in _forms(value)}
        whole = sorted((re.escape(form) for form in forms if " " in form), key=len, reverse=True)
        pattern = re.compile("|".join([*whole, _PLAIN]))
        out: list[str] = []
        for part in text:
            if not isinstance(part, str):
                out.append(self.kit.typeset(part))
                continue
            at = 0
            for match in pattern.finditer(part):
                about = forms.get(match[0]) or self._unmistakable.get(match[0])
                about = about or (self._settings.get(match[0]) if guess else "") or rest
                out.append(self.kit.typeset(part[at : match.start()]))
                out.append(self._marked(match[0], about) if about else self.kit.typeset(match[0]))
                at = match.end()
            out.append(self.kit.typeset(part[at:]))
        return Markup("".join(out))

    def _marked(self, text: str, about: str) -> Markup:
        from markupsafe import Markup

        lines = "&#10;".join(map(self.kit.typeset, about.split("\n")))
        return Markup(f'<span class="n" title="{lines}">{self.kit.typeset(text)}</span>')

    def _resting_on(self, finding: Finding, known: list[Value]) -> list[Source]:
        """What a sentence was made from: its values, else what its rule asks for."""
        needs = next((check.needs for check in self.kit.checks if check.code == finding.code), ())
        places = [source for value in known for source in value.sources]
        return places or [source for need in needs for source in self._needed(need)]

    def _needed(self, need: str) -> Iterator[Source]:
        kind, _, name = need.rpartition(":")
        if kind == "value" and name in self.values:
            yield from self.values[name].sources
        elif kind == "setting" and name in self.run.settings:
            yield self.run.settings[name].source
        elif kind == "summary" and name in self.run.summary:
            yield self.run.summary[name].source
        elif kind == "eval":
            held_out = (s for (key, split), s in self.run.series.items() if key == name and split != "train")
            yield from (source for series in held_out for source in series.origins)
        elif kind == "" and (series := self.run.get(name)) is not None:
            yield from series.origins

    @cached_property
    def _unmistakable(self) -> dict[str, str]:
        """Printed numbers of three digits or more that only one value or setting of the run has."""
        found: dict[str, set[str]] = {}
        for value in self.values.values():
            for form in {numbers.display(value, unit=False), numbers.display(value, table=True, unit=False)}:
                found.setdefault(form, set()).add(_about(value))
        for form, about in self._settings.items():
            found.setdefault(form, set()).add(about)
        return {
            form: next(iter(told))
            for form, told in found.items()
            if len(told) == 1 and (len(re.sub(r"\D", "", form).lstrip("0")) >= 3 or "×" in form)
        }

    @cached_property
    def _settings(self) -> dict[str, str]:
        """Printed numbers that settings have, with all the settings that have them."""
        found: dict[str, list[str]] = {}
        for setting in self.run.settings.values():
            if isinstance(setting.value, int | float) and not isinstance(setting.value, bool):
                forms = {numbers.setting(setting.value)}
                forms |= {numbers.count(setting.value)} if isinstance(setting.value, int) else set()
                for form in forms:
                    found.setdefault(form, []).append(f"{setting.name}\n{setting.source}")
        return {form: "\nor ".join(told) for form, told in found.items() if len(told) <= MOST}

    @cached_property
    def _by_printed_name(self) -> dict[str, Source]:
        told = {**self.run.facts, **self.run.settings}
        return {printed(name): setting.source for name, setting in told.items()}


def _forms(value: Value) -> set[str]:
    """How a number, the ends of its interval and what it counts may be printed in a sentence."""
    shown = {numbers.display(value, unit=False), numbers.display(value, table=True, unit=False)}
    if isinstance(value.value, int | float):
        for x in (value.value, abs(value.value)):  # what fell by 3 is printed without its sign
            shown |= {numbers.fixed(x, 2), numbers.number(x), numbers.number(x, 2)}
        if value.kind == "share" and value.n:
            shown |= {numbers.count(value.value * value.n), numbers.count(value.n), numbers.share(value.value)}
    for end in (value.low, value.high):
        if end is not None:
            shown |= {numbers.fixed(end, 2), numbers.fixed(end, 3), numbers.number(end)}
            if value.kind == "share":
                shown |= {numbers.share(end, value.n).removesuffix(" %"), numbers.share(end, value.n)}
    return shown


def _about(value: Value) -> str:
    """What a number is, how it follows, and where it stands; a line each."""
    note = f" ({value.note})" if value.note else ""
    lines = [f"{value.label or value.name}{note}", value.formula, _places(value.sources)]
    return "\n".join(line for line in lines if line)


def _places(sources: Iterable[Source]) -> str:
    """``trainer_state.json: log_history[3].loss; args.json: beta and 4 more``."""
    told = list(dict.fromkeys(map(str, sources)))
    more = f" and {len(told) - MOST} more" if len(told) > MOST else ""
    return "; ".join(told[:MOST]) + more
