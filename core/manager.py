"""The plugin host: finds plugins, loads each in its own guard, collects and checks what they declare.

Built-ins come first and through the same hooks as everything else; then the entry points of installed
packages, then the files given by the user. Whatever a plugin does wrong becomes a
:class:`~dpo_report.core.model.Problem` that names it and its version, and costs nothing but what was wrong.
"""

from __future__ import annotations

import inspect
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

import pluggy

from dpo_report import __version__
from dpo_report.core import hookspecs
from dpo_report.core.candidates import Plugin, built_in, cause, given, installed, local, resembling
from dpo_report.core.contract import (
    Check,
    Claim,
    Command,
    Curve,
    Format,
    Match,
    Metric,
    NotApplicable,
    Question,
    Reader,
    Section,
)
from dpo_report.core.declared import KINDS, Provided, key, wrong
from dpo_report.core.discovery import entry_points
from dpo_report.core.errors import ReportError
from dpo_report.core.model import Problem, Report
from dpo_report.core.registry import Registry
from dpo_report.core.works import Work

if TYPE_CHECKING:
    from jinja2 import Environment

    from dpo_report.core.folder import Folder

T = TypeVar("T")
P = ParamSpec("P")

HOME = "dpo_report.plugins"
DISABLE = "DPO_REPORT_DISABLE_PLUGINS"
TRACE = "DPO_REPORT_TRACE_PLUGINS"
_SEE = f"{TRACE}=1 shows the traceback; --no-plugin {{name}} leaves it out"


def builtin(which: str = "BUILTIN") -> tuple[str, ...]:
    """The modules of the built-in plugins (``BUILTIN``), or of those with sub-commands (``COMMANDS``)."""
    return cast("tuple[str, ...]", getattr(import_module(HOME), which))


@cache
def default_host() -> Host:
    """The host of this process: everything that is built in or installed and not switched off."""
    return Host()


class _Declared(Generic[T]):
    """The objects of one kind, in the order of their plugins."""

    def __init__(self, item: type[T]) -> None:
        self.item = item

    def __set_name__(self, owner: type[Host], name: str) -> None:
        self.kind = name

    def __get__(self, host: Host, owner: type[Host]) -> tuple[Provided[T], ...]:
        return host._declared(self.kind)


