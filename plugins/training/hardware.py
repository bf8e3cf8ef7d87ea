"""What the machine is and can do: cores, memory, native bf16, the measured matrix-multiply peak."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MATRIX_BF16 = "amx_bf16"
"""CPU flag of bf16 matrix units. avx512_bf16 is no such thing: it only makes vectors twice as long."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that a run uses."""

    name: str
    """Of the processor, or of the accelerator."""
    cores: int
    """Physical cores that this process may use."""
    memory: int
    """Bytes of memory that it may use altogether."""
    bf16: bool
    """Whether it has matrix units for bf16."""
    system: str
    """Operating system."""
    accelerator: bool = False
    """Whether torch sees a GPU."""

    def __str__(self) -> str:
        kind = "GPU" if self.accelerator else f"{self.cores} {'core' if self.cores == 1 else 'cores'}"
        return f"{self.name} ({kind}), {self.memory / 2**30:.0f} GiB memory, {self.system}"


def machine() -> Machine:
    """This machine."""
    info = _cpuinfo()
    name = info[0].get("model name", "") if info else ""
    flags = set((info[0].get("flags") or info[0].get("Features") or "").split()) if info else set()
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    total = min(filter(None, (_meminfo("MemTotal"), _cgroup("memory.max"))), default=0)
    import torch

    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        return Machine(card.name, _cores(info), card.total_memory, torch.cuda.is_bf16_supported(), system, True)
    return Machine(
        name or platform.processor() or platform.machine(), _cores(info), total, MATRIX_BF16 in flags, system
    )


def available() -> int:
    """Bytes of memory that are free to use now; 0 where that cannot be told."""
    free = _meminfo("MemAvailable")
    limit, used = _cgroup("memory.max"), _cgroup("memory.current")
    return min(filter(None, (free, limit - used if limit else 0)), default=0)


def peak() -> int:
    """The largest resident memory of this process so far, in bytes."""
    import resource
    import sys

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def matmul_rate(dtype: Any, seconds: float = 0.3, size: int = 384) -> float:
    """FLOP/s of square matrix multiplications with the threads that torch uses: the fastest one of many counts.

    Measured with one thread in its own CPU time and multiplied: what else runs on the machine hardly counts then, while
    threads that wait for each other on a busy machine showed a hundredth of its speed.
    """
    import time

    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    a, b = (torch.rand(size, size).to(dtype) for _ in range(2))
    best, until = float("inf"), time.thread_time() + seconds
    while time.thread_time() < until or best == float("inf"):
        start = time.thread_time()
        a @ b
        best = min(best, time.thread_time() - start)
    torch.set_num_threads(threads)
    return 2 * size**3 / best * float(threads)


def _cpuinfo() -> list[dict[str, str]]:
    """The entries of /proc/cpuinfo; empty elsewhere."""
    with suppress(OSError):
        blocks = Path("/proc/cpuinfo").read_text().strip().split("\n\n")
        lines = [[line.partition(":") for line in block.splitlines()] for block in blocks]
        return [{key.strip(): value.strip() for key, _, value in block} for block in lines]
    return []


def _cores(info: list[dict[str, str]]) -> int:
    """Physical cores among the processors that this process may run on, within the container's share."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    pairs = {
        (one.get("physical id"), one.get("core id"))
        for one in info
        if "core id" in one and int(one.get("processor", -1)) in usable
    }
    cores = len(pairs) or len(usable)
    with suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        cores = min(cores, max(1, round(int(quota) / int(period))))
    return cores


def _meminfo(key: str) -> int:
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(key + ":")).split()[1]) * 1024
    return 0


def _cgroup(name: str) -> int:
    with suppress(OSError, ValueError):
        return int(Path("/sys/fs/cgroup", name).read_text())
    return 0
