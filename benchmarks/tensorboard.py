"""An event file of 1,000,000 scalars over 12 tags: this reader against tbparse and TensorBoard's own data server.

Each reads the file in a process of its own, in turns; medians are printed, with the ratios and their limits. The rivals
are found in the Python given by ``--rivals`` (``pip install tensorboard tbparse`` in a virtual environment); without it
only this reader's time and memory are measured. Exits with 1 where a limit is missed:

    python benchmarks/tensorboard.py [--rivals PYTHON] [--turns 3] [--scalars 1000000]
"""

from __future__ import annotations

import argparse
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from dpo_report.plugins.readers.crc32c import crc32c_many, masked

TAGS = (
    *(f"train/{name}" for name in ("loss", "grad_norm", "learning_rate", "epoch")),
    *(f"train/rewards/{name}" for name in ("chosen", "rejected", "margins", "accuracies")),
    *(f"train/{name}/{side}" for name in ("logps", "logits") for side in ("chosen", "rejected")),
)
TBPARSE_TIMES, SERVER_RATIO, MEGABYTES = 25.0, 1.5, 300.0

OURS = """
import sys, time
from pathlib import Path
from dpo_report.core.folder import Folder
from dpo_report.plugins.readers.tensorboard.witness import READER
started = time.perf_counter()
(witness,) = READER.read(Folder.open(Path(sys.argv[1])))
seconds = time.perf_counter() - started
points = sum(len(series) for series in witness.series)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))  # ru_maxrss would be that of the parent
print(seconds, int(status["VmHWM"].split()[0]) / 1024, points, len(witness.problems))
"""
TBPARSE = """
import sys, time
from tbparse import SummaryReader
started = time.perf_counter()
points = len(SummaryReader(sys.argv[1]).scalars)
print(time.perf_counter() - started, points)
"""
SERVER = "import tensorboard_data_server; print(tensorboard_data_server.server_binary())"
_LOADED = re.compile(r"Finished load cycle \(([\d.]+)(ms|s)\)")


def varint(value: int) -> bytes:
    """A number as protocol buffers write it."""
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def write(file: Path, scalars: int) -> None:
    """Write the events as TensorBoard's callback does: one scalar each, tag after tag."""
    rng = np.random.default_rng(0)
    numbers = rng.random(scalars).astype("<f4").tobytes()
    events = [b"\t" + struct.pack("<d", 1.7e9) + b"\x1a\rbrain.Event:2"]
    heads = []
    for tag in TAGS:
        value = 2 + len(tag) + 5
        heads.append(
            (varint(value + 1 + len(varint(value))), b"\n" + varint(value) + b"\n" + varint(len(tag)) + tag.encode())
        )
    for row in range(scalars):
        size, head = heads[row % len(TAGS)]
        step = varint(row // len(TAGS) + 1)
        when = struct.pack("<d", 1.7e9 + row * 0.01)
        events.append(b"\t" + when + b"\x10" + step + b"*" + size + head + b"\x15" + numbers[4 * row : 4 * row + 4])
    lengths = np.array([len(event) for event in events])
    checks = _checks(b"".join(events), lengths)
    sizes = lengths.astype("<u8").tobytes()
    size_checks = _checks(sizes, np.full(len(events), 8))
    with file.open("wb") as stream:
        for row, event in enumerate(events):
            stream.write(sizes[8 * row : 8 * row + 8] + size_checks[row] + event + checks[row])


def _checks(data: bytes, lengths: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[bytes]:
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    raw = masked(crc32c_many(np.frombuffer(data, np.uint8), starts, lengths)).astype("<u4").tobytes()
    return [raw[at : at + 4] for at in range(0, len(raw), 4)]


def run(python: str, code: str, folder: Path) -> list[float]:
    """The numbers that a process prints."""
    done = subprocess.run([python, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def server_seconds(binary: str, folder: Path) -> float:
    """How long the data server takes to load the folder, by its own account."""
    command = [binary, "--logdir", str(folder), "--port", "0", "--die-after-stdin", "--reload", "once", "--verbose"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stderr is not None and server.stdin is not None
        for line in server.stderr:
            if match := _LOADED.search(line):
                server.stdin.close()
                return float(match.group(1)) / (1000 if match.group(2) == "ms" else 1)
    raise RuntimeError("the data server loaded nothing")


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rivals", help="a Python with tensorboard and tbparse")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--scalars", type=int, default=1_000_000)
    options = parser.parse_args()
    times: dict[str, list[float]] = {"ours": [], "tbparse": [], "server": []}
    memory: list[float] = []
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        write(folder / "events.out.tfevents.1700000000.host.1.0", options.scalars)
        binary = subprocess.check_output([options.rivals, "-c", SERVER], text=True).strip() if options.rivals else ""
        for _ in range(options.turns):
            seconds, peak, points, problems = run(sys.executable, OURS, folder)
            assert points == options.scalars and not problems, (points, problems)
            times["ours"].append(seconds)
            memory.append(peak)
            if options.rivals:
                times["server"].append(server_seconds(binary, folder))
                parsed, rows = run(options.rivals, TBPARSE, folder)
                assert rows == options.scalars
                times["tbparse"].append(parsed)
    ours, peak = statistics.median(times["ours"]), max(memory)
    print(f"this reader     {ours:8.3f} s   peak {peak:.0f} MB (limit {MEGABYTES:.0f})")
    good = peak < MEGABYTES
    if options.rivals:
        tbparse, server = statistics.median(times["tbparse"]), statistics.median(times["server"])
        print(f"tbparse         {tbparse:8.3f} s   {tbparse / ours:.1f} times ours (limit {TBPARSE_TIMES:.0f})")
        print(f"data server     {server:8.3f} s   ours is {ours / server:.2f} of it (limit {SERVER_RATIO})")
        good = good and tbparse / ours >= TBPARSE_TIMES and ours / server <= SERVER_RATIO
    return 0 if good else 1


if __name__ == "__main__":
    started = time.perf_counter()
    status = main()
    print(f"measured in {time.perf_counter() - started:.0f} s")
    sys.exit(status)
