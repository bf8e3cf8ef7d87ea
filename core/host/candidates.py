"""Plugins before they are loaded: what each is called, where it comes from, and how it is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dpo_report import __version__
from dpo_report.core.errors import ReportError
from dpo_report.core.host.discovery import EntryPoint
from dpo_report.core.host.guard import problem

if TYPE_CHECKING:
    from dpo_report.core.model import Problem


@dataclass(slots=True)
class Plugin:
    """One plugin and what became of it."""

    name: str
    """The name by which it is listed and switched off."""
    version: str
    """Of its package; of the file, where that says one; else empty."""
    source: str
    """Where it comes from: ``built-in``, ``kg-tools (entry point)``, a path."""
    load: Callable[[], object]
    """Imports it."""
    distribution: str = ""
    """The installed package that brings it; empty for the built-in ones and for files."""
    status: Literal["ok", "partial", "failed", "disabled"] = "ok"
    """``partial``: it works, without what its problems name."""
    hooks: tuple[str, ...] = ()
    """The hooks that it implements, by name."""
    objects: dict[str, list[str]] = field(default_factory=dict)
    """Names of what it declared, by kind; filled as the host asks for the kinds."""
    problems: list[Problem] = field(default_factory=list)
    """What it does wrong."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()

    def blame(self, message: str, hint: str) -> None:
        """Something that it does wrong, while the rest of it works."""
        self.status = "partial"
        self.problems.append(problem(f"plugin {self}", message, hint))


def built_in(module: str) -> Plugin:
    """A plugin that comes with the tool."""
    return Plugin(module.rpartition(".")[2], __version__, "built-in", lambda: import_module(module))


def installed(point: EntryPoint) -> Plugin:
    """A plugin of an installed package."""
    return Plugin(point.name, point.version, f"{point.distribution} (entry point)", point.load, point.distribution)


def given(item: object) -> Plugin:
    """A plugin that somebody imported already: a module, or an object with hooks."""
    name = getattr(item, "__name__", type(item).__name__).rpartition(".")[2]
    return Plugin(name, str(getattr(item, "__version__", "")), "given", lambda: item)


def local(path: Path) -> Plugin:
    """A plugin file; its version is told by ``__version__`` once it is loaded."""
    plugin = Plugin(path.stem, "", str(path), lambda: None)

    def load() -> object:
        module = _imported(path)
        plugin.version = str(getattr(module, "__version__", ""))
        return module

    plugin.load = load
    return plugin


def switch_off(plugins: Iterable[Plugin], words: Iterable[str]) -> list[Problem]:
    """Give every plugin a name of its own, and disable those that the words name, or whose packages they name.

    ``all`` and ``*`` mean every installed one. What names none of them is told.
    """
    off = {word.strip().lower() for word in words} - {""}
    taken: set[str] = set()
    unused = off - {"all", "*"}
    for plugin in plugins:
        if plugin.name in taken:
            plugin.name = f"{plugin.distribution or plugin.source}:{plugin.name}"
        taken.add(plugin.name)
        names = {plugin.name.lower(), plugin.distribution.lower()}
        if names & off or (plugin.distribution and off & {"all", "*"}):
            plugin.status = "disabled"
        unused -= names
    return [
        problem(f"plugin {name}", "cannot be left out: there is none of that name",
                resembling(name, taken) or "`dpo-report plugins` lists them")
        for name in sorted(unused)
    ]  # fmt: skip


def refuse_other_api(item: object) -> None:
    """Refuse a plugin (a module, a class or an object) that says that it was written for another API than ours.

    Raises:
        ReportError: it was.
    """
    home = sys.modules.get(getattr(item, "__module__", ""))
    wanted = getattr(item, "DPO_REPORT_API", getattr(home, "DPO_REPORT_API", None))
    if wanted is None:
        return
    from dpo_report.core.contract import API

    if wanted != API:
        asks = f"it was written for plugin API {wanted!r}; dpo-report {__version__} has API {API}"
        newer = isinstance(wanted, int) and wanted > API
        raise ReportError(asks, "install a newer dpo-report" if newer else "install a newer version of the plugin")


def resembling(word: str, known: Iterable[str]) -> str:
    """``did you mean loss?``, or an empty string where no known word is close."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""


def _imported(path: Path) -> object:
    """Import a file without leaving compiled code beside it: it may lie in a run directory."""
    from importlib.util import module_from_spec, spec_from_file_location

    name = f"dpo_report_local_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is not a Python file")
    module = module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.modules[name] = module  # dataclasses and pickles of the plugin look themselves up here
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.dont_write_bytecode = before
    return module
