"""Seven formats of a small run at once, against a script that draws one loss curve with pyplot.

Both read the same 16 rows and start from a fresh interpreter; they take turns. Prints the medians, their ratio and the
limit, and what each further format costs beside LaTeX alone; exits with 1 above the limit:

    python benchmarks/formats.py [--turns 5]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from build_speed import BUILD, RIVAL, seconds, state

LIMIT = 6.0
SEVEN = "latex,markdown,html,pdf,docx,json,modelcard"


def main() -> int:
    """Take turns, print, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as folder:
        run, picture, report = Path(folder, "run"), Path(folder, "loss.png"), Path(folder, "report")
        run.mkdir()
        log = run / "trainer_state.json"
        log.write_text(json.dumps(state()))
        commands = {
            "pyplot, one PNG": ("-c", RIVAL, log, picture),
            "seven formats": ("-c", BUILD, "build", run, "--format", SEVEN, "-o", report, "-q"),
            "latex alone": ("-c", BUILD, "build", run, "--format", "latex", "-o", report, "-q"),
        }
        for command in commands.values():  # the first ones fill the caches of all
            seconds(*command)
        times = {name: [] for name in commands}
        for _ in range(turns):
            for name, command in commands.items():
                times[name].append(seconds(*command))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, taken in medians.items():
        print(f"{name:24}{taken:6.2f} s")
    ratio = medians["seven formats"] / medians["pyplot, one PNG"]
    print(f"{'ratio':24}{ratio:6.2f}   (limit {LIMIT})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
