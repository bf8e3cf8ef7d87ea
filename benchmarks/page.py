"""The HTML report of a run with 1,000,000 logged rows: its size, and how long a headless Chromium takes to open it.

Opened means: the page has loaded, and two frames with its charts in them are painted. Each turn starts a browser of its
own; the median is printed, and the exit status is 1 above a limit:

    python benchmarks/page.py [--turns 3] [--rows 1000000]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from large_state import make

from browser import browser

SECONDS = 2.0
MEGABYTES = 1.5
BUILD = "import sys; from dpo_report.core.cli import main; sys.exit(main())"


def opened(page: Path) -> float:
    """Seconds from the address to two painted frames with charts in them."""
    with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as chromium:
        started = time.perf_counter()
        chromium.open(page)
        took = time.perf_counter() - started
        if not chromium.run("document.querySelectorAll('canvas').length"):
            raise RuntimeError(f"no chart was drawn: {chromium.log}")
        return took


def main() -> int:
    """Make the run, build its page, open it by turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run, report = Path(folder, "run"), Path(folder, "report")
        run.mkdir()
        make(run / "trainer_state.json", options.rows)
        words = [sys.executable, "-c", BUILD, "build", str(run), "--format", "html", "-q", "-o", str(report)]
        subprocess.run(words, check=True)
        size = (report / "report.html").stat().st_size / 1e6
        seconds = statistics.median(opened(report / "report.html") for _ in range(options.turns))
    print(f"{options.rows:,} rows: {size:.2f} MB (limit {MEGABYTES}), open in {seconds:.2f} s (limit {SECONDS:.0f})")
    return 0 if size <= MEGABYTES and seconds <= SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
