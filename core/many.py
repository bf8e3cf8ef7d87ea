"""Work on many runs at once: on the cores of this machine, or on a Dask or Ray cluster, through joblib.

Every task is a function of this package with plain arguments, so that a worker needs nothing but this package and the
runs. What one task raises, or the end of the process that did it, is the outcome of that task alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dpo_report.core.errors import ReportError

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 10
"""Seconds in which a cluster must answer."""
_EXTRA = {
    "dask": "pip install 'dpo-report[dask]'",
    "ray": "pip install ray",
    "loky": "pip install joblib",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that gave no result."""

    message: str
    """Why, in one line."""
    hint: str = ""
    """What to do about it."""


@dataclass(frozen=True, slots=True)
class Where:
    """On what the work is done."""

    backend: str = "loky"
    """``loky`` (processes of this machine), ``dask`` or ``ray``."""
    scheduler: str = ""
    """Address of the cluster; empty for one on this machine."""
    jobs: int = 0
    """Processes on this machine; 0 for one a core. With 1 nothing but this process works."""

    @property
    def processes(self) -> int:
        """How many processes of this machine work."""
        return self.jobs or _cores()


@dataclass(frozen=True, slots=True)
class _Task(Generic[T, R]):
    """A call with its place in the list; what it raises is its result."""

    function: Callable[[T], R]

    def __call__(self, place: int, argument: T) -> tuple[int, R | Failure]:
        try:
            return place, self.function(argument)
        except ReportError as error:
            return place, Failure(error.message, error.hint)
        except Exception as error:
            return place, Failure(f"{type(error).__name__}: {error}")


def each(function: Callable[[T], R], arguments: Sequence[T], where: Where) -> Iterator[tuple[int, R | Failure]]:
    """Results as they come, each with the place of its argument.

    Raises:
        ReportError: the backend is not installed, or its cluster cannot be reached.
    """
    task: _Task[T, R] = _Task(function)
    if where.backend == "loky" and min(where.processes, len(arguments)) < 2:
        for place, argument in enumerate(arguments):
            yield task(place, argument)
        return
    left = set(range(len(arguments)))
    with _workers(where):
        import joblib

        streams = joblib.parallel.get_active_backend()[0].supports_return_generator
        pool = joblib.Parallel(
            return_as="generator_unordered" if streams else "list", batch_size=1, pre_dispatch="2*n_jobs"
        )
        calls = (joblib.delayed(task)(place, argument) for place, argument in enumerate(arguments))
        try:
            for place, result in pool(calls):
                left.discard(place)
                yield place, result
        except Exception as error:
            if not _lost(error):
                raise
    for place in sorted(left):
        yield place, _apart(function, place, arguments[place])


def _lost(error: Exception) -> bool:
    """Whether a worker was lost on the way, which ends the whole pool of processes."""
    from concurrent.futures import BrokenExecutor

    return isinstance(error, BrokenExecutor) or type(error).__name__ in ("KilledWorker", "WorkerCrashedError")


def _apart(function: Callable[[T], R], place: int, argument: T) -> R | Failure:
    """One task in a process of its own, whose end ends nothing else."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            result: tuple[int, R | Failure] = pool.submit(_Task(function), place, argument).result()
            return result[1]
        except BrokenProcessPool:
            return Failure("the process that worked on it was killed", "is there enough memory?")


@contextmanager
def _workers(where: Where) -> Iterator[None]:
    """Joblib set up for a backend."""
    try:
        import joblib

        context: AbstractContextManager[Any]
        if where.backend == "dask":
            client = _dask(where.scheduler)
            context = joblib.parallel_config("dask", client=client, n_jobs=-1)
        elif where.backend == "ray":
            _ray(where.scheduler)
            context = joblib.parallel_config("ray", n_jobs=-1)
        else:
            context = joblib.parallel_config("loky", n_jobs=where.processes)
    except ImportError as error:
        raise ReportError(f"--backend {where.backend} needs {error.name}", _EXTRA[where.backend]) from None
    try:
        with context:
            yield
    finally:
        if where.backend == "dask":
            client.close()


def _dask(scheduler: str) -> Any:
    import distributed

    client: Any = distributed.Client
    try:
        return client(scheduler or None, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        said = f"no Dask scheduler answers at {scheduler or 'this machine'}: {_line(error)}"
        raise ReportError(said, "start one with `dask scheduler`, and workers with `dask worker ADDRESS`") from None


def _ray(address: str) -> None:
    import ray
    from ray.util.joblib import register_ray

    register_ray()
    if not ray.is_initialized():
        try:
            ray.init(address=address or None, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, ValueError) as error:
            said = f"no Ray cluster answers at {address or 'this machine'}: {_line(error)}"
            raise ReportError(said, "start one with `ray start --head`") from None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
