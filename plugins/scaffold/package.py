"""Writes the skeleton of a plugin package under a name of the user's."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

from dpo_report.core.errors import ReportError

SKELETON = Path(__file__).with_name("skeleton")
"""Every file of the package with ``.tmpl`` behind its name, and ``@@word@@`` where a name stands."""
_LONGEST = 30


def new_plugin(name: str, folder: Path | None) -> int:
    """Write the package and say what to do with it.

    Raises:
        ReportError: the name cannot be one of a package, or the folder holds something or cannot be written.
    """
    words = names(name)
    folder = folder or Path(words["distribution"])
    files = package(words)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ReportError(f"{folder} holds something; nothing was written", "give another folder with -o")
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"cannot write {folder}: {error.strerror}", "give another folder with -o") from None
    sys.stdout.write(f"{folder} ({len(files)} files)\n  pip install -e '{folder}[test]' && pytest {folder}\n")
    return 0


def names(name: str) -> dict[str, str]:
    """The words of the skeleton for a plugin of that name.

    >>> names("Graph-Edges")["package"], names("Graph-Edges")["title"]
    ('dpo_report_graph_edges', 'Graph edges')

    Raises:
        ReportError: the name cannot be one of a package.
    """
    word = re.sub(r"[-\s]+", "_", name.strip().lower()).removeprefix("dpo_report_")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", word) or keyword.iskeyword(word) or len(word) > _LONGEST:
        raise ReportError(
            f"{name!r} cannot be the name of a plugin",
            f"letters, digits and dashes, a letter first, at most {_LONGEST} of them: edges",
        )
    return {
        "name": word,
        "package": f"dpo_report_{word}",
        "distribution": f"dpo-report-{word.replace('_', '-')}",
        "title": word.replace("_", " ").capitalize(),
        "code": f"{word.upper()}1",
    }


def package(words: dict[str, str]) -> dict[str, str]:
    """The files of the package by path."""
    files = {}
    for path in sorted(SKELETON.rglob("*.tmpl")):
        place = path.relative_to(SKELETON).as_posix().removesuffix(".tmpl")
        place = place.replace("src/package/", f"src/{words['package']}/")
        text = path.read_text(encoding="utf-8")
        files[place] = re.sub(r"@@(\w+)@@", lambda match: words[match[1]], text)
    return files
