"""What a format gets to write a report with: its templates, the figures, the outline and the references."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpo_report.core import numbers
from dpo_report.core.dialect import Dialect
from dpo_report.core.errors import ReportError
from dpo_report.core.host.watchdog import watched
from dpo_report.core.looks import Look
from dpo_report.core.model import Value
from dpo_report.core.outline import Outline
from dpo_report.core.references import Reference, reference
from dpo_report.core.standin import filename
from dpo_report.core.text import Ask, Cite, Code, Text, Worded

if TYPE_CHECKING:
    from dpo_report.core.contract import Check, Metric, Section
    from dpo_report.core.environment import Environment
    from dpo_report.core.model import Analysis, Finding

WORDING = "wording"
"""The folder of a family in which the sentence of a rule may be worded anew: ``wording/C2.md``."""

ANY_SECTION = "section"
"""The template of sections that have none of their own."""

BUILTIN = Path(str(files("dpo_report.templates")))
"""The templates that ship with the package."""

Drawer = Callable[[Sequence[str]], Mapping[str, bytes]]
"""Draws every figure of a report in the given kinds (``pdf``, ``png``, ``svg``): file name to content."""


@dataclass
class Kit:
    """One report in one format. ``Format.convert`` takes it and gives files."""

    analysis: Analysis
    """What may be said."""
    version: str
    """Of dpo-report."""
    dialect: Dialect | None = None
    """The format's template family; None where it has no base."""
    sections: tuple[Section, ...] = ()
    """In the order of the report."""
    metrics: Sequence[Metric] = ()
    """Whose texts explain the values."""
    checks: Sequence[Check] = ()
    """Whose needs tell what a sentence rests on."""
    draw: Drawer = lambda _kinds: {}
    """As :data:`Drawer`."""
    template_dirs: tuple[Path, ...] = ()
    """The user's template folders, then those of plugins; each holds a folder for every family."""
    prepare: Callable[[Environment], None] = lambda _env: None
    """Lets plugins add filters and globals."""
    prefix: str = ""
    """What stands between ``\\Dpo`` and a value's name in a macro: the run's short name where there are several."""
    look: Look = field(default_factory=Look)
    """The measures of page and type."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What was asked of single formats: ``{"pdf-engine": "latex"}``."""
    cited: dict[str, None] = field(default_factory=dict)
    """Bibliography keys that were printed so far, in order."""

    @cached_property
    def outline(self) -> Outline:
        """The contents of the sections, the same for every format but for sentences in a user's own words."""
        findings = tuple(self._worded(finding) for finding in self.analysis.findings)
        titles = {section.name: section.title for section in self.sections}
        tables = {section.name: section.values for section in self.sections}
        return Outline(replace(self.analysis, findings=findings), tuple(self.metrics), titles, tables)

    def render(self, template: str, /, **context: object) -> str:
        """Fill a template of the format's family; ``kit``, ``look``, ``outline`` and ``run`` are always known to it.

        Raises:
            ReportError: the template is missing or wrong; names file and line.
        """
        return self._filled(template, outline=self.outline, **context)

    def _filled(self, template: str, /, **context: object) -> str:
        from jinja2 import TemplateNotFound, TemplateSyntaxError

        try:
            env = self._environment
            with watched(f"template {template}"):
                known = {"kit": self, "look": self.look, "run": self.analysis.run}
                return env.get_template(template).render({**context, **known})
        except TemplateSyntaxError as error:
            where = error.filename or error.name or template
            raise ReportError(f"template {where}, line {error.lineno}: {error.message}") from None
        except TemplateNotFound as error:
            looked = ", ".join(str(root / self._family.name) for root in self._roots)
            raise ReportError(f"no template {error.name}", f"looked in {looked}") from None
        except ReportError:
            raise
        except Exception as error:
            raise ReportError(f"template {_place(error, template)}: {error}") from error

    def template_of(self, section: Section) -> str:
        """A section's template: its own, or in a family that has none the one for any section."""
        own = f"{section.name}{self._family.suffix}"
        has = any((root / self._family.name / own).is_file() for root in self._roots)
        return own if has else f"{ANY_SECTION}{self._family.suffix}"

    def asset(self, name: str) -> str:
        """A file of the family's folder as it is: a style sheet, a script. A user's own comes first.

        Raises:
            ReportError: there is none.
        """
        for root in self._roots:
            if (path := root / self._family.name / name).is_file():
                return path.read_text(encoding="utf-8")
        raise ReportError(f"no file {name} among the {self._family.name} templates")

    def figures(self, kinds: Sequence[str]) -> dict[str, bytes]:
        """Figure files by path: ``figures/loss.pdf``. Drawn once, whatever asks for them."""
        return {f"figures/{filename(name)}": content for name, content in self.draw(kinds).items()}

    def references(self) -> list[Reference]:
        """What was cited up to now, by author and year."""
        known = (self.analysis.works[key] for key in self.cited if key in self.analysis.works)
        return sorted(map(reference, known), key=lambda entry: (entry.short.casefold(), entry.key))

    def typeset(self, value: object) -> str:
        """One printable object in the format's family.

        Raises:
            TypeError: None, a boolean or a float, whose rounding would be an accident.
        """
        if isinstance(value, str):
            return self._family.escape(value)
        if isinstance(value, Cite | Code | Ask | Worded):
            value = Text((value,))
        if isinstance(value, Text):
            self.cited.update(dict.fromkeys(key for key in value.cites if key in self.analysis.works))
            return self._family.typeset(value, self.analysis.works)
        if isinstance(value, Value):
            return self._family.escape(numbers.display(value))
        if isinstance(value, int) and not isinstance(value, bool):
            return self._family.escape(numbers.count(value))
        if type(value).__name__ == "StrictUndefined":
            return str(value)  # raises, and says what is undefined
        raise TypeError(f"a {type(value).__name__} cannot be printed: format it first")

    def _worded(self, finding: Finding) -> Finding:
        """A finding as a template ``wording/CODE`` says it; as the check said it where there is none.

        The template knows what the sentence was filled with by name, ``values``, ``finding``, and the sentence itself
        as ``said``.
        """
        if finding.status != "found" or self.dialect is None:
            return finding
        template = f"{WORDING}/{finding.code}{self.dialect.suffix}"
        if not any((root / self.dialect.name / template).is_file() for root in self._roots):
            return finding
        slots = finding.text.slots if isinstance(finding.text, Text) else {}
        context = {**slots, "finding": finding, "said": finding.text, "values": self.analysis.values}
        try:
            words = self._filled(template, **context)
        except ReportError as error:
            raise ReportError(error.message, error.hint or f"known here: {', '.join(context)}, kit, run") from None
        return replace(finding, text=Text((Worded(words.strip()),), slots))

    @property
    def _family(self) -> Dialect:
        if self.dialect is None:
            raise ReportError("this format has no templates", "give its Format a base")
        return self.dialect

    @property
    def _roots(self) -> tuple[Path, ...]:
        return (*self.template_dirs, BUILTIN)

    @cached_property
    def _environment(self) -> Environment:
        from dpo_report.core.environment import Environment

        env = Environment(self._family, self.typeset, self._roots, BUILTIN)
        self.prepare(env)
        return env


def _place(error: BaseException, template: str) -> str:
    """File and line of the innermost template that an error passed through."""
    suffix = Path(template).suffix
    frames: Iterable[Any] = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}, line {frame.lineno}" for frame in frames if frame.filename.endswith(suffix)]
    return places[-1] if places else template
