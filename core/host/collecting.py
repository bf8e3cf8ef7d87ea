"""What the plugins declare of one kind: each object well made and of its own name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpo_report import __version__
from dpo_report.core.host.candidates import Plugin
from dpo_report.core.host.guard import PluginError, guarded

if TYPE_CHECKING:
    import pluggy

    from dpo_report.core.host.declared import Provided


def collected(
    kind: str, implementations: Sequence[tuple[Plugin, pluggy.HookImpl]], reserved: Collection[str]
) -> tuple[Provided[Any], ...]:
    """The objects of a kind (``checks``) in the order of the plugins; of two with one name the first.

    Commands may not take ``reserved`` names. What is not well made stands among the problems of its plugin.
    """
    if not implementations:
        return ()  # without importing the contract: `--help` asks for commands, and mostly there are none
    from dpo_report.core.host.declared import Provided, key

    first: dict[str, Provided[Any]] = {}
    for plugin, impl in implementations:
        for item in _returned(plugin, impl, kind):
            provided = Provided(item, str(plugin))
            other = first.get(key(item))
            if kind == "commands" and item.name in reserved:
                other = Provided(item, f"dpo-report {__version__} itself")
            if other is None:
                first[key(item)] = provided
                plugin.objects.setdefault(kind, []).append(key(item))
            elif other.item != item or kind == "commands":
                plugin.blame(
                    f"{provided.what} is declared by {other.plugin} and by {plugin}; the first stays",
                    "rename one, or leave one plugin out with --no-plugin",
                )
    return tuple(first.values())


def _returned(plugin: Plugin, impl: pluggy.HookImpl, kind: str) -> list[Any]:
    """The objects that one implementation gives, without those that are not well made."""
    from dpo_report.core.host.declared import KINDS, SEE, wrong

    wanted, hook = KINDS[kind], f"register_{kind}"
    try:
        items = guarded(str(plugin), hook, lambda: _listed(impl.function()))
    except PluginError as failure:
        plugin.status = "partial"
        plugin.problems.append(failure.problem)
        return []
    if not isinstance(items, list):
        plugin.blame(f"{hook} gave {type(items).__name__}", f"it must return a list of {wanted.__name__}")
        return []
    if wanted is Path:
        items = [Path(item) if isinstance(item, str) else item for item in items]
    reasons = [wrong(item, wanted) for item in items]
    for reason in filter(None, reasons):
        plugin.blame(f"{hook}: {reason}", SEE)
    return [item for item, reason in zip(items, reasons, strict=True) if not reason]


def _listed(given: object) -> object:
    """Any collection as a list; a string or a single object as it is."""
    return list(given) if isinstance(given, Iterable) and not isinstance(given, str | Mapping) else given
