"""pluggy with single hook implementations as the unit of failure, where pluggy drops the whole plugin."""

from __future__ import annotations

import inspect

import pluggy

from dpo_report.core import hookspecs
from dpo_report.core.host.candidates import resembling

SPECS = {
    name: tuple(inspect.signature(function).parameters)
    for name, function in vars(hookspecs).items()
    if hasattr(function, f"{hookspecs.GROUP}_spec")
}
"""The arguments of every hook."""

Slip = tuple[str, str]
"""What is wrong with an implementation, and what to do about it."""


class Registry(pluggy.PluginManager):
    """Registers the implementations that are well made and says what is wrong with the others."""

    def __init__(self) -> None:
        super().__init__(hookspecs.GROUP)
        self.add_hookspecs(hookspecs)
        self._slips: list[Slip] = []

    def add(self, plugin: object, name: str) -> tuple[tuple[str, ...], tuple[Slip, ...]]:
        """Register a plugin; gives the hooks that it implements and the slips in the others.

        Raises:
            ValueError: the same object is registered already.
        """
        self._slips = []
        self.register(plugin, name)
        callers = self.get_hookcallers(plugin) or []
        return tuple(sorted(caller.name for caller in callers if caller.name in SPECS)), tuple(self._slips)

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """As in pluggy, leaving out implementations that no hook would accept."""
        options = super().parse_hookimpl_opts(plugin, name)
        if options is None:
            return None
        hook = options.get("specname") or name
        slip = _slip(hook, getattr(plugin, name), options)
        if slip is not None:
            self._slips.append(slip)
            return None
        return options if hook in SPECS else None


def _slip(hook: str, function: object, options: pluggy.HookimplOpts) -> Slip | None:
    if hook not in SPECS:
        if options.get("optionalhook"):
            return None
        return f"there is no hook {hook}", resembling(hook, SPECS) or "hooks: " + ", ".join(SPECS)
    if options.get("wrapper") or options.get("hookwrapper"):
        return f"{hook} is a wrapper", "hooks declare objects and are called one by one; return a list"
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    unknown = [p.name for p in parameters if p.default is p.empty and p.name not in SPECS[hook]]
    if unknown:
        takes = ", ".join(SPECS[hook]) or "no argument"
        return f"{hook} has no argument {', '.join(unknown)}", f"{hook} takes {takes}"
    return None
