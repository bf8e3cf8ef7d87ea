"""The Jinja environment of a template family: the environment escapes what a template prints, not the template.

Jinja's own autoescaping knows only HTML. It is switched on here, so that macros, ``set`` blocks and ``super()`` keep
what they rendered as markup, and every place where Jinja would apply its HTML rule is given the family's rule:
printing (``finalize``), constants (which Jinja would fold at compile time), ``~``, ``+`` and ``%``, and the filters
``escape``, ``join``, ``replace`` and ``format``. Undefined names, None and unrounded floats are errors.

Imported only where templates are rendered: Jinja costs a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined, pass_eval_context  # noqa: TID253
from jinja2.compiler import CodeGenerator  # noqa: TID253
from jinja2.nodes import Concat, EvalContext  # noqa: TID253
from jinja2.sandbox import SandboxedEnvironment  # noqa: TID253
from markupsafe import Markup

from dpo_report.core.dialect import Dialect
from dpo_report.core.standin import filename
from dpo_report.core.text import Cite, Code, Text

_HTML_ONLY = ("e", "forceescape", "striptags", "tojson", "urlize", "xmlattr")

Typeset = Callable[[Any], str]


class _Generator(CodeGenerator):
    """Writes ``a ~ b`` as a call of :meth:`Environment.joined`, which escapes as the family does."""

    def visit_Concat(self, node: Concat, frame: Any) -> None:  # noqa: N802 - Jinja's name
        self.write("environment.joined((")
        for item in node.nodes:
            self.visit(item, frame)
            self.write(", ")
        self.write("))")


class Environment(SandboxedEnvironment):
    """Templates of one family; ``typeset`` turns any printable object into markup of it."""

    code_generator_class = _Generator
    intercepted_binops = frozenset({"+", "%"})

    def __init__(self, dialect: Dialect, typeset: Typeset, roots: Sequence[Path], builtin: Path) -> None:
        """
        Args:
            dialect: the family.
            typeset: writes one object; raises TypeError for what is not printable.
            roots: folders that hold the family's folder, in the order in which they are searched.
            builtin: the last of them, which ``default:`` reaches.
        """
        self.typeset = typeset

        @pass_eval_context  # keeps Jinja from folding constants past this function
        def finalize(_context: EvalContext, value: object) -> Markup:
            return self.markup(value)

        super().__init__(
            loader=_loader([root / dialect.name for root in roots], builtin / dialect.name),
            autoescape=True,
            finalize=finalize,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            **dict(dialect.delimiters),
        )
        for name in _HTML_ONLY:
            del self.filters[name]
        self.globals["code"] = Code
        self.globals["cite"] = lambda *keys: Cite(keys)
        self.filters["filename"] = lambda name: Markup(filename(name))
        self.filters["escape"] = self.markup
        self.filters["join"] = self._join
        self.filters["replace"] = self._replace
        self.filters["format"] = self._format

    def markup(self, value: object) -> Markup:
        """What a template prints for an object."""
        return Markup(value.__html__()) if hasattr(value, "__html__") else Markup(self.typeset(value))

    def joined(self, parts: Iterable[object]) -> Markup:
        """``a ~ b``: each part as it would be printed alone."""
        return Markup("").join(map(self.markup, parts))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """``+`` and ``%``: with markup on either side the other is escaped; without, they are Python's."""
        if operator == "+" and (hasattr(left, "__html__") or hasattr(right, "__html__")):
            return self.joined((left, right))
        if operator == "%" and hasattr(left, "__html__"):
            return self._format(left, *(right if isinstance(right, tuple) else (right,)))
        if operator == "+" and (isinstance(left, Text) or isinstance(right, Text)):
            return (left if isinstance(left, Text) else Text((left,))) + right
        return super().call_binop(context, operator, left, right)

    def _join(self, items: Iterable[object], separator: object = "") -> Markup:
        return self.markup(separator).join(map(self.markup, items))

    def _replace(self, text: str, old: str, new: str) -> str:
        if hasattr(text, "__html__"):
            return Markup(str(text).replace(old, self.markup(new)))
        return text.replace(old, new)

    def _format(self, text: str, *values: object) -> str:
        if hasattr(text, "__html__"):
            return Markup(str(text) % tuple(map(self.markup, values)))
        return text % values


def _loader(roots: Sequence[Path], builtin: Path) -> BaseLoader:
    """The roots in order; ``default:NAME`` is the built-in one, which an override may extend."""
    return ChoiceLoader(
        [
            FileSystemLoader(roots, encoding="utf-8"),
            PrefixLoader({"default": FileSystemLoader(builtin, encoding="utf-8")}, delimiter=":"),
        ]
    )
