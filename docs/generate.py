"""Writes what the documentation takes from the program itself: the reference, and the output of every command shown.

    python docs/generate.py            writes what has changed
    python docs/generate.py --check    says what would change; status 1 if anything would
    python docs/generate.py --pictures draws the pages of the gallery anew (with pdflatex, pdftoppm and chromium)

In a page, what stands between ``<!-- $ COMMAND -->`` and ``<!-- end -->`` is the output of that command, run in a
folder that holds ``outputs/dpo`` (a copy of examples/runs/kg-heldout), ``examples`` and what the page's earlier
commands wrote. ``| head N`` at a command's end keeps its first N lines.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parent))

import reference  # beside this file

DOCS = Path(__file__).parent
ROOT = DOCS.parent
_BLOCK = re.compile(r"(?P<open><!-- \$ (?P<command>.+?) -->\n)(?P<body>.*?)(?P<close><!-- end -->)", re.DOTALL)
_HEAD = re.compile(r"\s*\|\s*head (\d+)$")
_PLAIN = ("ls", "cat", "grep")
"""Programs that a page may run beside dpo-report."""
ENVIRONMENT = {"COLUMNS": "100", "NO_COLOR": "1", "DPO_REPORT_DISABLE_PLUGINS": "all", "SOURCE_DATE_EPOCH": "0"}


def pages() -> dict[Path, str]:
    """Every page that this script has a part in, as it should be."""
    made = {DOCS / "reference" / name: text for name, text in reference.pages().items()}
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if path not in made and "<!-- $ " in text:
            made[path] = shown(text)
    return made


def shown(text: str) -> str:
    """A page with the output of its commands."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, ENVIRONMENT):
        room = Path(folder)
        (room / "examples").symlink_to(ROOT / "examples")
        kept = shutil.ignore_patterns("report", "dpo-report.toml")
        shutil.copytree(ROOT / "examples" / "runs" / "kg-heldout", room / "outputs" / "dpo", ignore=kept)
        with chdir(room):
            return _BLOCK.sub(_filled, text)


def _filled(match: re.Match[str]) -> str:
    command = match["command"]
    limit = _HEAD.search(command)
    words = shlex.split(_HEAD.sub("", command))
    lines = [line.rstrip() for line in _output(words).strip("\n").split("\n")]
    if limit and len(lines) > int(limit[1]):
        lines = [*lines[: int(limit[1])], "…"]
    typed = shlex.join(words).replace("'", "")
    body = "\n".join([f"$ {typed}", *lines])
    return f"{match['open']}```console\n{body}\n```\n{match['close']}"


def _output(words: list[str]) -> str:
    """What a command prints, on both streams.

    Raises:
        ValueError: the page runs something else than dpo-report and a few plain programs, or what it runs fails.
    """
    if words[0] in _PLAIN:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout
    if words[0] != "dpo-report":
        raise ValueError(f"a page runs {words[0]}")
    from dpo_report.core.cli import main
    from dpo_report.core.manager import default_host

    default_host.cache_clear()
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        status = main(words[1:])
    if status > 1:
        raise ValueError(f"{shlex.join(words)}: status {status}\n{out.getvalue()}")
    return out.getvalue()


def stale(made: Mapping[Path, str]) -> Iterator[Path]:
    """Pages that are not as they should be."""
    for path, text in made.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            yield path


def pictures() -> None:
    """Pages of today's reports as small PNG files, each the first that holds some words."""
    from PIL import Image

    from dpo_report import build

    for name, run, words in (
        ("first", "kg-8pairs-log1", "Methodology"),
        ("results", "kg-heldout", "Figure 1."),
        ("appendix", "kg-heldout", "What each number means"),
    ):
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            build(ROOT / "examples" / "runs" / run, out="report")
            os.chdir("report")
            for _ in range(2):
                subprocess.run(["pdflatex", "-interaction=batchmode", "report.tex"], check=True, capture_output=True)
            told = subprocess.run(["pdftotext", "report.pdf", "-"], check=True, capture_output=True, text=True).stdout
            page = str(1 + next(place for place, text in enumerate(told.split("\f")) if words in text))
            draw = ["pdftoppm", "-png", "-r", "60", "-f", page, "-l", page, "-singlefile", "report.pdf"]
            subprocess.run([*draw, str(DOCS / "pictures" / name)], check=True)
            picture = DOCS / "pictures" / f"{name}.png"
            Image.open(picture).quantize(256).save(picture, optimize=True)  # a page has few colours
    import screens  # beside this file; needs a browser

    screens.screens(ROOT / "examples" / "runs" / "kg-heldout", DOCS / "pictures")


def main_(words: list[str]) -> int:
    """Do what the words say."""
    if "--pictures" in words:
        pictures()
    made = pages()
    changed = list(stale(made))
    for path in changed:
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
        if "--check" not in words:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path], encoding="utf-8")
    return 1 if changed and "--check" in words else 0


if __name__ == "__main__":
    raise SystemExit(main_(sys.argv[1:]))
