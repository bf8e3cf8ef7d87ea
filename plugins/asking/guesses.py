"""What this machine suggests for an answer. It may be another one than the run's, so it is only offered."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

_PACKAGES = ("trl", "transformers", "torch", "peft", "accelerate", "datasets")


def guess(question: str) -> str | None:
    """An answer for a question by its id; None where the machine tells nothing of it."""
    known = GUESSES.get(question)
    return known() if known else None


def hardware() -> str:
    """Devices, memory, operating system and Python of this machine."""
    cores = os.cpu_count()
    parts = [
        _devices(),
        _processor() + (f", {cores} logical cores" if cores else ""),
        _memory(),
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
    ]
    return "; ".join(filter(None, parts))


def versions() -> str | None:
    """Installed versions of the training libraries, without importing them."""
    found = []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found) or None


def _processor() -> str:
    """The processor's own name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.lower().startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return ""
    return f"{size / 2**30:.0f} GiB of memory"


def _devices() -> str:
    """Accelerators by name, where their own tool lists them."""
    tool = shutil.which("nvidia-smi")
    if not tool:
        return ""
    query = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        listed = subprocess.run(query, capture_output=True, text=True, timeout=5, check=True).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return ""
    names = [line.strip() for line in listed if line.strip()]
    return ", ".join(f"{names.count(name)} × {name}" for name in dict.fromkeys(names))


GUESSES: dict[str, Callable[[], str | None]] = {"hardware": hardware, "versions": versions}
"""By question id."""
