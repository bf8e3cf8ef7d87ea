"""Pictures of the HTML report in a browser, as small PNG files: a wide light window, a narrow dark one."""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from browser import browser  # noqa: E402 - the tests' own, beside which the path above leads

SCREENS = (("html-wide", 1180, 1320, False, "main", 0.6), ("html-narrow", 390, 1100, True, "#figures", 0.6))
"""Name, width and height of the window in pixels, whether it is dark, what stands at its top, and how much smaller the
picture is."""


def screens(run: Path, out: Path) -> None:
    """Draw the report of a run into a folder."""
    from dpo_report import build

    with tempfile.TemporaryDirectory() as folder, browser(Path(folder) / "profile") as page:
        report = build(run, ["html"], Path(folder) / "report").directory / "report.html"
        page.call("Emulation.setScrollbarsHidden", hidden=True)
        for name, width, height, dark, top, scale in SCREENS:
            page.open(report, width=width, height=height, dark=dark)
            start = page.run(f"document.querySelector('{top}').getBoundingClientRect().top")
            clip = {"x": 0, "y": start, "width": width, "height": height, "scale": scale}
            shot = page.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
            (out / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