class Host:
    """All plugins of one process. Nothing is imported before something is asked of it."""

    readers = _Declared(Reader)
    metrics = _Declared(Metric)
    curves = _Declared(Curve)
    checks = _Declared(Check)
    claims = _Declared(Claim)
    questions = _Declared(Question)
    sections = _Declared(Section)
    formats = _Declared(Format)
    works = _Declared(Work)
    templates = _Declared(Path)
    commands = _Declared(Command)

    def __init__(
        self,
        *,
        files: Iterable[Path] = (),
        disabled: Iterable[str] = (),
        discover: bool = True,
        extra: Iterable[object] = (),
        modules: Sequence[str] | None = None,
        reserved: Iterable[str] = (),
    ) -> None:
        """
        Args:
            files: local plugin files.
            disabled: plugins to leave out, by name or by package; ``all`` means every installed one.
            discover: whether to look for installed plugins, and at the environment and the working folder.
            extra: plugin objects or modules, already imported.
            modules: built-in plugins by module name; None for all.
            reserved: names of sub-commands that no plugin may take.

        Raises:
            ReportError: one of the files does not exist.
        """
        self._files = tuple(files)
        self._disabled = set(disabled)
        self._discover = discover
        self._extra = tuple(extra)
        self._modules = modules
        self._reserved = frozenset(reserved)
        self._trace = os.environ.get(TRACE, "") not in ("", "0")
        self._plugins: list[Plugin] | None = None
        self._problems: list[Problem] = []
        self._objects: dict[str, tuple[Provided[Any], ...]] = {}
        self._registry = Registry()
        for path in self._files:
            if not path.is_file():
                raise ReportError(f"no such plugin file: {path}", "--plugin takes the path of a Python file")

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """Every plugin that was found, the failed and the disabled ones too."""
        if self._plugins is None:
            self._plugins = []
            for plugin in self._candidates():
                self._plugins.append(plugin)
                if plugin.status != "disabled":
                    self._load(plugin)
        return tuple(self._plugins)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What went wrong in finding, loading and declaring; every plugin is asked for all it declares."""
        for kind in KINDS:
            self._declared(kind)
        return (*self._problems, *(problem for plugin in self.plugins for problem in plugin.problems))

    def guard(
        self, provided: Provided[Any], function: Callable[P, T], *args: P.args, **named: P.kwargs
    ) -> T | Problem:
        """Call a function of a declared object; what it raises becomes a problem naming object and plugin.

        An iterator is used up inside the guard (a tuple comes back). What the function prints goes to stderr,
        for the whole process, so this is not for several threads at once.

        Raises:
            NotApplicable: as the function raised it; it is an answer.
        """
        start = time.perf_counter()
        try:
            with redirect_stdout(sys.stderr):
                result = function(*args, **named)
                if isinstance(result, Iterator):
                    result = cast("T", tuple(result))
        except NotApplicable:
            raise
        except (Exception, SystemExit) as error:
            return self._failure(error, provided.plugin, f"{provided.what} failed: ")
        self._traced(f"{provided.plugin}: {provided.what}", start)
        return result

    def choose_reader(
        self, folder: Folder, candidates: Sequence[tuple[Reader, Match]]
    ) -> tuple[str | None, tuple[Problem, ...]]:
        """Ask the plugins, the latest first, which reader to use; None where none has an opinion."""
        problems: list[Problem] = []
        names = {reader.name for reader, _ in candidates}
        for plugin, impl in reversed(self._implementations("choose_reader")):
            answer = self._call(plugin, impl, problems, folder=folder, candidates=candidates)
            if answer in names:
                return cast("str", answer), tuple(problems)
            if answer is not None:
                said = f"choose_reader gave {answer!r}, which is not among the candidates"
                problems.append(Problem(f"plugin {plugin}", said))
        return None, tuple(problems)

    def prepare_environment(self, env: Environment, format: str) -> tuple[Problem, ...]:  # noqa: A002 - the hook's word
        """Let the plugins add filters and globals to a template environment."""
        problems: list[Problem] = []
        for plugin, impl in self._implementations("prepare_environment"):
            self._call(plugin, impl, problems, env=env, format=format)
        return tuple(problems)

    def report_built(self, report: Report) -> tuple[Problem, ...]:
        """Tell the plugins that the files stand."""
        problems: list[Problem] = []
        for plugin, impl in self._implementations("report_built"):
            self._call(plugin, impl, problems, report=report)
        return tuple(problems)

    def format(self, name: str) -> Provided[Format]:
        """The format of that name.

        Raises:
            ReportError: there is none.
        """
        known = {provided.item.name: provided for provided in self.formats}
        if name not in known:
            listed = "known formats: " + (", ".join(known) or "none")
            raise ReportError(f"unknown format {name!r}", resembling(name, known) or listed)
        return known[name]

    def _candidates(self) -> Iterator[Plugin]:
        off = set(self._disabled)
        if self._discover:
            from dpo_report.core import settings

            told = settings.load(Path())
            self._problems.extend(told.problems)
            off.update(told.disabled, (name.strip() for name in os.environ.get(DISABLE, "").split(",")))
        found = [
            *(built_in(module) for module in (builtin() if self._modules is None else self._modules)),
            *(given(item) for item in self._extra),
            *(installed(point) for point in (entry_points(hookspecs.GROUP) if self._discover else ())),
            *(local(path) for path in self._files),
        ]
        taken: set[str] = set()
        unused = {name.lower() for name in off} - {"", "all", "*"}
        for plugin in found:
            if plugin.name in taken:
                plugin.name = f"{plugin.distribution or plugin.source}:{plugin.name}"
            taken.add(plugin.name)
            names = {plugin.name.lower(), plugin.distribution.lower()}
            if names & {name.lower() for name in off} - {""} or (plugin.distribution and off & {"all", "*"}):
                plugin.status = "disabled"
            unused -= names
            yield plugin
        for name in sorted(unused) if self._modules is None else ():
            hint = resembling(name, taken) or "`dpo-report plugins` lists them"
            self._problems.append(Problem(f"--no-plugin {name}", "there is no plugin of that name", hint))

    def _load(self, plugin: Plugin) -> None:
        """Import one plugin and register the hooks of it that are well made."""
        start = time.perf_counter()
        try:
            with redirect_stdout(sys.stderr):
                item = plugin.load()
                if inspect.isclass(item):
                    item = item()
            plugin.hooks, problems = self._registry.add(item, plugin.name)
        except (Exception, SystemExit) as error:
            plugin.status = "failed"
            plugin.problems.append(self._failure(error, str(plugin), "cannot be loaded: "))
            return
        for message, hint in problems:
            self._blame(plugin, message, hint)
        if not plugin.hooks and not problems:
            self._blame(plugin, "declares no hook", "mark its functions with @dpo_report.hookimpl")
        self._traced(f"{plugin}: loaded with {len(plugin.hooks)} hooks", start)

    def _declared(self, kind: str) -> tuple[Provided[Any], ...]:
        """The objects of one kind, each well made and of its own name."""
        if kind not in self._objects:
            first: dict[str, Provided[Any]] = {}
            for plugin, impl in self._implementations(f"register_{kind}"):
                for item in self._returned(plugin, impl, kind):
                    provided = Provided(item, str(plugin))
                    other = first.get(key(item))
                    if kind == "commands" and item.name in self._reserved:
                        other = Provided(item, f"dpo-report {__version__} itself")
                    if other is None:
                        first[key(item)] = provided
                        plugin.objects.setdefault(kind, []).append(key(item))
                    elif other.item != item or kind == "commands":
                        self._blame(
                            plugin,
                            f"{provided.what} is declared by {other.plugin} and by {plugin}; the first stays",
                            "rename one, or leave one plugin out with --no-plugin",
                        )
            self._objects[kind] = tuple(first.values())
        return self._objects[kind]

    def _returned(self, plugin: Plugin, impl: pluggy.HookImpl, kind: str) -> list[Any]:
        """The objects that one implementation gives, without those that are not well made."""
        wanted, hook, problems = KINDS[kind], f"register_{kind}", plugin.problems
        known = len(problems)
        items = self._call(plugin, impl, problems)
        if len(problems) > known:
            plugin.status = "partial"
            return []
        if not isinstance(items, list):
            self._blame(plugin, f"{hook} gave {type(items).__name__}", f"return a list of {wanted.__name__}")
            return []
        if wanted is Path:
            items = [Path(item) if isinstance(item, str) else item for item in items]
        good = []
        for item in items:
            reason = wrong(item, wanted)
            if reason:
                self._blame(plugin, f"{hook}: {reason}", "see dpo_report.core.contract")
            else:
                good.append(item)
        return good

    def _implementations(self, hook: str) -> list[tuple[Plugin, pluggy.HookImpl]]:
        """Implementations of a hook in the order of their plugins."""
        plugins = self.plugins
        impls = getattr(self._registry.hook, hook).get_hookimpls()
        return [(plugin, impl) for plugin in plugins for impl in impls if impl.plugin_name == plugin.name]

    def _call(self, plugin: Plugin, impl: pluggy.HookImpl, problems: list[Problem], **given: object) -> Any:
        """Call one implementation on its own; what it raises is added to the problems."""
        start, hook = time.perf_counter(), impl.function.__name__
        try:
            with redirect_stdout(sys.stderr):
                result: Any = impl.function(*(given[name] for name in impl.argnames))
                if isinstance(result, Iterable) and not isinstance(result, str | Mapping):
                    result = list(result)
        except (Exception, SystemExit) as error:
            problems.append(self._failure(error, str(plugin), f"{hook} failed: "))
            return None
        count = len(result) if isinstance(result, list) else int(result is not None)
        self._traced(f"{plugin}: {hook} gave {count} objects", start)
        return result

    def _failure(self, error: BaseException, plugin: str, before: str) -> Problem:
        where = f"plugin {plugin}"
        if self._trace:
            import traceback

            sys.stderr.write("".join(traceback.format_exception(error)))
        if isinstance(error, ReportError):
            return Problem(where, before + error.message, error.hint)
        return Problem(where, before + cause(error), _SEE.format(name=plugin.partition(" ")[0]))

    def _blame(self, plugin: Plugin, message: str, hint: str) -> None:
        plugin.status = "partial"
        plugin.problems.append(Problem(f"plugin {plugin}", message, hint))

    def _traced(self, what: str, start: float) -> None:
        if self._trace:
            sys.stderr.write(f"dpo-report trace: {what} in {1000 * (time.perf_counter() - start):.1f} ms\n")
