"""The plugin host: finds plugins, loads each in its own guard, collects and checks what they declare.

Built-ins come first and through the same hooks as everything else; then the entry points of installed
packages, then the files given by the user. Whatever a plugin does wrong becomes a
:class:`~dpo_report.core.model.Problem` that names it and its version, and costs nothing but what was wrong.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

import pluggy

from dpo_report.core import hookspecs
from dpo_report.core.errors import ReportError
from dpo_report.core.host.candidates import (
    Plugin,
    built_in,
    given,
    installed,
    local,
    refuse_other_api,
    resembling,
    switch_off,
)
from dpo_report.core.host.collecting import collected
from dpo_report.core.host.discovery import entry_points
from dpo_report.core.host.guard import PluginError, guarded, problem
from dpo_report.core.host.registry import Registry, Slip

if TYPE_CHECKING:
    from jinja2 import Environment

    from dpo_report.core.contract import (
        Check,
        Claim,
        Command,
        Curve,
        Format,
        Match,
        Metric,
        Question,
        Reader,
        Section,
    )
    from dpo_report.core.folder import Folder
    from dpo_report.core.host.declared import Provided
    from dpo_report.core.model import Problem, Report
    from dpo_report.core.works import Work

T = TypeVar("T")
P = ParamSpec("P")

HOME = "dpo_report.plugins"
DISABLE = "DPO_REPORT_DISABLE_PLUGINS"


def builtin(which: str = "BUILTIN") -> tuple[str, ...]:
    """The modules of the built-in plugins (``BUILTIN``), or of those with sub-commands (``COMMANDS``)."""
    return cast("tuple[str, ...]", getattr(import_module(HOME), which))


@cache
def default_host() -> Host:
    """The host of this process: everything that is built in or installed and not switched off."""
    return Host()


def _made(
    files: tuple[Path, ...],
    disabled: tuple[str, ...],
    discover: bool,
    modules: tuple[str, ...] | None,
    reserved: tuple[str, ...],
    limits: tuple[tuple[str, float], ...],
    extra: tuple[object, ...] = (),
) -> Host:
    """A host from what it was asked for."""
    host = Host(files=files, disabled=disabled, discover=discover, extra=extra, modules=modules, reserved=reserved)
    host._limits = dict(limits)
    return host


@cache
def _again(
    files: tuple[Path, ...],
    disabled: tuple[str, ...],
    discover: bool,
    modules: tuple[str, ...] | None,
    reserved: tuple[str, ...],
    limits: tuple[tuple[str, float], ...],
) -> Host:
    """The same for every task of one worker."""
    return _made(files, disabled, discover, modules, reserved, limits)


class _Declared(Generic[T]):
    """The objects of one kind, in the order of their plugins."""

    def __set_name__(self, owner: type[Host], name: str) -> None:
        self.kind = name

    def __get__(self, host: Host, owner: type[Host]) -> tuple[Provided[T], ...]:
        return host._declared(self.kind)


class Host:
    """All plugins of one process. Nothing is imported before something is asked of it."""

    readers: _Declared[Reader] = _Declared()
    metrics: _Declared[Metric] = _Declared()
    curves: _Declared[Curve] = _Declared()
    checks: _Declared[Check] = _Declared()
    claims: _Declared[Claim] = _Declared()
    questions: _Declared[Question] = _Declared()
    sections: _Declared[Section] = _Declared()
    formats: _Declared[Format] = _Declared()
    works: _Declared[Work] = _Declared()
    templates: _Declared[Path] = _Declared()
    commands: _Declared[Command] = _Declared()

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
        self._files = tuple(dict.fromkeys(files))
        self._disabled = set(disabled)
        self._discover = discover
        self._extra = tuple(extra)
        self._modules = modules
        self._reserved = frozenset(reserved)
        self._plugins: list[Plugin] | None = None
        self._problems: list[Problem] = []
        self._thresholds: Any = {}
        self._limits: dict[str, float] | None = None
        self._objects: dict[str, tuple[Provided[Any], ...]] = {}
        self._registry = Registry()
        for path in self._files:
            if not path.is_file():
                raise ReportError(f"no such plugin file: {path}", "--plugin takes the path of a Python file")

    def __reduce__(self) -> tuple[Any, ...]:
        """As it was asked for: the worker that gets a host finds and loads the plugins itself, once."""
        modules = None if self._modules is None else tuple(self._modules)
        reserved = tuple(sorted(self._reserved))
        limits: tuple[tuple[str, float], ...] = ()
        with suppress(ReportError):  # told where rules are applied; lists of runs apply none
            limits = tuple(self.limits.items())
        asked = (self._files, tuple(sorted(self._disabled)), self._discover, modules, reserved, limits)
        return (_again, asked) if not self._extra else (_made, (*asked, self._extra))

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """Every plugin that was found, the failed and the disabled ones too."""
        if self._plugins is None:
            self._plugins = self._looked_for()
            for plugin in self._plugins:
                if plugin.status != "disabled":
                    self._load(plugin)
        return tuple(self._plugins)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What went wrong in finding, loading and declaring; every plugin is asked for all it declares."""
        from dpo_report.core.host.declared import KINDS

        for kind in KINDS:
            self._declared(kind)
        return (*self._problems, *(problem for plugin in self.plugins for problem in plugin.problems))

    @property
    def limits(self) -> Mapping[str, float]:
        """Thresholds of rules that the user set in the working folder, by name.

        Raises:
            ReportError: no rule has a threshold of that name, or the value makes no sense.
        """
        if self._limits is None:
            from dpo_report.core.thresholds import checked, declared

            known = declared(provided.item for provided in self.checks)  # asking for them reads the settings
            complete = all(plugin.status == "ok" for plugin in self.plugins)
            self._limits = checked(self._thresholds, known, complete=complete)
        return self._limits

    def guard(self, provided: Provided[Any], function: Callable[P, T], *args: P.args, **named: P.kwargs) -> T | Problem:
        """Call a function of a declared object; what it raises becomes a problem naming object and plugin.

        So does a result that is not what the contract says; several values or witnesses come as a tuple. Other
        conditions as in :func:`~dpo_report.core.host.guard.guarded`.

        Raises:
            NotApplicable: as a metric, curve or check raised it; there it is an answer.
        """
        from dpo_report.core.contract import NotApplicable
        from dpo_report.core.host.declared import answers, checked

        def call() -> T:
            return cast("T", checked(provided.item, function, function(*args, **named)))

        silent = (NotApplicable,) if answers(provided.item, function) else ()
        try:
            return guarded(provided.plugin, provided.what, call, answers=silent)
        except PluginError as failure:
            return failure.problem

    def choose_reader(
        self, folder: Folder, candidates: Sequence[tuple[Reader, Match]]
    ) -> tuple[str | None, tuple[Problem, ...]]:
        """Ask the plugins, the latest first, which reader to use; None where none has an opinion."""
        problems: list[Problem] = []
        names = [reader.name for reader, _ in candidates]
        asked = self._implementations("choose_reader")[::-1]
        for plugin, answer in self._answers(asked, problems, folder=folder, candidates=candidates):
            if answer in names:
                return answer, tuple(problems)
            if answer is not None:
                said = f"choose_reader gave {answer!r}, which is not among the candidates"
                problems.append(problem(f"plugin {plugin}", said, "candidates: " + ", ".join(names)))
        return None, tuple(problems)

    def prepare_environment(self, env: Environment, format: str) -> tuple[Problem, ...]:  # noqa: A002 - the hook's word
        """Let the plugins add filters and globals to a template environment."""
        return self._told("prepare_environment", env=env, format=format)

    def report_built(self, report: Report) -> tuple[Problem, ...]:
        """Tell the plugins that the files stand."""
        return self._told("report_built", report=report)

    def format(self, name: str) -> Provided[Format]:
        """The format of that name.

        Raises:
            ReportError: there is none.
        """
        known = {provided.item.name: provided for provided in self.formats}
        if name not in known:
            listed = "known formats: " + (", ".join(known) or "none")
            ending = next((one for one, p in known.items() if p.item.suffix == f".{name.lower()}"), name)
            raise ReportError(f"unknown format {name!r}", resembling(ending, known) or listed)
        return known[name]

    def _looked_for(self) -> list[Plugin]:
        """Every plugin there is, before any is loaded; keeps what the working folder says of thresholds."""
        disabled = set(self._disabled)
        if self._discover:
            from dpo_report.core import settings

            told = settings.load(Path())
            self._problems.extend(told.problems)
            self._thresholds = told.thresholds
            disabled.update(told.disabled, os.environ.get(DISABLE, "").split(","))
        found = [
            *(built_in(module) for module in (builtin() if self._modules is None else self._modules)),
            *(given(item) for item in self._extra),
            *(installed(point) for point in (entry_points(hookspecs.GROUP) if self._discover else ())),
            *(local(path) for path in self._files),
        ]
        unknown = switch_off(found, disabled)
        if self._modules is None:
            self._problems.extend(unknown)
        return found

    def _load(self, plugin: Plugin) -> None:
        """Import one plugin and register the hooks of it that are well made."""
        slips: list[Slip] = []

        def load() -> None:
            item = plugin.load()
            refuse_other_api(item)
            plugin.hooks, found = self._registry.add(item() if inspect.isclass(item) else item, plugin.name)
            slips.extend(found)

        try:
            guarded(str(plugin), "loading it", load)
        except PluginError as failure:
            plugin.status = "failed"
            plugin.problems.append(replace(failure.problem, where=f"plugin {plugin}"))  # a file's version is known now
            return
        for message, hint in slips:
            plugin.blame(message, hint)
        if not plugin.hooks and not slips:
            plugin.blame("declares no hook", "mark its functions with @dpo_report.hookimpl")

    def _declared(self, kind: str) -> tuple[Provided[Any], ...]:
        """The objects of one kind, each well made and of its own name."""
        if kind not in self._objects:
            self._objects[kind] = collected(kind, self._implementations(f"register_{kind}"), self._reserved)
        return self._objects[kind]

    def _implementations(self, hook: str) -> list[tuple[Plugin, pluggy.HookImpl]]:
        """Implementations of a hook in the order of their plugins."""
        plugins = [plugin for plugin in self.plugins if plugin.status != "failed"]
        impls = getattr(self._registry.hook, hook).get_hookimpls()
        return [(plugin, impl) for plugin in plugins for impl in impls if impl.plugin_name == plugin.name]

    def _answers(
        self, asked: list[tuple[Plugin, pluggy.HookImpl]], problems: list[Problem], **given: object
    ) -> Iterator[tuple[Plugin, Any]]:
        """What each implementation answers, one by one; what one raises is added to the problems."""
        for plugin, impl in asked:
            call = partial(impl.function, *(given[name] for name in impl.argnames))
            try:
                yield plugin, guarded(str(plugin), impl.function.__name__, call)
            except PluginError as failure:
                problems.append(failure.problem)

    def _told(self, hook: str, **given: object) -> tuple[Problem, ...]:
        problems: list[Problem] = []
        for _ in self._answers(self._implementations(hook), problems, **given):
            pass
        return tuple(problems)
