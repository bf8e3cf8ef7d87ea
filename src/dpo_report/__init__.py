"""From a training run directory to the paper section that the run supports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dpo_report.core.analysis import analyse
    from dpo_report.core.build import build
    from dpo_report.core.hookspecs import hookimpl
    from dpo_report.core.loader import load
    from dpo_report.plugins.training.callback import DPOReportCallback

__version__ = "0.1.0"
__all__ = ["DPOReportCallback", "__version__", "analyse", "build", "hookimpl", "load"]

_HOMES = {
    "load": "dpo_report.core.loader",
    "analyse": "dpo_report.core.analysis",
    "build": "dpo_report.core.build",
    "hookimpl": "dpo_report.core.hookspecs",
    "DPOReportCallback": "dpo_report.plugins.training.callback",
}


def __getattr__(name: str) -> Any:
    """Import the public functions when they are first asked for, so that start-up pays for none of them."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'dpo_report' has no attribute {name!r}")
