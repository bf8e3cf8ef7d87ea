"""What the two commands need besides the package itself, said in one line where it is missing."""

from __future__ import annotations

import os
from importlib.util import find_spec

from dpo_report.core.errors import ReportError

TRAIN = ("torch", "transformers", "trl", "datasets", "accelerate", "peft")


def need(*modules: str) -> None:
    """Raise a ReportError that names what is not installed, and set what must be set before torch is imported."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ReportError(f"this needs {', '.join(missing)}", "pip install 'dpo-report[train]'")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")  # its tries and waits; what came of them is told in one line
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TQDM_DISABLE", "1")
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Tell glibc to keep freed memory for the next step rather than hand it back and fault it in again.

    mallopt(3): M_MMAP_MAX = 0, M_TRIM_THRESHOLD at its largest, M_ARENA_MAX = 1. Elsewhere nothing happens.
    """
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # another system, another C library
        return
    for parameter, value in ((-4, 0), (-1, 2**31 - 1), (-8, 1)):
        mallopt(parameter, value)


def quiet() -> None:
    """Keep the libraries' progress bars and remarks out of the way of ours."""
    import warnings

    import datasets
    import transformers

    datasets.disable_progress_bars()
    datasets.utils.logging.set_verbosity_error()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=UserWarning, module=r"torch|transformers|trl|peft|accelerate")
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch|transformers|trl|peft|accelerate")
