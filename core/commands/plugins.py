"""``dpo-report plugins``: what is installed, from where, with which objects and problems."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dpo_report import __version__
from dpo_report.core.terminal import columns, printable

if TYPE_CHECKING:
    from dpo_report.core.host.candidates import Plugin
    from dpo_report.core.manager import Host


def run(args: argparse.Namespace, host: Host) -> int:
    """List the plugins; with ``--strict`` a problem of one gives status 1."""
    problems = host.problems  # asks every plugin for everything, so it comes first
    if args.json:
        import json

        text = json.dumps(listing(host), indent=2, ensure_ascii=False)
    else:
        text = "\n".join(_lines(host, names=args.all))
    sys.stdout.write(text + "\n")
    return 1 if args.strict and problems else 0


def listing(host: Host) -> dict[str, Any]:
    """Everything that is known of the plugins, for ``--json``."""
    problems = [asdict(problem) for problem in host.problems]
    return {
        "generator": {"name": "dpo-report", "version": __version__},
        "plugins": [_record(plugin) for plugin in host.plugins],
        "problems": problems,
    }


def _record(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "version": plugin.version or None,
        "status": plugin.status,
        "source": plugin.source,
        "package": plugin.distribution or None,
        "hooks": list(plugin.hooks),
        "objects": plugin.objects,
        "problems": [asdict(problem) for problem in plugin.problems],
    }


def _lines(host: Host, *, names: bool) -> Iterator[str]:
    problems = host.problems
    rows = [("NAME", "VERSION", "STATUS", "SOURCE", "DECLARES")]
    rows += [(p.name, p.version or "-", p.status, p.source, _declares(p)) for p in host.plugins]
    yield columns(rows)
    if names:
        for plugin in host.plugins:
            yield from _objects(plugin)
    if problems:
        yield f"\n{_counted(len(problems), 'problems')}:"
    for problem in problems:
        yield printable(f"  {problem.where}: {problem.message}")
        if problem.hint:
            yield printable(f"    {problem.hint}")


def _objects(plugin: Plugin) -> Iterator[str]:
    if plugin.hooks:
        yield f"\n{printable(plugin)}"
        yield f"  hooks: {', '.join(plugin.hooks)}"
    for kind, names in plugin.objects.items():
        yield f"  {kind}:"
        yield from (f"    {printable(name)}" for name in names)


def _declares(plugin: Plugin) -> str:
    """``12 metrics, 3 curves``; hooks that declare nothing stand by their own name."""
    counts = [_counted(len(names), kind) for kind, names in plugin.objects.items()]
    others = [hook for hook in plugin.hooks if not hook.startswith("register_")]
    return ", ".join(counts + others) or "-"


def _counted(count: int, kind: str) -> str:
    return f"{count} {kind.removesuffix('s') if count == 1 else kind}"
